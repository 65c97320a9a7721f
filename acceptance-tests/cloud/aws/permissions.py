"""Permissions of users and roles. moto can only enforce all of them or none."""

from moto.iam.access_control import IAMPolicy, IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend, iam_backends

from . import credentials
from .calls import Call
from .error_answers import AwsError

# User that runs the configuration. It has all permissions, without a policy.
ADMINISTRATOR = "administrator"

# Operations that need no permission. The trust policy of a role determines who may assume it.
FREE = {"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity"}

# Operations that also need iam:PassRole, for the role in this parameter and this service.
PASSED = {
    "eks:CreateNodegroup": ("nodeRole", "eks.amazonaws.com"),
    "eks:CreatePodIdentityAssociation": ("roleArn", "pods.eks.amazonaws.com"),
    "eks:UpdatePodIdentityAssociation": ("roleArn", "pods.eks.amazonaws.com"),
}

# Policies of a caller, and its permissions boundary. Both must allow a call.
Policies = list[list[IAMPolicy]]


def of(key: credentials.AccessKey) -> Policies | None:
    """Returns the policies of a principal; None for the administrator and for roles that do not exist."""
    iam = iam_backends[key.account]["aws"]
    kind, *names = key.principal.split(":")[-1].split("/")
    if kind == "user":
        holder = iam.users.get(names[-1])
    else:
        holder = next((role for role in iam.roles.values() if role.name == names[0]), None)
    if holder is None or holder.name == ADMINISTRATOR:
        return None
    boundary = iam.managed_policies.get(holder.permissions_boundary_arn)
    return [_own(holder, iam), [IAMPolicy(boundary)]] if boundary else [_own(holder, iam)]


def _own(holder, iam: IAMBackend) -> list[IAMPolicy]:
    groups = iam.get_groups_for_user(holder.name) if holder.name in iam.users else []
    inline = [text for owner in (holder, *groups) for text in owner.policies.values()]
    managed = [policy for owner in (holder, *groups) for policy in owner.managed_policies.values()]
    return [IAMPolicy(policy) for policy in (*inline, *managed)]


def allow(policies: Policies, action: str, resource: str) -> bool:
    return all(_allows(part, action, resource) for part in policies)


def _allows(policies: list[IAMPolicy], action: str, resource: str) -> bool:
    results = [policy.is_action_permitted(action, resource) for policy in policies]
    return PermissionResult.DENIED not in results and PermissionResult.PERMITTED in results


def refuse(call: Call) -> AwsError | None:
    """Returns an error if the caller has no permission, for services other than S3. Resources are ignored, except
    for a role that is passed: an action that is allowed on any resource is allowed."""
    action = f"{call.service}:{call.action}"
    key = credentials.find(call.access_key_id) if call.access_key_id else None
    policies = of(key) if key and action not in FREE else None
    if policies is None:
        return None
    lacking = None
    if not all(_allows_anywhere(part, action) for part in policies):
        lacking = action
    elif passed := PASSED.get(action):
        role, service = call.parameters.get(passed[0]), passed[1]
        if role and not all(_lets_pass(part, role, service) for part in policies):
            lacking = f"iam:PassRole on resource: {role}"
    if lacking is None:
        return None
    message = f"User: {key.principal} is not authorized to perform: {lacking}"
    code = {"eks": "AccessDeniedException", "ec2": "UnauthorizedOperation"}
    return AwsError(403, code.get(call.service, "AccessDenied"), message)


def _allows_anywhere(policies: list[IAMPolicy], action: str) -> bool:
    anywhere = ({**statement, "Resource": "*"} for statement in _allowing(policies))
    return any(_permits(statement, action) for statement in anywhere)


def _lets_pass(policies: list[IAMPolicy], role: str, service: str) -> bool:
    """Whether the policies allow to pass a role. Only the condition on the service is evaluated, because moto has no
    condition keys of IAM. Other conditions are not met."""
    for statement in _allowing(policies):
        unconditional = {key: value for key, value in statement.items() if key != "Condition"}
        match statement.get("Condition", {}):
            case {"StringEquals": {"iam:PassedToService": named, **others}, **more}:
                is_met = not others and not more and service in _list(named)
            case condition:
                is_met = not condition
        if is_met and _permits(unconditional, "iam:PassRole", role):
            return True
    return False


def _permits(statement: dict, action: str, resource: str = "*") -> bool:
    result = IAMPolicyStatement(statement).is_action_permitted(action, resource)
    return result == PermissionResult.PERMITTED


def _allowing(policies: list[IAMPolicy]) -> list[dict]:
    statements = [statement for policy in policies for statement in _statements(policy)]
    return [statement for statement in statements if statement["Effect"] == "Allow"]


def _statements(policy: IAMPolicy) -> list[dict]:
    return _list(policy._policy_json["Statement"])


def _list(one_or_more) -> list:
    return one_or_more if isinstance(one_or_more, list) else [one_or_more]
