"""What the policies of users and roles allow: moto can ask for all of them or for none."""

from moto.iam.access_control import IAMPolicy, IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend, iam_backends

from . import credentials
from .calls import Call
from .error_answers import AwsError

# Whoever runs the configuration may do everything, and has no policy that says so.
ADMINISTRATOR = "administrator"

# Nobody needs a permission for these. Whether a role may be assumed says the role.
FREE = {"sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity"}

# What else EKS asks of the caller: to pass the role in this parameter to this service.
PASSED = {
    "eks:CreateNodegroup": ("nodeRole", "eks.amazonaws.com"),
    "eks:CreatePodIdentityAssociation": ("roleArn", "pods.eks.amazonaws.com"),
    "eks:UpdatePodIdentityAssociation": ("roleArn", "pods.eks.amazonaws.com"),
}

# What a caller's policies say, and what his boundary says: both have to allow.
Policies = list[list[IAMPolicy]]


def of(key: credentials.AccessKey) -> Policies | None:
    """None for a principal that is not looked at: the administrator, and roles that nobody made."""
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
    """Access denied, in another service than S3. Resources are not looked at: what is allowed on
    any of them is allowed. Only a role that is passed on is."""
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
    """moto knows no condition key of IAM. Any condition but the one on the service is not met."""
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
