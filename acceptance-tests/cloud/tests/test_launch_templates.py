"""Launch templates behave as documented for EC2."""

import base64
from unittest import mock

import botocore.exceptions

from cloud.aws import ec2_launch_templates

from .local_aws import AwsTest

UNKNOWN = "lt-00000000000000000"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class TemplateTest(AwsTest):
    def setUp(self):
        super().setUp()
        self.ec2 = self.client("ec2")

    def create(self, name: str = "builds", data: dict | None = None, **more) -> dict:
        data = data or {"KeyName": "one"}
        answer = self.ec2.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData=data, **more
        )
        return answer["LaunchTemplate"]

    def add(self, name: str = "builds", data: dict | None = None, **more) -> int:
        """Creates a version. Returns its number."""
        answer = self.ec2.create_launch_template_version(
            LaunchTemplateName=name, LaunchTemplateData=data or {"KeyName": "more"}, **more
        )
        return answer["LaunchTemplateVersion"]["VersionNumber"]

    def versions(self, name: str = "builds", **more) -> list[int]:
        answer = self.ec2.describe_launch_template_versions(LaunchTemplateName=name, **more)
        return [version["VersionNumber"] for version in answer["LaunchTemplateVersions"]]

    def data(self, version: str, name: str = "builds") -> dict:
        answer = self.ec2.describe_launch_template_versions(
            LaunchTemplateName=name, Versions=[version]
        )
        return answer["LaunchTemplateVersions"][0]["LaunchTemplateData"]

    def only(self) -> dict:
        """Returns the only template of the account."""
        (template,) = self.ec2.describe_launch_templates()["LaunchTemplates"]
        return template


class Tokens(TemplateTest):
    def test_the_same_token_is_the_same_create(self):
        first = self.create(ClientToken="one")
        self.assertEqual(self.create(ClientToken="one"), first)
        self.assertEqual(self.only()["LaunchTemplateId"], first["LaunchTemplateId"])
        code = "IdempotentParameterMismatch"
        self.assertEqual(self.refused(self.create, name="other", ClientToken="one")[0], code)
        data = {"KeyName": "two"}
        self.assertEqual(self.refused(self.create, data=data, ClientToken="one")[0], code)
        code = "InvalidLaunchTemplateName.AlreadyExistsException"
        self.assertEqual(self.refused(self.create, ClientToken="two")[0], code)

    def test_the_same_token_is_the_same_version(self):
        self.create(ClientToken="one")
        # A client token is valid for one operation.
        self.assertEqual(self.add(ClientToken="one"), 2)
        self.assertEqual(self.add(ClientToken="one"), 2)
        self.assertEqual(self.add(ClientToken="two"), 3)
        code, _ = self.refused(self.add, data={"KeyName": "x"}, ClientToken="one")
        self.assertEqual(code, "IdempotentParameterMismatch")
        self.assertEqual(self.versions(), [3, 2, 1])

    def test_refused_request_does_not_use_its_token(self):
        self.refused(self.create, name="no", ClientToken="one")
        self.create(ClientToken="one")

    def test_request_with_a_dropped_response_is_idempotent(self):
        rule = {"account": self.account, "kind": "drop_after", "service": "ec2"}
        self.post("faults", {**rule, "action": "CreateLaunchTemplate"})
        with self.assertRaises(botocore.exceptions.HTTPClientError):
            self.create(ClientToken="one")
        self.assertEqual(
            self.create(ClientToken="one")["LaunchTemplateId"], self.only()["LaunchTemplateId"]
        )
        self.post("faults", {**rule, "action": "CreateLaunchTemplateVersion"})
        with self.assertRaises(botocore.exceptions.HTTPClientError):
            self.add(ClientToken="one")
        self.assertEqual(self.add(ClientToken="one"), 2)
        self.assertEqual(self.versions(), [2, 1])


