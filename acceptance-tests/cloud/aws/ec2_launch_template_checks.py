"""Checks of EC2 for launch templates that moto does not have."""

import base64
import re

from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidLaunchTemplateIdNotFound,
    InvalidLaunchTemplateNameNotFoundError,
    InvalidLaunchTemplateNameNotFoundWithNameError,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameterError,
)
from moto.ec2.models import EC2Backend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.responses import EC2Response
from moto.ec2.utils import parse_user_data

NAME = re.compile(r"[a-zA-Z0-9().\-/_]{3,128}")
ID = re.compile(r"lt-([0-9a-f]{8}|[0-9a-f]{17})")
LONGEST_DESCRIPTION = 255
BYTES_OF_USER_DATA = 16384


def check_name(name: str | None) -> None:
    """Checks the name of a new template."""
    if name is None:
        raise MissingParameterError("LaunchTemplateName")
    if not NAME.fullmatch(name):
        raise EC2ClientError(
            "InvalidLaunchTemplateName.MalformedException",
            "The launch template name is invalid. A launch template name must be between 3 and 128 "
            "characters, and may contain letters, numbers, and the following characters: "
            "'-', '_', '.', '/', '(', and ')'.",
        )


def by_id(backend: EC2Backend, template_id: str) -> LaunchTemplate:
    if not ID.fullmatch(template_id):
        raise EC2ClientError(
            "InvalidLaunchTemplateId.Malformed", f'Invalid id: "{template_id}" (expecting "lt-...")'
        )
    if template_id not in backend.launch_templates:
        raise InvalidLaunchTemplateIdNotFound(template_id)
    return backend.launch_templates[template_id]


def by_name(backend: EC2Backend, name: str) -> LaunchTemplate:
    if name not in backend.launch_template_name_to_ids:
        raise InvalidLaunchTemplateNameNotFoundWithNameError(name)
    return backend.launch_templates[backend.launch_template_name_to_ids[name]]


def named(response: EC2Response) -> LaunchTemplate:
    """Returns the template that the request selects by ID or by name."""
    template_id = response._get_param("LaunchTemplateId")
    name = response._get_param("LaunchTemplateName")
    if template_id and name:
        raise InvalidParameterCombination(
            "Either provide launch template ID or launch template name, but not both."
        )
    if not (template_id or name):
        raise MissingParameterError("launch template ID or launch template name")
    backend = response.ec2_backend
    return by_id(backend, template_id) if template_id else by_name(backend, name)


def listed(response: EC2Response) -> list[LaunchTemplate]:
    """Returns the templates that DescribeLaunchTemplates selects, by default all."""
    backend = response.ec2_backend
    ids = response._get_param("LaunchTemplateIds", [])
    names = response._get_param("LaunchTemplateNames", [])
    # A template that does not exist is an error. moto omits it if it is selected by ID.
    if any(name not in backend.launch_template_name_to_ids for name in names):
        raise InvalidLaunchTemplateNameNotFoundError()
    if not (ids or names):
        return list(backend.launch_templates.values())
    return [by_id(backend, id) for id in ids] + [by_name(backend, name) for name in names]


def checked_description(response: EC2Response) -> str | None:
    description = response._get_param("VersionDescription")
    if description is not None and len(description) > LONGEST_DESCRIPTION:
        # The limit is documented, the code is an assumption.
        raise InvalidParameterValue(
            f"The version description must be at most {LONGEST_DESCRIPTION} characters long."
        )
    return description


def checked_user_data(encoded: str):
    """Returns user data in the form of moto's models. Errors: InvalidUserData.Malformed, if it is not base64."""
    parsed = parse_user_data(encoded)
    if len(base64.b64decode(str(parsed))) > BYTES_OF_USER_DATA:
        raise InvalidParameterValue(f"User data is limited to {BYTES_OF_USER_DATA} bytes")
    return parsed


def checked_tags(response: EC2Response) -> dict[str, dict[str, str]]:
    """Returns the tags of a new template. Tags of instances are in the data of the template."""
    tags = response._parse_tag_specification()
    for kind in tags:
        if kind != "launch-template":
            raise InvalidParameterValue(
                f"'{kind}' is not a valid taggable resource type for this operation."
            )
    return tags
