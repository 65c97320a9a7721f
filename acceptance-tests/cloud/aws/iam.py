"""IAM: what must go before a user goes, and trust policies that are policies."""

import moto.iam.models
from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator


def install() -> None:
    # moto looks for a key's account in every partition, and makes a whole IAM for each.
    moto.iam.models.PARTITION_NAMES = ["aws"]
    delete, create = IAMBackend.delete_user, IAMBackend.create_role

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
        return create(self, role_name, assume_role_policy_document, *rest, **named)

    IAMBackend.delete_user = delete_user
    IAMBackend.create_role = create_role
