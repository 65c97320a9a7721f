"""Keys that work, and the words for those that do not."""

from .local_aws import AwsTest

WRONG = "wrong/wrong/wrong/wrong/wrong/wrong/wrong"


class Keys(AwsTest):
    def whoami(self, key: dict) -> str:
        return self.client("sts", key).get_caller_identity()["Arn"]

    def refusal(self, key: dict, service: str = "sts", call: str = "get_caller_identity") -> str:
        return self.refused(getattr(self.client(service, key), call))[0]

    def test_a_users_key_until_it_is_inactive_or_deleted(self):
        iam = self.client("iam")
        iam.create_user(UserName="cache")
        key = iam.create_access_key(UserName="cache")["AccessKey"]
        self.assertEqual(self.whoami(key), f"arn:aws:iam::{self.account}:user/cache")
        of_key = {"UserName": "cache", "AccessKeyId": key["AccessKeyId"]}
        iam.update_access_key(**of_key, Status="Inactive")
        self.assertEqual(self.refusal(key), "InvalidClientTokenId")
        iam.update_access_key(**of_key, Status="Active")
        self.whoami(key)
        self.assertEqual(self.refused(iam.delete_user, UserName="cache")[0], "DeleteConflict")
        iam.delete_access_key(**of_key)
        self.assertEqual(self.refusal(key), "InvalidClientTokenId")
        iam.delete_user(UserName="cache")
        self.assertEqual(self.get("leftovers"), {})

    def test_a_wrong_secret_in_each_services_words(self):
        key = {"AccessKeyId": self.furnished["access_key_id"], "SecretAccessKey": WRONG}
        for service, call, code in (
            ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
            ("eks", "list_clusters", "InvalidSignatureException"),
            ("s3", "list_buckets", "SignatureDoesNotMatch"),
            ("ec2", "describe_vpcs", "AuthFailure"),
        ):
            with self.subTest(service):
                self.assertEqual(self.refusal(key, service, call), code)

    def test_an_unknown_key_in_each_services_words(self):
        key = {"AccessKeyId": "AKIA0000000000000000", "SecretAccessKey": WRONG}
        for service, call, code in (
            ("sts", "get_caller_identity", "InvalidClientTokenId"),
            ("eks", "list_clusters", "UnrecognizedClientException"),
            ("s3", "list_buckets", "InvalidAccessKeyId"),
            ("ec2", "describe_vpcs", "AuthFailure"),
        ):
            with self.subTest(service):
                self.assertEqual(self.refusal(key, service, call), code)

    def test_anybody_may_assume_a_role_which_needs_its_session_token(self):
        sts = self.client("sts", {"AccessKeyId": "AKIA0000000000000000", "SecretAccessKey": WRONG})
        role = f"arn:aws:iam::{self.account}:role/tester"
        key = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        self.assertEqual(self.whoami(key), f"arn:aws:sts::{self.account}:assumed-role/tester/test")
        del key["SessionToken"]
        self.assertEqual(self.refusal(key), "InvalidClientTokenId")

    def test_paths_and_queries_that_need_encoding_are_signed_right(self):
        s3 = self.client("s3")
        s3.create_bucket(
            Bucket=f"odd-{self.account}",
            CreateBucketConfiguration={"LocationConstraint": "af-south-1"},
        )
        for key in ("a b", "a+b", "a%20b", "ü/&=?#~", "//x", "."):
            with self.subTest(key):
                s3.put_object(Bucket=f"odd-{self.account}", Key=key, Body=b"1")
                s3.list_objects_v2(Bucket=f"odd-{self.account}", Prefix=key)
        eks = self.client("eks")
        eks.list_tags_for_resource(resourceArn=self.furnished["cluster_arn"])
