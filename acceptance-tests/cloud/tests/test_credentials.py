"""Valid access keys, errors for invalid ones, and permissions of users."""

import base64
import json
import re
import urllib.error
import urllib.request

from .local_aws import EC2_TRUST, AwsTest

WRONG = "wrong/wrong/wrong/wrong/wrong/wrong/wrong"


class RoleTags(AwsTest):
    def test_tag_keys_that_differ_only_in_case_are_one(self):
        iam = self.client("iam")
        self.make_role()

        def tags() -> list:
            return iam.list_role_tags(RoleName="node")["Tags"]

        iam.tag_role(RoleName="node", Tags=[{"Key": "Team", "Value": "a"}])
        iam.tag_role(RoleName="node", Tags=[{"Key": "team", "Value": "b"}])
        self.assertEqual(tags(), [{"Key": "team", "Value": "b"}])
        iam.untag_role(RoleName="node", TagKeys=["TEAM"])
        self.assertEqual(tags(), [])
        both = [{"Key": key, "Value": "a"} for key in ("Team", "team")]
        self.assertEqual(self.refused(iam.tag_role, RoleName="node", Tags=both)[0], "InvalidInput")

    def test_unknown_service_principal_is_refused(self):
        trust = EC2_TRUST.replace("ec2.amazonaws.com", "ec2.amazonaws.eu")
        iam = self.client("iam")
        arguments = {"RoleName": "node", "AssumeRolePolicyDocument": trust}
        code, message = self.refused(iam.create_role, **arguments)
        self.assertEqual(code, "MalformedPolicyDocument")
        self.assertIn('"SERVICE":"ec2.amazonaws.eu"', message)


class Keys(AwsTest):
    def whoami(self, key: dict) -> str:
        return self.client("sts", key).get_caller_identity()["Arn"]

    def refusal(self, key: dict, service: str = "sts", call: str = "get_caller_identity") -> str:
        return self.refused(getattr(self.client(service, key), call))[0]

    def test_key_works_until_it_is_inactive_or_deleted(self):
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

    def test_deleted_objects_are_listed_for_some_time(self):
        iam = self.client("iam")
        iam.create_user(UserName="cache")
        of_user = {"UserName": "cache"}
        key = iam.create_access_key(**of_user)["AccessKey"]["AccessKeyId"]
        self.post("lag", {"account": self.account, "seconds": 60})
        iam.delete_access_key(**of_user, AccessKeyId=key)
        listed = iam.list_access_keys(**of_user)["AccessKeyMetadata"]
        self.assertEqual([found["AccessKeyId"] for found in listed], [key])
        self.assertEqual(self.refused(iam.delete_user, **of_user)[0], "DeleteConflict")
        # It does not count towards the limit of two keys for each user.
        for _ in range(2):
            iam.create_access_key(**of_user)

    def test_tag_keys_ignore_case(self):
        iam = self.client("iam")

        def tag(key: str) -> dict:
            return {"Key": key, "Value": key}

        both = {"UserName": "cache", "Tags": [tag("Team"), tag("team")]}
        self.assertEqual(self.refused(iam.create_user, **both)[0], "InvalidInput")
        iam.create_user(UserName="cache", Tags=[tag("Team"), tag("cost")])
        self.make_role()
        iam.tag_role(RoleName="node", Tags=[tag("Team"), tag("cost")])
        for kind, name in (("user", {"UserName": "cache"}), ("role", {"RoleName": "node"})):
            with self.subTest(kind):
                getattr(iam, f"tag_{kind}")(**name, Tags=[tag("team")])
                found = getattr(iam, f"list_{kind}_tags")(**name)["Tags"]
                self.assertEqual(sorted(tag["Key"] for tag in found), ["cost", "team"])
                getattr(iam, f"untag_{kind}")(**name, TagKeys=["TEAM"])
                found = getattr(iam, f"list_{kind}_tags")(**name)["Tags"]
                self.assertEqual([tag["Key"] for tag in found], ["cost"])

    def test_wrong_secret_in_the_format_of_each_service(self):
        key = {"AccessKeyId": self.furnished["access_key_id"], "SecretAccessKey": WRONG}
        for service, call, code in (
            ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
            ("eks", "list_clusters", "InvalidSignatureException"),
            ("s3", "list_buckets", "SignatureDoesNotMatch"),
            ("ec2", "describe_vpcs", "AuthFailure"),
        ):
            with self.subTest(service):
                self.assertEqual(self.refusal(key, service, call), code)

    def test_unknown_key_in_the_format_of_each_service(self):
        key = {"AccessKeyId": "AKIA0000000000000000", "SecretAccessKey": WRONG}
        for service, call, code in (
            ("sts", "get_caller_identity", "InvalidClientTokenId"),
            ("eks", "list_clusters", "UnrecognizedClientException"),
            ("s3", "list_buckets", "InvalidAccessKeyId"),
            ("ec2", "describe_vpcs", "AuthFailure"),
        ):
            with self.subTest(service):
                self.assertEqual(self.refusal(key, service, call), code)

    def test_assumed_role_needs_its_session_token(self):
        sts = self.client("sts", {"AccessKeyId": "AKIA0000000000000000", "SecretAccessKey": WRONG})
        role = f"arn:aws:iam::{self.account}:role/tester"
        key = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        self.assertEqual(self.whoami(key), f"arn:aws:sts::{self.account}:assumed-role/tester/test")
        del key["SessionToken"]
        self.assertEqual(self.refusal(key), "InvalidClientTokenId")

    def test_session_can_be_expired(self):
        sts = self.client("sts")
        role = f"arn:aws:iam::{self.account}:role/tester"
        key = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        self.whoami(key)
        self.assertEqual(self.post("expire", {"access_key_id": key["AccessKeyId"]}), {"ok": True})
        for service, call, code in (
            ("sts", "get_caller_identity", "ExpiredToken"),
            ("eks", "list_clusters", "ExpiredTokenException"),
        ):
            with self.subTest(service):
                self.assertEqual(self.refusal(key, service, call), code)

    def test_web_identity_is_logged_in_the_account_of_the_role(self):
        role = f"arn:aws:iam::{self.account}:role/run"
        sts = self.client("sts")
        sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="test", WebIdentityToken="header.payload.signature"
        )
        calls = self.get("log", service="sts", action="AssumeRoleWithWebIdentity")
        self.assertEqual([call["parameters"]["RoleArn"] for call in calls], [role])
        self.assertNotIn("header.payload.signature", str(calls))

    def test_encoded_paths_and_queries_are_signed(self):
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


