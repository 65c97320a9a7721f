"""Defaults of buckets since 2023, and requests that S3 rejects."""

import json
from urllib.parse import unquote_plus

from .local_aws import AwsTest


class Buckets(AwsTest):
    def setUp(self):
        super().setUp()
        self.s3 = self.client("s3")
        self.bucket = f"cache-{self.account}"

    def create(self, client=None, bucket: str | None = None, **configuration):
        (client or self.s3).create_bucket(
            Bucket=bucket or self.bucket,
            CreateBucketConfiguration={"LocationConstraint": "af-south-1", **configuration},
        )

    def put_policy(self, *statements: dict) -> None:
        policy = {"Version": "2012-10-17", "Statement": statements}
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def statement(self, effect: str, principal, **more) -> dict:
        return {
            "Effect": effect,
            "Principal": principal,
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"],
            **more,
        }

    def test_new_bucket_is_private_and_encrypted(self):
        self.create(Tags=[{"Key": "team", "Value": "ci"}])
        block = self.s3.get_public_access_block(Bucket=self.bucket)
        self.assertEqual(set(block["PublicAccessBlockConfiguration"].values()), {True})
        ownership = self.s3.get_bucket_ownership_controls(Bucket=self.bucket)
        rules = ownership["OwnershipControls"]["Rules"]
        self.assertEqual(rules, [{"ObjectOwnership": "BucketOwnerEnforced"}])
        self.s3.delete_bucket_encryption(Bucket=self.bucket)
        encryption = self.s3.get_bucket_encryption(Bucket=self.bucket)
        rule = encryption["ServerSideEncryptionConfiguration"]["Rules"][0]
        self.assertEqual(rule["BlockedEncryptionTypes"], {"EncryptionType": ["SSE-C"]})
        self.assertEqual(rule["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
        tags = self.s3.get_bucket_tagging(Bucket=self.bucket)["TagSet"]
        self.assertEqual(tags, [{"Key": "team", "Value": "ci"}])

    def test_names(self):
        for name in ("Bad_Name", "a..b", "192.168.0.1", "-a-"):
            with self.subTest(name):
                self.assertEqual(self.refused(self.create, bucket=name)[0], "InvalidBucketName")

    def test_bucket_of_another_account(self):
        self.create()
        self.assertEqual(self.refused(self.create)[0], "BucketAlreadyOwnedByYou")
        other = self.client("sts").assume_role(
            RoleArn="arn:aws:iam::199999999999:role/x", RoleSessionName="test"
        )
        s3 = self.client("s3", other["Credentials"])
        self.assertEqual(self.refused(s3.head_bucket, Bucket=self.bucket)[0], "403")
        self.assertEqual(self.refused(s3.delete_bucket, Bucket=self.bucket)[0], "AccessDenied")
        self.assertEqual(self.refused(self.create, client=s3)[0], "BucketAlreadyExists")
        expected = {"Bucket": self.bucket, "ExpectedBucketOwner": "199999999999"}
        self.assertEqual(self.refused(self.s3.get_bucket_policy, **expected)[0], "AccessDenied")
        self.assertEqual(self.refused(self.s3.head_bucket, Bucket="no-such-bucket")[0], "404")

    def test_policies(self):
        self.create()
        with self.assertRaisesRegex(Exception, "MalformedPolicy.*valid JSON"):
            self.s3.put_bucket_policy(Bucket=self.bucket, Policy="nonsense")
        nobody = {"AWS": f"arn:aws:iam::{self.account}:user/nobody"}
        with self.assertRaisesRegex(Exception, "MalformedPolicy.*Invalid principal"):
            self.put_policy(self.statement("Allow", nobody))
        with self.assertRaisesRegex(Exception, "MalformedPolicy.*invalid resource"):
            self.put_policy(self.statement("Deny", "*", Resource="arn:aws:s3:::other"))
        with self.assertRaisesRegex(Exception, "AccessDenied"):
            self.put_policy(self.statement("Allow", "*"))
        self.put_policy(self.statement("Allow", {"AWS": f"arn:aws:iam::{self.account}:root"}))

    def test_policy_against_plain_http_denies_nothing_else(self):
        self.create()
        insecure = {"Bool": {"aws:SecureTransport": "false"}}
        self.put_policy(self.statement("Deny", "*", Condition=insecure))
        self.s3.put_object(Bucket=self.bucket, Key="project/1", Body=b"1")
        self.s3.put_object(Bucket=self.bucket, Key="project/1", Body=b"2")
        self.s3.delete_object(Bucket=self.bucket, Key="project/1")

    def test_lifecycle_rules(self):
        self.create()
        rule = {"Status": "Enabled", "Filter": {"Prefix": "project/"}, "Expiration": {"Days": 60}}

        def put(rule: dict) -> None:
            self.s3.put_bucket_lifecycle_configuration(
                Bucket=self.bucket, LifecycleConfiguration={"Rules": [rule]}
            )

        code, _ = self.refused(put, rule={**rule, "Expiration": {"Days": 0}})
        self.assertEqual(code, "InvalidArgument")
        put(rule)
        shown = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"][0]
        self.assertTrue(shown.pop("ID"))
        self.assertEqual(shown, rule)
        old = {"ID": "old", "Status": "Enabled", "Prefix": "logs/", "Expiration": {"Days": 1}}
        put(old)
        shown = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"]
        self.assertEqual(shown, [old])
        both = {"Bucket": self.bucket, "LifecycleConfiguration": {"Rules": [old, rule]}}
        code, text = self.refused(self.s3.put_bucket_lifecycle_configuration, **both)
        self.assertEqual(code, "InvalidRequest")
        self.assertIn("Filter element can only be used in Lifecycle V2", text)

    def test_tags_of_a_bucket_with_abac(self):
        self.create()
        bucket = {"Bucket": self.bucket}
        self.assertEqual(self.s3.get_bucket_abac(**bucket)["AbacStatus"], {"Status": "Disabled"})
        tagging = {"TagSet": [{"Key": "a", "Value": "b"}]}
        self.s3.put_bucket_tagging(**bucket, Tagging=tagging)
        self.s3.put_bucket_abac(**bucket, AbacStatus={"Status": "Enabled"})
        self.assertEqual(self.s3.get_bucket_abac(**bucket)["AbacStatus"], {"Status": "Enabled"})
        put, delete = self.s3.put_bucket_tagging, self.s3.delete_bucket_tagging
        self.assertEqual(self.refused(put, **bucket, Tagging=tagging)[0], "InvalidRequest")
        self.assertEqual(self.refused(delete, **bucket)[0], "InvalidRequest")
        self.assertEqual(self.s3.get_bucket_tagging(**bucket)["TagSet"], tagging["TagSet"])
        self.s3.put_bucket_abac(**bucket, AbacStatus={"Status": "Disabled"})
        self.s3.delete_bucket_tagging(**bucket)

    def test_region_of_a_bucket_is_public(self):
        self.create()
        other = self.client("sts").assume_role(
            RoleArn="arn:aws:iam::199999999999:role/x", RoleSessionName="test"
        )
        answers = []
        s3 = self.client("s3", other["Credentials"])
        s3.meta.events.register(
            "after-call.s3", lambda http_response, **_: answers.append(http_response.headers)
        )
        for bucket, region in ((self.bucket, "af-south-1"), ("no-such-bucket", None)):
            self.refused(s3.head_bucket, Bucket=bucket)
            self.assertEqual(answers.pop().get("x-amz-bucket-region"), region)

    def test_wrong_checksum_is_refused(self):
        self.create()
        rule = {"ID": "a", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}

        def put(request, **_):
            request.headers["Content-MD5"] = "1B2M2Y8AsgTpgAmY7PhCfg=="

        self.s3.meta.events.register("before-sign.s3", put)
        rules = {"Bucket": self.bucket, "LifecycleConfiguration": {"Rules": [rule]}}
        code, _ = self.refused(self.s3.put_bucket_lifecycle_configuration, **rules)
        self.assertEqual(code, "BadDigest")

    def test_delete_objects_is_limited(self):
        self.create()
        keys = ["a b", "a+b", "&<>", "ü", *map(str, range(996))]
        for key in keys[:4]:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"1")
        self.assertEqual(
            self.refused(self.s3.delete_bucket, Bucket=self.bucket)[0], "BucketNotEmpty"
        )

        def delete(keys: list[str]):
            objects = [{"Key": key} for key in keys]
            return self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": objects})

        self.assertEqual(self.refused(delete, keys=[*keys, "more"])[0], "MalformedXML")
        self.assertEqual(self.refused(delete, keys=["\x01"])[0], "MalformedXML")
        delete(keys)
        self.s3.delete_bucket(Bucket=self.bucket)
        self.assertEqual(self.get("leftovers"), {})

    def test_unusual_keys_are_listed(self):
        self.create()
        self.s3.put_bucket_versioning(
            Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        keys = ["\x01", "a b", "a&b", "a+b", "dir/<ü>"]
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"1")
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        bodies = []
        events = self.s3.meta.events
        events.register(
            "before-parse.s3", lambda response_dict, **_: bodies.append(response_dict["body"])
        )
        listing = {"Bucket": self.bucket, "EncodingType": "url"}
        found = self.s3.list_object_versions(**listing, MaxKeys=3)
        for encoded in (b"<Key>%01</Key>", b"<Key>a+b</Key>", b"<EncodingType>url</EncodingType>"):
            self.assertIn(encoded, bodies[0])
        self.assertEqual(found["NextKeyMarker"], "a+b")
        rest = self.s3.list_object_versions(
            **listing, KeyMarker="a b", VersionIdMarker=found["NextVersionIdMarker"]
        )
        for encoded in (b"<Key>a%26b</Key>", b"<Key>a%2Bb</Key>", b"<Key>dir/%3C%C3%BC%3E</Key>"):
            self.assertIn(encoded, bodies[1])
        versions = found["Versions"] + rest["Versions"]
        markers = found["DeleteMarkers"] + rest["DeleteMarkers"]
        self.assertEqual([unquote_plus(version["Key"]) for version in versions], keys)
        self.assertEqual([unquote_plus(marker["Key"]) for marker in markers], keys)
        for key, entry in zip(keys + keys, versions + markers):
            self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=entry["VersionId"])
        self.s3.delete_bucket(Bucket=self.bucket)
        self.assertEqual(self.get("leftovers"), {})

    def test_responses_have_the_root_element_of_the_api(self):
        self.create()
        seen = []
        events = self.s3.meta.events
        events.register("after-call.s3", lambda http_response, **_: seen.append(http_response.content))
        self.s3.get_bucket_versioning(Bucket=self.bucket)
        self.s3.list_object_versions(Bucket=self.bucket)
        self.assertIn(b"<VersioningConfiguration ", seen[0])
        self.assertIn(b"<ListVersionsResult ", seen[1])
        self.assertIn(b"</ListVersionsResult>", seen[1])
