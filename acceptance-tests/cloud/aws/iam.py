"""IAM: what must go before a user goes, and trust policies that are policies."""

import moto.iam.models
from moto.iam.exceptions import DeleteConflictException, EntityAlreadyExists
from moto.iam.models import IAMBackend
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator


def install() -> None:
    # moto looks for a key's account in every partition, and makes a whole IAM for each.
    moto.iam.models.PARTITION_NAMES = ["aws"]
    delete, create = IAMBackend.delete_user, IAMBackend.create_role
    create_user_as_named = IAMBackend.create_user

    def delete_user(self, user_name):
        # moto deletes a user who still has keys or is in a group; AWS refuses.
        user = self.get_user(user_name)
        if user.access_keys:
            raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
        if self.get_groups_for_user(user_name):
            raise DeleteConflictException(
                "Cannot delete entity, must remove users from group first."
            )
        return delete(self, user_name)

    def create_role(self, role_name, assume_role_policy_document, *rest, **named):
        # moto checks a trust policy when it is updated, but takes any text when a role is made.
        IAMTrustPolicyDocumentValidator(assume_role_policy_document).validate()
        _check_unused("Role", role_name, self.roles.values())
        return create(self, role_name, assume_role_policy_document, *rest, **named)

    def create_user(self, region_name, user_name, *rest, **named):
        _check_unused("User", user_name, self.users.values())
        return create_user_as_named(self, region_name, user_name, *rest, **named)

    IAMBackend.create_user = create_user
    IAMBackend.delete_user = delete_user
    IAMBackend.create_role = create_role


def _check_unused(kind: str, name: str, known) -> None:
    # Names are unique whatever their case; to moto "Build" and "build" are two.
    if any(entity.name.lower() == name.lower() for entity in known):
        raise EntityAlreadyExists(f"{kind} with name {name} already exists.")
