"""IAM: attachments that prevent the deletion of a user, permissions boundaries of users, checks of trust
policies, and tag keys, of which IAM ignores the case."""

import json
from collections import defaultdict
from datetime import timedelta

import moto.iam.models
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.exceptions import (
    DeleteConflictException,
    DuplicateTags,
    EntityAlreadyExists,
    MalformedPolicyDocument,
    NoSuchEntity,
)
from moto.iam.models import IAMBackend, User, iam_backends
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator
from moto.iam.responses import IamResponse

from . import lag

# Services of the partition aws in trust policies of tests and users. AWS has many more.
SERVICES = {
    f"{name}.amazonaws.com"
    for name in ("ec2", "ecs-tasks", "eks", "eks-fargate-pods", "lambda", "pods.eks", "ssm")
}

# Secrets of all keys that users ever had, by account. Tests check that no file contains them.
_secrets: dict[str, list[str]] = defaultdict(list)


def install() -> None:
    # moto searches the account of a key in every partition, and creates a whole IAM for each.
    moto.iam.models.PARTITION_NAMES = ["aws"]
    _correct_names_and_trust()
    _correct_deleting_users()
    _add_lag_of_users()
    _add_boundaries_of_users()
    _correct_tags()
    _note_secrets()


def secrets(account: str) -> list[str]:
    return list(_secrets[account])


def age_keys(account: str, days: int) -> None:
    """Makes all keys of users older by this number of days."""
    for user in iam_backends[account]["aws"].users.values():
        for key in user.access_keys:
            key.create_date -= timedelta(days=days)


def _correct_names_and_trust() -> None:
    create_role_as_named, create_user_as_named = IAMBackend.create_role, IAMBackend.create_user

    def create_role(self, role_name, assume_role_policy_document, *rest, **named):
        # moto checks a trust policy in updates, but accepts any text for a new role.
        IAMTrustPolicyDocumentValidator(assume_role_policy_document).validate()
        _check_services(assume_role_policy_document)
        _check_unused("Role", role_name, self.roles.values())
        return create_role_as_named(self, role_name, assume_role_policy_document, *rest, **named)

    def create_user(self, region_name, user_name, *rest, **named):
        _check_unused("User", user_name, self.users.values())
        return create_user_as_named(self, region_name, user_name, *rest, **named)

    IAMBackend.create_role = create_role
    IAMBackend.create_user = create_user


def _check_services(document: str) -> None:
    # The message is from pulumi/pulumi-eks#2341.
    statements = json.loads(document)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        for service in [services] if isinstance(services, str) else services:
            if service not in SERVICES:
                raise MalformedPolicyDocument(
                    f'Invalid principal in policy: "SERVICE":"{service}"'
                )


def _check_unused(kind: str, name: str, known) -> None:
    # Names are unique without regard to case. moto distinguishes "Build" and "build".
    if any(entity.name.lower() == name.lower() for entity in known):
        raise EntityAlreadyExists(f"{kind} with name {name} already exists.")


def _correct_deleting_users() -> None:
    delete = IAMBackend.delete_user

    def delete_user(self, user_name):
        # moto only checks for policies before it deletes a user.
        user = self.get_user(user_name)
        for what, found in (
            ("delete access keys", user.access_keys or _gone(user, "key")),
            ("delete policies", _gone(user, "policy")),
            ("remove users from group", self.get_groups_for_user(user_name)),
            ("delete login profile", user.password),
            ("delete MFA device", user.mfa_devices),
            ("delete signing certificates", user.signing_certificates),
            ("delete SSH public keys", user.ssh_public_keys),
            ("delete service specific credentials", _service_credentials(user)),
        ):
            if found:
                raise DeleteConflictException(f"Cannot delete entity, must {what} first.")
        return delete(self, user_name)

    def create_service_specific_credential(self):
        user = self.backend.get_user(self._get_param("UserName"))
        service = self._get_param("ServiceName")
        made = {
            "UserName": user.name,
            "ServiceName": service,
            "ServiceUserName": f"{user.name}-at-{user.account_id}",
            "ServiceSpecificCredentialId": f"ACCA{len(_service_credentials(user)):016}",
            "Status": "Active",
            "CreateDate": user.create_date,
        }
        _service_credentials(user).append(made)
        return ActionResult({"ServiceSpecificCredential": made})

    def list_service_specific_credentials(self):
        user = self.backend.get_user(self._get_param("UserName"))
        return ActionResult({"ServiceSpecificCredentials": _service_credentials(user)})

    def delete_service_specific_credential(self):
        user = self.backend.get_user(self._get_param("UserName"))
        wanted = self._get_param("ServiceSpecificCredentialId")
        known = _service_credentials(user)
        known[:] = [found for found in known if found["ServiceSpecificCredentialId"] != wanted]
        return EmptyResult()

    IAMBackend.delete_user = delete_user
    IamResponse.create_service_specific_credential = create_service_specific_credential
    IamResponse.list_service_specific_credentials = list_service_specific_credentials
    IamResponse.delete_service_specific_credential = delete_service_specific_credential


def _gone(user: User, kind: str) -> list:
    """Returns recently deleted objects of the user that lists of the account still contain."""
    return lag.still_shown(user.account_id, f"user-{kind}", user.name)