class Users(AwsTest):
    def setUp(self):
        super().setUp()
        self.iam = self.client("iam")
        self.iam.create_user(UserName="cache")

    def test_boundaries(self):
        arn = f"arn:aws:iam::{self.account}:policy/boundary"
        bound = {"UserName": "cache", "PermissionsBoundary": arn}
        self.assertEqual(
            self.refused(self.iam.put_user_permissions_boundary, **bound)[0], "NoSuchEntity"
        )
        self.policy("s3:ListBucket", "*")
        self.iam.put_user_permissions_boundary(**bound)
        user = self.iam.get_user(UserName="cache")["User"]
        self.assertEqual(user["PermissionsBoundary"]["PermissionsBoundaryArn"], arn)
        self.iam.delete_user_permissions_boundary(UserName="cache")
        self.assertNotIn("PermissionsBoundary", self.iam.get_user(UserName="cache")["User"])
        self.iam.create_user(UserName="other", PermissionsBoundary=arn)
        user = self.iam.get_user(UserName="other")["User"]
        self.assertEqual(user["PermissionsBoundary"]["PermissionsBoundaryArn"], arn)

    def test_delete_user_needs_an_empty_user(self):
        self.iam.create_login_profile(UserName="cache", Password="example-password")
        self.refuse_deletion("login profile")
        self.iam.delete_login_profile(UserName="cache")
        credential = self.iam.create_service_specific_credential(
            UserName="cache", ServiceName="codecommit.amazonaws.com"
        )["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
        self.refuse_deletion("service specific credentials")
        self.iam.delete_service_specific_credential(
            UserName="cache", ServiceSpecificCredentialId=credential
        )
        key = self.iam.upload_ssh_public_key(UserName="cache", SSHPublicKeyBody="ssh-rsa x")
        self.refuse_deletion("SSH public keys")
        self.iam.delete_ssh_public_key(
            UserName="cache", SSHPublicKeyId=key["SSHPublicKey"]["SSHPublicKeyId"]
        )
        self.iam.delete_user(UserName="cache")

    def refuse_deletion(self, because_of: str) -> None:
        code, message = self.refused(self.iam.delete_user, UserName="cache")
        self.assertEqual((code, because_of in message), ("DeleteConflict", True))

    def test_policies_are_enforced_in_s3(self):
        bucket = f"cache-{self.account}"
        everything = self.client("s3")
        everything.create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "af-south-1"}
        )
        s3 = self.client("s3", self.iam.create_access_key(UserName="cache")["AccessKey"])
        there = {"Bucket": bucket, "Key": "ci/a"}

        def refusal(call, **arguments) -> str:
            return self.refused(call, **arguments)[0]

        self.assertEqual(refusal(s3.put_object, **there), "AccessDenied")
        self.allow("s3:PutObject", f"arn:aws:s3:::{bucket}/ci/*")
        s3.put_object(**there)
        self.assertEqual(refusal(s3.get_object, **there), "AccessDenied")
        self.assertEqual(refusal(s3.put_object, Bucket=bucket, Key="other"), "AccessDenied")
        # S3 returns 404 for a missing object only with s3:ListBucket.
        self.allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
        s3.get_object(**there)
        self.assertEqual(refusal(s3.get_object, Bucket=bucket, Key="b"), "AccessDenied")
        self.allow("s3:ListBucket", f"arn:aws:s3:::{bucket}")
        self.assertEqual(refusal(s3.get_object, Bucket=bucket, Key="b"), "NoSuchKey")
        # A bucket that is encrypted with KMS also requires permissions on its key.
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] = "arn:aws:kms:x:1:key/1"
        everything.put_bucket_encryption(
            Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )
        self.assertEqual(refusal(s3.put_object, **there), "AccessDenied")
        self.allow("kms:GenerateDataKey*", "arn:aws:kms:x:1:key/1")
        s3.put_object(**there)
        # Other operations on an object require other permissions.
        tagging = {"TagSet": [{"Key": "a", "Value": "b"}]}
        self.assertEqual(refusal(s3.put_object_tagging, **there, Tagging=tagging), "AccessDenied")
        self.allow("s3:PutObjectTagging", f"arn:aws:s3:::{bucket}/*")
        s3.put_object_tagging(**there, Tagging=tagging)
        # A permissions boundary denies everything that it does not allow.
        self.iam.put_user_permissions_boundary(
            UserName="cache", PermissionsBoundary=self.policy("s3:ListBucket", "*")
        )
        self.assertEqual(refusal(s3.put_object, **there), "AccessDenied")
        s3.list_objects_v2(Bucket=bucket)

    def test_policies_are_enforced_in_every_service(self):
        key = self.iam.create_access_key(UserName="cache")["AccessKey"]
        iam, sts = self.client("iam", key), self.client("sts", key)
        code, message = self.refused(iam.list_users)
        self.assertEqual((code, "iam:ListUsers" in message), ("AccessDenied", True))
        self.assertEqual(
            self.refused(self.client("eks", key).list_clusters)[0], "AccessDeniedException"
        )
        role = self.make_role()
        assume = {"RoleArn": role, "RoleSessionName": "test"}
        self.assertEqual(self.refused(sts.assume_role, **assume)[0], "AccessDenied")
        self.assertIn("user/cache", sts.get_caller_identity()["Arn"])
        self.allow("iam:ListUsers", "*")
        iam.list_users()

    def test_pass_role_of_nodes_to_a_service(self):
        self.make_role()
        key = self.iam.create_access_key(UserName="cache")["AccessKey"]
        eks = self.client("eks", key)
        self.allow("eks:CreateNodegroup", "*")
        role = f"arn:aws:iam::{self.account}:role/node"

        def refusal() -> tuple[str, str]:
            return self.refused(eks.create_nodegroup, **self.node_group())

        code, message = refusal()
        self.assertEqual(code, "AccessDeniedException")
        self.assertIn(f"not authorized to perform: iam:PassRole on resource: {role}", message)
        passed = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
        self.allow("iam:PassRole", role, passed)
        self.assertEqual(refusal()[0], "AccessDeniedException")
        passed["StringEquals"]["iam:PassedToService"] = ["ec2.amazonaws.com", "eks.amazonaws.com"]
        self.allow("iam:PassRole", f"{role}-of-others", passed)
        self.assertEqual(refusal()[0], "AccessDeniedException")
        self.allow("iam:PassRole", role, passed)
        eks.create_nodegroup(**self.node_group())

    def test_pass_role_of_pods_to_a_service(self):
        role = self.make_role()
        key = self.iam.create_access_key(UserName="cache")["AccessKey"]
        associate = self.client("eks", key).create_pod_identity_association
        subject = {"clusterName": "prod", "namespace": "ci", "serviceAccount": "runner"}
        self.allow("eks:CreatePodIdentityAssociation", "*")
        passed = {"StringEquals": {"iam:PassedToService": "eks.amazonaws.com"}}
        self.allow("iam:PassRole", "*", passed)
        code, _ = self.refused(associate, **subject, roleArn=role)
        self.assertEqual(code, "AccessDeniedException")
        passed["StringEquals"]["iam:PassedToService"] = "pods.eks.amazonaws.com"
        self.allow("iam:PassRole", "*", passed)
        associate(**subject, roleArn=role)

    def test_presigned_requests_check_signature_lifetime_and_policy(self):
        bucket = f"cache-{self.account}"
        self.client("s3").create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "af-south-1"}
        )
        key = self.iam.create_access_key(UserName="cache")["AccessKey"]
        self.allow("s3:PutObject", f"arn:aws:s3:::{bucket}/ci/*")

        def put(signer: dict, name: str, seconds: int = 60) -> str:
            url = self.client("s3", signer).generate_presigned_url(
                "put_object", {"Bucket": bucket, "Key": name}, ExpiresIn=seconds
            )
            request = urllib.request.Request(url, b"1", method="PUT")
            request.add_header("Content-Type", "")
            try:
                with urllib.request.urlopen(request) as answer:
                    return str(answer.status)
            except urllib.error.HTTPError as error:
                return re.search("<(Code|Message)>(.+)</(Code|Message)>", error.read().decode())[2]

        self.assertEqual(put(key, "ci/a b"), "200")
        self.assertIn("AccessDenied", put(key, "other"))
        self.assertIn("SignatureDoesNotMatch", put({**key, "SecretAccessKey": "x" * 40}, "ci/a"))
        self.assertIn("Request has expired", put(key, "ci/a", seconds=0))
        self.assertIn("InvalidAccessKeyId", put({**key, "SessionToken": "x"}, "ci/a"))

    def test_web_identities_check_the_trust_policy(self):
        sts, issuer = self.client("sts"), "oidc.eks.af-south-1.amazonaws.com/id/ABC"
        provider = f"arn:aws:iam::{self.account}:oidc-provider/{issuer}"
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{issuer}:sub": "system:serviceaccount:ci:runner"}},
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.iam.create_role(RoleName="web", AssumeRolePolicyDocument=trust)["Role"]["Arn"]

        def token(**claims: str) -> str:
            claims = {"iss": f"https://{issuer}", "aud": "sts.amazonaws.com", **claims}
            payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            return f"e30.{payload}.x"

        def assume(web_identity: str) -> dict:
            asked = {"RoleArn": role, "RoleSessionName": "test"}
            return sts.assume_role_with_web_identity(**asked, WebIdentityToken=web_identity)

        good = token(sub="system:serviceaccount:ci:runner")
        self.assertEqual(
            self.refused(assume, web_identity=good),
            (
                "InvalidIdentityToken",
                f"No OpenIDConnect provider found in your account for https://{issuer}",
            ),
        )
        self.iam.create_open_id_connect_provider(
            Url=f"https://{issuer}", ClientIDList=["sts.amazonaws.com"]
        )
        session = assume(good)["Credentials"]
        self.assertEqual(
            self.refused(self.client("s3", session).list_buckets), ("AccessDenied", "Access Denied")
        )
        for refused, code in (
            ("nonsense", "InvalidIdentityToken"),
            (token(sub="system:serviceaccount:ci:runner", aud="other"), "InvalidIdentityToken"),
            (token(sub="system:serviceaccount:ci:runner2"), "AccessDenied"),
        ):
            self.assertEqual(self.refused(assume, web_identity=refused)[0], code)

    def allow(self, action: str, resource: str, condition: dict | None = None) -> None:
        name = action.replace(":", "-").replace("*", "")
        document = self.document(action, resource, condition)
        self.iam.put_user_policy(UserName="cache", PolicyName=name, PolicyDocument=document)

    def policy(self, action: str, resource: str) -> str:
        document = self.document(action, resource)
        made = self.iam.create_policy(PolicyName="boundary", PolicyDocument=document)
        return made["Policy"]["Arn"]

    def document(self, action: str, resource: str, condition: dict | None = None) -> str:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        statement |= {"Condition": condition} if condition else {}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
