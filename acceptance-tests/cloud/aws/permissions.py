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
    any of them is allowed."""
    action = f"{call.service}:{call.action}"
    key = credentials.find(call.access_key_id) if call.access_key_id else None
    policies = of(key) if key and action not in FREE else None
    if policies is None or all(_allows_anywhere(part, action) for part in policies):
        return None
    message = f"User: {key.principal} is not authorized to perform: {action}"
    code = {"eks": "AccessDeniedException", "ec2": "UnauthorizedOperation"}
    return AwsError(403, code.get(call.service, "AccessDenied"), message)


def _allows_anywhere(policies: list[IAMPolicy], action: str) -> bool:
    statements = [
        IAMPolicyStatement({**statement, "Resource": "*"})
        for policy in policies
        for statement in _statements(policy)
        if statement["Effect"] == "Allow"
    ]
    return any(
        statement.is_action_permitted(action) == PermissionResult.PERMITTED
        for statement in statements
    )


def _statements(policy: IAMPolicy) -> list[dict]:
    found = policy._policy_json["Statement"]
    return found if isinstance(found, list) else [found]
