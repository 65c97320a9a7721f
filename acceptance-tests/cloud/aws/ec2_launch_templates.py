"""EC2 launch templates.

Unlike AWS, moto ignores the client token, finds versions by their position in a list, cannot delete
them, does not return pages, adds the tags of a template to its data as well, and always returns the
tags from its creation.
"""

import threading
from collections.abc import Callable
from copy import deepcopy
from functools import wraps

from moto.core.responses import ActionResult
from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidLaunchTemplateVersionNotFound,
    InvalidParameterValue,
    MissingParameter,
    MissingParameterError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateVersion
from moto.ec2.responses import EC2Response
from moto.ec2.utils import generic_filter

from . import ec2_launch_template_checks as checks

VERSIONS_PER_TEMPLATE = 10_000
PER_PAGE = 200
VERSIONS_PER_DELETION = 200

# Responses to requests with a client token, and the parameters of these requests.
_answers: dict[tuple[str, str, str, str], tuple[dict, dict]] = {}
# Concurrent requests must not use the same token, name or version number.
_lock = threading.RLock()


def install() -> None:
    _correct_versions()
    delete = EC2Backend.delete_launch_template

    def delete_launch_template(self, name, tid):
        template = delete(self, name, tid)
        self.tags.pop(template.id, None)
        return template

    EC2Backend.delete_launch_template = delete_launch_template
    for operation in (
        create_launch_template,
        create_launch_template_version,
        modify_launch_template,
        delete_launch_template_of_request,
        delete_launch_template_versions,
        describe_launch_templates,
        describe_launch_template_versions,
    ):
        name = operation.__name__.removesuffix("_of_request")
        setattr(EC2Response, name, operation)


def _correct_versions() -> None:
    def create_version(self, data, description):
        if len(self.versions) >= VERSIONS_PER_TEMPLATE:
            # The limit is documented; code and message are an assumption.
            raise EC2ClientError(
                "VersionLimitExceeded",
                f"The maximum number of versions of launch template {self.id} has been reached: "
                f"{VERSIONS_PER_TEMPLATE}.",
            )
        # EC2 does not use the number of a deleted version again.
        self.last_number += 1
        version = LaunchTemplateVersion(self, self.last_number, data, description)
        self.versions.append(version)
        return version

    def get_version(self, num):
        special = {"$latest": self.latest_version_number, "$default": self.default_version_number}
        wanted = str(special.get(str(num).lower(), num))
        for version in self.versions:
            if str(version.number) == wanted:
                return version
        raise InvalidLaunchTemplateVersionNotFound(template_id=self.id, version=num)

    LaunchTemplate.last_number = 0
    LaunchTemplate.create_version = create_version
    LaunchTemplate.get_version = get_version
    LaunchTemplate.default_version = lambda self: self.get_version(self.default_version_number)


def _once(operation: Callable[[EC2Response], dict]) -> Callable[[EC2Response], ActionResult]:
    """Makes an operation idempotent by the client token of the request.

    The first response is repeated even if the template was deleted since, which is an assumption.
    """

    @wraps(operation)
    def idempotent(self: EC2Response) -> ActionResult:
        token = self._get_param("ClientToken")
        asked = {
            name: deepcopy(value)
            for name, value in self.params.items()
            if name not in ("ClientToken", "DryRun")
        }
        place = (self.current_account, self.region, operation.__name__, token)
        with _lock:
            if token and place in _answers:
                self.error_on_dryrun()
                first, answer = _answers[place]
                if asked != first:
                    raise EC2ClientError(
                        "IdempotentParameterMismatch",
                        "The request uses the same client token as a previous, but non-identical "
                        "request.",
                    )
                return ActionResult(deepcopy(answer))
            answer = operation(self)
            if token:
                _answers[place] = (asked, deepcopy(answer))
        return ActionResult(answer)

    return idempotent


@_once
def create_launch_template(self: EC2Response) -> dict:
    name = self._get_param("LaunchTemplateName")
    checks.check_name(name)
    description, tags = checks.checked_description(self), checks.checked_tags(self)
    data = _data(self)
    self.error_on_dryrun()
    template = self.ec2_backend.create_launch_template(name, description, data, tags)
    return {"LaunchTemplate": _template(self, template)}


@_once
def create_launch_template_version(self: EC2Response) -> dict:
    template = checks.named(self)
    description, data = checks.checked_description(self), _data(self)
    if (source := self._get_param("SourceVersion")) is not None:
        # Parameters of the request replace those of the source version.
        data = {**deepcopy(template.get_version(source).data), **data}
    self.error_on_dryrun()
    return {"LaunchTemplateVersion": _version(self, template.create_version(data, description))}


def _data(self: EC2Response) -> dict:
    data = deepcopy(self._get_param("LaunchTemplateData", {}))
    if data.get("UserData") is not None:
        data["UserData"] = checks.checked_user_data(data["UserData"])
    return data


def modify_launch_template(self: EC2Response) -> ActionResult:
    template, number = checks.named(self), self._get_param("DefaultVersion")
    if number not in [str(version.number) for version in template.versions]:
        raise InvalidLaunchTemplateVersionNotFound(template_id=template.id, version=number)
    self.error_on_dryrun()
    template.default_version_number = int(number)
    return ActionResult({"LaunchTemplate": _template(self, template)})


def delete_launch_template_of_request(self: EC2Response) -> ActionResult:
    template = checks.named(self)
    self.error_on_dryrun()
    shown = _template(self, template)
    self.ec2_backend.delete_launch_template(None, template.id)
    return ActionResult({"LaunchTemplate": shown})