def _add_lag_of_users() -> None:
    delete_key, delete_policy = IAMBackend.delete_access_key, IAMBackend.delete_user_policy

    def delete_access_key(self, access_key_id, user_name):
        user = self.get_user(user_name)
        key = user.get_access_key_by_id(access_key_id)
        delete_key(self, access_key_id, user_name)
        lag.deleted(user.account_id, "user-key", user.name, key)

    def delete_user_policy(self, user_name, policy_name):
        user = self.get_user(user_name)
        delete_policy(self, user_name, policy_name)
        lag.deleted(user.account_id, "user-policy", user.name, policy_name)

    def list_access_keys(self):
        user = self.backend.get_user(self._get_param("UserName"))
        keys = [*user.access_keys, *_gone(user, "key")]
        return ActionResult({"UserName": user.name, "AccessKeyMetadata": keys})

    def list_user_policies(self):
        user = self.backend.get_user(self._get_param("UserName"))
        names = [*user.policies, *_gone(user, "policy")]
        return ActionResult({"PolicyNames": names, "IsTruncated": False})

    IAMBackend.delete_access_key = delete_access_key
    IAMBackend.delete_user_policy = delete_user_policy
    IamResponse.list_access_keys = list_access_keys
    IamResponse.list_user_policies = list_user_policies


def _service_credentials(user: User) -> list[dict]:
    return vars(user).setdefault("service_specific_credentials", [])


def _add_boundaries_of_users() -> None:
    create_user_without = IamResponse.create_user

    def create_user(self):
        boundary = self._get_param("PermissionsBoundary")
        _check_boundary(self.backend, boundary)
        answer = create_user_without(self)
        self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = boundary
        return answer

    def put_user_permissions_boundary(self):
        user = self.backend.get_user(self._get_param("UserName"))
        boundary = self._get_param("PermissionsBoundary")
        _check_boundary(self.backend, boundary)
        user.permissions_boundary_arn = boundary
        return EmptyResult()

    def delete_user_permissions_boundary(self):
        user = self.backend.get_user(self._get_param("UserName"))
        user.permissions_boundary_arn = None
        return EmptyResult()

    def permissions_boundary(self):
        if self.permissions_boundary_arn is None:
            return None
        return {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": self.permissions_boundary_arn,
        }

    User.permissions_boundary_arn = None
    User.permissions_boundary = property(permissions_boundary)
    IamResponse.create_user = create_user
    IamResponse.put_user_permissions_boundary = put_user_permissions_boundary
    IamResponse.delete_user_permissions_boundary = delete_user_permissions_boundary


def _check_boundary(backend: IAMBackend, arn: str | None) -> None:
    if arn and ":aws:policy/" not in arn and arn not in backend.managed_policies:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.")


def _correct_tags() -> None:
    """Keys that differ only in case are the same key: the second one replaces the first, and either one
    removes it. moto distinguishes them."""
    tag_role, untag_role = IAMBackend.tag_role, IAMBackend.untag_role
    tag_user, untag_user = IAMBackend.tag_user, IAMBackend.untag_user
    create_user = IAMBackend.create_user

    def create_a_user(self, region_name, user_name, path="/", tags=None, **named):
        self._tag_verification(tags or [])
        return create_user(self, region_name, user_name, path, tags, **named)

    def tag_a_role(self, role_name, tags):
        _check_keys(tags)
        known = [tag["Key"] for tag in self.get_role(role_name).tags]
        untag_role(self, role_name, _alike(known, [tag["Key"] for tag in tags]))
        tag_role(self, role_name, tags)

    def untag_a_role(self, role_name, tag_keys):
        known = [tag["Key"] for tag in self.get_role(role_name).tags]
        untag_role(self, role_name, _alike(known, tag_keys))

    def tag_a_user(self, name, tags):
        _check_keys(tags)
        known = _keys_of_user(self, name)
        untag_user(self, name, _alike(known, [tag["Key"] for tag in tags]))
        tag_user(self, name, tags)

    def untag_a_user(self, name, tag_keys):
        untag_user(self, name, _alike(_keys_of_user(self, name), tag_keys))

    IAMBackend.create_user = create_a_user
    IAMBackend.tag_role, IAMBackend.untag_role = tag_a_role, untag_a_role
    IAMBackend.tag_user, IAMBackend.untag_user = tag_a_user, untag_a_user


def _keys_of_user(backend: IAMBackend, name: str) -> list[str]:
    return [tag["Key"] for tag in backend.tagger.list_tags_for_resource(backend.get_user(name).arn)["Tags"]]


def _alike(known: list[str], wanted: list[str]) -> list[str]:
    lower = {key.lower() for key in wanted}
    return [key for key in known if key.lower() in lower]


def _check_keys(tags: list[dict]) -> None:
    if len({tag["Key"].lower() for tag in tags}) < len(tags):
        raise DuplicateTags()


def _note_secrets() -> None:
    create = User.create_access_key

    def create_access_key(self, *rest, **named):
        key = create(self, *rest, **named)
        _secrets[self.account_id].append(key.secret_access_key)
        return key

    User.create_access_key = create_access_key
