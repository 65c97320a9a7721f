"""Auto Scaling: errors of AWS, limits and pages that moto does not have, and groups without instances."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult

TAGS_PER_GROUP = 50
TAGS_PER_PAGE = 50


class LimitExceededError(ServiceException):
    code = "LimitExceeded"


def install() -> None:
    _correct_tags()
    _correct_sizes()


def _correct_tags() -> None:
    create, delete = AutoScalingBackend.create_or_update_tags, AutoScalingBackend.delete_tags

    def create_or_update_tags(self, tags):
        # moto raises an exception for a group that does not exist, and accepts any number of tags.
        for name in {tag["ResourceId"] for tag in tags}:
            group = _find(self, name)
            keys = {tag["Key"] for tag in group.tags}
            keys |= {tag["Key"] for tag in tags if tag["ResourceId"] == name}
            if len(keys) > TAGS_PER_GROUP:
                raise LimitExceededError(
                    f"The number of tags on {name} would exceed the limit of {TAGS_PER_GROUP}"
                )
        for tag in tags:
            if tag["Key"].startswith("aws:"):
                raise ValidationError("Tag keys that begin with aws: are reserved for AWS")
            tag.setdefault("Value", "")
        create(self, tags)

    def delete_tags(self, tags):
        for tag in tags:
            _find(self, tag["ResourceId"])
        delete(self, tags)

    def describe_tags(self: AutoScalingResponse) -> ActionResult:
        # AWS returns pages, moto everything at once.
        tags = self.autoscaling_backend.describe_tags(filters=self._get_param("Filters", []))
        first = int(self._get_param("NextToken") or 0)
        last = first + int(self._get_param("MaxRecords") or TAGS_PER_PAGE)
        token = str(last) if last < len(tags) else None
        return ActionResult({"Tags": tags[first:last], "NextToken": token})

    AutoScalingBackend.create_or_update_tags = create_or_update_tags
    AutoScalingBackend.delete_tags = delete_tags
    AutoScalingResponse.describe_tags = describe_tags


def _find(backend: AutoScalingBackend, name: str) -> FakeAutoScalingGroup:
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(
            f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
        )
    return group


def _correct_sizes() -> None:
    launch, set_desired = (
        FakeAutoScalingGroup.set_desired_capacity,
        AutoScalingBackend.set_desired_capacity,
    )

    def set_capacity_of_group(self, new_capacity):
        # Groups of node groups have a size but no instances, which would need an image.
        if any(tag["Key"] == "eks:nodegroup-name" for tag in self.tags):
            self.desired_capacity = self.min_size if new_capacity is None else new_capacity
        else:
            launch(self, new_capacity)

    def set_desired_capacity(self, group_name, desired_capacity):
        group, wanted = _find(self, group_name), int(desired_capacity)
        if wanted > group.max_size:
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is above max value {group.max_size} for "
                "the AutoScalingGroup."
            )
        if wanted < group.min_size:
            raise ValidationError(
                f"New SetDesiredCapacity value {wanted} is below min value {group.min_size} for "
                "the AutoScalingGroup."
            )
        set_desired(self, group_name, wanted)

    FakeAutoScalingGroup.set_desired_capacity = set_capacity_of_group
    AutoScalingBackend.set_desired_capacity = set_desired_capacity