def delete_launch_template_versions(self: EC2Response) -> ActionResult:
    numbers = self._get_param("Versions", [])
    if not numbers:
        raise MissingParameterError("LaunchTemplateVersion")
    if len(numbers) > VERSIONS_PER_DELETION:
        raise InvalidParameterValue(
            f"At most {VERSIONS_PER_DELETION} launch template versions can be deleted at once."
        )
    for number in numbers:
        if not number.isdecimal():
            raise InvalidParameterValue(f"Launch template version {number} is not a number.")
    self.error_on_dryrun()
    deleted, kept = [], []
    with _lock:
        for number in numbers:
            item, error = _delete_version(self, number)
            if error is None:
                deleted.append(item)
            else:
                kept.append({**item, "ResponseError": error})
    return ActionResult(
        {
            "SuccessfullyDeletedLaunchTemplateVersions": deleted,
            "UnsuccessfullyDeletedLaunchTemplateVersions": kept,
        }
    )


# DeleteLaunchTemplateVersions returns errors of the template for each version, with these codes.
_CODES_PER_VERSION = {
    "InvalidLaunchTemplateId.Malformed": "launchTemplateIdMalformed",
    "InvalidLaunchTemplateId.NotFound": "launchTemplateIdDoesNotExist",
    "InvalidLaunchTemplateName.NotFoundException": "launchTemplateNameDoesNotExist",
    "InvalidLaunchTemplateId.VersionNotFound": "launchTemplateVersionDoesNotExist",
}


def _delete_version(self: EC2Response, number: str) -> tuple[dict, dict | None]:
    """Deletes a version. Returns the item of the response, and the error if the version remains."""
    item = {
        "LaunchTemplateId": self._get_param("LaunchTemplateId"),
        "LaunchTemplateName": self._get_param("LaunchTemplateName"),
        "VersionNumber": int(number),
    }
    try:
        template = checks.named(self)
        item |= {"LaunchTemplateId": template.id, "LaunchTemplateName": template.name}
        version = template.get_version(int(number))
    except EC2ClientError as error:
        if error.code not in _CODES_PER_VERSION:
            raise
        return item, {"Code": _CODES_PER_VERSION[error.code], "Message": error.message}
    if template.is_default(version):
        # The error is documented, the code is an assumption.
        message = "The default version of a launch template cannot be deleted."
        return item, {"Code": "unexpectedError", "Message": message}
    template.versions.remove(version)
    return item, None


def describe_launch_templates(self: EC2Response) -> ActionResult:
    templates = generic_filter(self._filters_from_querystring(), checks.listed(self))
    page, token = _page(self, templates)
    self.error_on_dryrun()
    shown = [_template(self, template) for template in page]
    return ActionResult({"LaunchTemplates": shown, "NextToken": token})


def describe_launch_template_versions(self: EC2Response) -> ActionResult:
    if self._filters_from_querystring():
        self.ec2_backend.raise_not_implemented_error("filters of DescribeLaunchTemplateVersions")
    page, token = _page(self, _asked_for(self))
    self.error_on_dryrun()
    shown = [_version(self, version) for version in page]
    return ActionResult({"LaunchTemplateVersions": shown, "NextToken": token})


def _asked_for(self: EC2Response) -> list[LaunchTemplateVersion]:
    wanted = self._get_param("Versions", [])
    if not (self._get_param("LaunchTemplateId") or self._get_param("LaunchTemplateName")):
        if not wanted:
            raise MissingParameter("The request must name a launch template, $Latest or $Default.")
        if not set(wanted) <= {"$Latest", "$Default"}:
            raise InvalidParameterValue(
                "Without a launch template the versions can only be $Latest and $Default."
            )
        templates = self.ec2_backend.launch_templates.values()
        return [template.get_version(which) for template in templates for which in wanted]
    template = checks.named(self)
    if wanted:
        return [template.get_version(number) for number in wanted]
    first, last = self._get_int_param("MinVersion"), self._get_int_param("MaxVersion")
    # The newest version is first.
    return [
        version
        for version in reversed(template.versions)
        if (first is None or first <= version.number) and (last is None or version.number <= last)
    ]


def _page(self: EC2Response, everything: list) -> tuple[list, str | None]:
    size = self._get_int_param("MaxResults", PER_PAGE)
    if not 1 <= size <= PER_PAGE:
        raise InvalidParameterValue(
            f"Value ({size}) for parameter maxResults is invalid: between 1 and {PER_PAGE}, please."
        )
    first = int(self._get_param("NextToken") or 0)
    last = first + size
    return everything[first:last], (str(last) if last < len(everything) else None)


def _template(self: EC2Response, template: LaunchTemplate) -> dict:
    return {
        "CreateTime": template.create_time,
        "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
        "DefaultVersionNumber": template.default_version_number,
        "LatestVersionNumber": template.latest_version_number,
        "LaunchTemplateId": template.id,
        "LaunchTemplateName": template.name,
        "Tags": template.get_tags(),
    }


def _version(self: EC2Response, version: LaunchTemplateVersion) -> dict:
    return {
        "CreateTime": version.create_time,
        "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
        "DefaultVersion": version.template.is_default(version),
        "LaunchTemplateData": version.data,
        "LaunchTemplateId": version.template.id,
        "LaunchTemplateName": version.template.name,
        "VersionDescription": version.description,
        "VersionNumber": version.number,
    }