class Names(TemplateTest):
    def test_names_of_new_templates(self):
        for name in ("ab", "a" * 129, "a b", "ä" * 3, "abc\n"):
            code, _ = self.refused(self.create, name=name)
            self.assertEqual(code, "InvalidLaunchTemplateName.MalformedException", name)
        for name in ("abc", "a" * 128, "A0().-/_"):
            self.create(name)

    def test_missing_template(self):
        ec2 = self.ec2
        calls = {
            ec2.describe_launch_template_versions: {},
            ec2.create_launch_template_version: {"LaunchTemplateData": {"KeyName": "x"}},
            ec2.modify_launch_template: {"DefaultVersion": "1"},
            ec2.delete_launch_template: {},
        }
        for call, arguments in calls.items():
            with self.subTest(call.__name__):
                code, message = self.refused(call, LaunchTemplateName="none", **arguments)
                self.assertEqual(code, "InvalidLaunchTemplateName.NotFoundException")
                self.assertIn("with template name none, does not exist", message)
                code, message = self.refused(call, LaunchTemplateId=UNKNOWN, **arguments)
                self.assertEqual(code, "InvalidLaunchTemplateId.NotFound")
                self.assertIn(f"with template ID {UNKNOWN}, does not exist", message)
                code, _ = self.refused(call, LaunchTemplateId="lt-x", **arguments)
                self.assertEqual(code, "InvalidLaunchTemplateId.Malformed")
                both = {"LaunchTemplateId": UNKNOWN, "LaunchTemplateName": "none"}
                code, _ = self.refused(call, **both, **arguments)
                self.assertEqual(code, "InvalidParameterCombination")
                code, _ = self.refused(call, **arguments)
                self.assertEqual(code, "MissingParameter")

    def test_list_with_a_missing_template(self):
        made, look = self.create()["LaunchTemplateId"], self.ec2.describe_launch_templates
        code, _ = self.refused(look, LaunchTemplateNames=["builds", "none"])
        self.assertEqual(code, "InvalidLaunchTemplateName.NotFoundException")
        code, _ = self.refused(look, LaunchTemplateIds=[made, UNKNOWN])
        self.assertEqual(code, "InvalidLaunchTemplateId.NotFound")
        code, _ = self.refused(look, LaunchTemplateIds=["lt-x"])
        self.assertEqual(code, "InvalidLaunchTemplateId.Malformed")
        self.assertEqual(len(look(LaunchTemplateIds=[made])["LaunchTemplates"]), 1)

    def test_deleted_template_frees_its_name(self):
        first = self.create()["LaunchTemplateId"]
        self.ec2.delete_launch_template(LaunchTemplateName="builds")
        self.assertNotEqual(self.create()["LaunchTemplateId"], first)
        code, _ = self.refused(self.ec2.delete_launch_template, LaunchTemplateId=first)
        self.assertEqual(code, "InvalidLaunchTemplateId.NotFound")


class Versions(TemplateTest):
    def delete(self, *versions: str, **template) -> tuple[list[int], dict[int, str]]:
        """Deletes versions. Returns the numbers of those that were deleted, and the error codes of the others."""
        template = template or {"LaunchTemplateName": "builds"}
        answer = self.ec2.delete_launch_template_versions(Versions=list(versions), **template)
        gone = answer["SuccessfullyDeletedLaunchTemplateVersions"]
        kept = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
        return [item["VersionNumber"] for item in gone], {
            item["VersionNumber"]: item["ResponseError"]["Code"] for item in kept
        }

    def test_version_numbers_are_not_reused(self):
        self.create(data={"KeyName": "1"})
        for number in (2, 3, 4):
            self.assertEqual(self.add(data={"KeyName": str(number)}), number)
        gone, kept = self.delete("1", "2", "4", "9")
        self.assertEqual(gone, [2, 4])
        self.assertEqual(kept, {1: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"})
        self.assertEqual(self.versions(), [3, 1])
        self.assertEqual(self.data("3")["KeyName"], "3")
        self.assertEqual(self.data("$Latest")["KeyName"], "3")
        self.assertEqual(self.only()["LatestVersionNumber"], 3)
        self.assertEqual(self.add(), 5)
        self.assertEqual(self.versions(MinVersion="2", MaxVersion="3"), [3])
        self.assertEqual(self.versions(Versions=["1", "5"]), [1, 5])
        for number in ("2", "4", "6", "0", "-1", "x"):
            code, message = self.refused(self.data, version=number)
            self.assertEqual(code, "InvalidLaunchTemplateId.VersionNotFound")
            self.assertIn(f"Could not find the specified version {number} for the launch", message)

    def test_the_default_version(self):
        self.create(data={"KeyName": "1"})
        self.add(data={"KeyName": "2"})
        modify = self.ec2.modify_launch_template
        changed = modify(LaunchTemplateName="builds", DefaultVersion="2")["LaunchTemplate"]
        self.assertEqual(changed["DefaultVersionNumber"], 2)
        self.assertEqual(self.delete("2", "1"), ([1], {2: "unexpectedError"}))
        self.assertEqual(self.data("$Default")["KeyName"], "2")
        code, _ = self.refused(modify, LaunchTemplateName="builds", DefaultVersion="1")
        self.assertEqual(code, "InvalidLaunchTemplateId.VersionNotFound")

    def test_delete_versions_of_a_missing_template(self):
        for template, code in (
            ({"LaunchTemplateId": UNKNOWN}, "launchTemplateIdDoesNotExist"),
            ({"LaunchTemplateId": "lt-x"}, "launchTemplateIdMalformed"),
            ({"LaunchTemplateName": "none"}, "launchTemplateNameDoesNotExist"),
        ):
            self.assertEqual(self.delete("1", **template), ([], {1: code}))

    def test_delete_none_and_too_many_versions(self):
        self.create()
        self.assertEqual(self.refused(self.delete)[0], "MissingParameter")
        numbers = [str(number) for number in range(2, 203)]
        with self.assertRaisesRegex(botocore.exceptions.ClientError, "InvalidParameterValue"):
            self.delete(*numbers)
        self.assertEqual(len(self.delete(*numbers[:200])[1]), 200)
        with self.assertRaisesRegex(botocore.exceptions.ClientError, "InvalidParameterValue"):
            self.delete("$Latest")

    def test_limit_of_versions(self):
        self.create()
        with mock.patch.object(ec2_launch_templates, "VERSIONS_PER_TEMPLATE", 2):
            self.add()
            self.assertEqual(self.refused(self.add)[0], "VersionLimitExceeded")
            self.delete("2")
            self.assertEqual(self.add(), 3)

    def test_version_from_a_source_version(self):
        self.create(data={"KeyName": "one", "InstanceType": "c5.large"})
        self.add(data={"KeyName": "two"}, SourceVersion="1")
        self.assertEqual(self.data("2"), {"KeyName": "two", "InstanceType": "c5.large"})
        code, _ = self.refused(self.add, SourceVersion="7")
        self.assertEqual(code, "InvalidLaunchTemplateId.VersionNotFound")

    def test_versions_of_every_template(self):
        for name in ("builds", "deploys"):
            self.create(name)
            self.add(name)
        look = self.ec2.describe_launch_template_versions
        found = look(Versions=["$Latest", "$Default"])["LaunchTemplateVersions"]
        self.assertEqual(sorted(version["VersionNumber"] for version in found), [1, 1, 2, 2])
        self.assertEqual(self.refused(look, Versions=["1"])[0], "InvalidParameterValue")


class Pages(TemplateTest):
    def test_pages_of_versions(self):
        self.create()
        for _ in range(204):
            self.add()
        first = self.ec2.describe_launch_template_versions(LaunchTemplateName="builds")
        self.assertEqual(len(first["LaunchTemplateVersions"]), 200)
        pages = self.ec2.get_paginator("describe_launch_template_versions").paginate(
            LaunchTemplateName="builds", PaginationConfig={"PageSize": 100}
        )
        pages = [[v["VersionNumber"] for v in page["LaunchTemplateVersions"]] for page in pages]
        self.assertEqual([len(page) for page in pages], [100, 100, 5])
        self.assertEqual([number for page in pages for number in page], list(range(205, 0, -1)))

    def test_pages_of_templates(self):
        for number in range(5):
            self.create(f"builds-{number}")
        pages = self.ec2.get_paginator("describe_launch_templates").paginate(
            PaginationConfig={"PageSize": 2}
        )
        names = [[t["LaunchTemplateName"] for t in page["LaunchTemplates"]] for page in pages]
        self.assertEqual([len(page) for page in names], [2, 2, 1])
        self.assertEqual(sum(names, []), [f"builds-{number}" for number in range(5)])
        for size in (0, 201):
            code, _ = self.refused(self.ec2.describe_launch_templates, MaxResults=size)
            self.assertEqual(code, "InvalidParameterValue")


class Contents(TemplateTest):
    def test_user_data(self):
        longest = encoded("x" * 16384)
        self.create(data={"UserData": longest})
        self.assertEqual(self.data("1"), {"UserData": longest})
        for make in (self.create, self.add):
            code, _ = self.refused(make, data={"UserData": "#!/bin/sh"})
            self.assertEqual(code, "InvalidUserData.Malformed")
            code, message = self.refused(make, data={"UserData": encoded("x" * 16385)})
            self.assertEqual(code, "InvalidParameterValue")
            self.assertEqual(message, "User data is limited to 16384 bytes")
        self.add(data={"UserData": longest})
        self.assertEqual(self.data("2"), {"UserData": longest})

    def test_descriptions(self):
        self.create(VersionDescription="x" * 255)
        for make in (self.create, self.add):
            code, _ = self.refused(make, VersionDescription="x" * 256)
            self.assertEqual(code, "InvalidParameterValue")
        self.assertEqual(self.only()["LatestVersionNumber"], 1)

    def test_tags(self):
        tags = [{"Key": "team", "Value": "builds"}]
        of_instances = [{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}]
        own = [{"ResourceType": "launch-template", "Tags": tags}]
        data = {"TagSpecifications": of_instances}
        template = self.create(data=data, TagSpecifications=own)
        self.assertEqual(template["Tags"], tags)
        self.assertEqual(self.data("1"), data)
        code, _ = self.refused(self.create, name="other", TagSpecifications=of_instances)
        self.assertEqual(code, "InvalidParameterValue")

        ids = [template["LaunchTemplateId"]]
        self.ec2.create_tags(Resources=ids, Tags=[{"Key": "cost", "Value": "1"}])
        self.ec2.delete_tags(Resources=ids, Tags=[{"Key": "team"}])
        self.assertEqual(self.only()["Tags"], [{"Key": "cost", "Value": "1"}])
        filters = [{"Name": "tag:cost", "Values": ["1"]}]
        look = self.ec2.describe_launch_templates
        self.assertEqual(len(look(Filters=filters)["LaunchTemplates"]), 1)
        filters = [{"Name": "tag:team", "Values": ["builds"]}]
        self.assertEqual(look(Filters=filters)["LaunchTemplates"], [])

        self.ec2.delete_launch_template(LaunchTemplateName="builds")
        filters = [{"Name": "resource-id", "Values": ids}]
        self.assertEqual(self.ec2.describe_tags(Filters=filters)["Tags"], [])
        code, _ = self.refused(self.ec2.create_tags, Resources=ids, Tags=tags)
        self.assertEqual(code, "InvalidLaunchTemplateId.NotFound")
