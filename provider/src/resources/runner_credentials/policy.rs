//! Policy documents with the permissions of the runner.

use serde_json::{Value as Json, json};

use crate::cache_path;
use crate::policy_document::{equivalent, parse, statements, text};

/// The value of the attribute `policy`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice {
    LeastPrivilege,
    Full,
    Given(Json),
}

/// The bucket, path and key to which the policy grants access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) partition: String,
    pub(super) bucket: String,
    pub(super) cache_path: String,
    pub(super) kms_key_arn: Option<String>,
}

/// Actions on the bucket and its objects that `full` allows. Source: the policy in the guide that this provider
/// follows.
const FULL: [&str; 47] = [
    "s3:AbortMultipartUpload",
    "s3:CreateBucket",
    "s3:DeleteObject",
    "s3:DeleteObjectTagging",
    "s3:DeleteObjectVersion",
    "s3:GetBucketAcl",
    "s3:GetBucketCORS",
    "s3:GetBucketLocation",
    "s3:GetBucketLogging",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPolicyStatus",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetObject",
    "s3:GetObjectAcl",
    "s3:GetObjectAttributes",
    "s3:GetObjectLegalHold",
    "s3:GetObjectRetention",
    "s3:GetObjectTagging",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAcl",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionTagging",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3:PutBucketCORS",
    "s3:PutBucketLogging",
    "s3:PutBucketNotification",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutBucketTagging",
    "s3:PutBucketVersioning",
    "s3:PutBucketWebsite",
    "s3:PutEncryptionConfiguration",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:PutObjectTagging",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:RestoreObject",
];

impl Choice {
    /// Parses the attribute; `None` if it is neither a known value nor a policy document.
    pub(super) fn of(attribute: &str) -> Option<Self> {
        match attribute {
            "least_privilege" => Some(Self::LeastPrivilege),
            "full" => Some(Self::Full),
            json if json.trim_start().starts_with('{') => {
                let document = parse(json)?;
                (!statements(&document).is_empty()).then_some(Self::Given(document))
            }
            _ => None,
        }
    }

    /// Returns the policy document.
    pub(super) fn document(&self, scope: &Scope) -> Json {
        let bucket = format!("arn:{}:s3:::{}", scope.partition, scope.bucket);
        let mut statements = match self {
            Self::Given(document) => return document.clone(),
            Self::LeastPrivilege => vec![
                json!({
                    "Sid": "CacheObjects",
                    "Effect": "Allow",
                    "Action": ["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                    "Resource": format!("{bucket}/{}*", cache_path::directory(&scope.cache_path)),
                }),
                // Without it S3 returns 403 instead of 404 if no cache exists yet, and the runner reports an error.
                json!({ "Sid": "CacheMisses", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket }),
            ],
            Self::Full => vec![
                json!({
                    "Sid": "CacheBucket",
                    "Effect": "Allow",
                    "Action": FULL.as_slice(),
                    "Resource": [format!("{bucket}/*"), bucket],
                }),
                json!({ "Sid": "BucketNames", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*" }),
            ],
        };
        statements.extend(scope.kms_key_arn.as_ref().map(|key| {
            json!({
                "Sid": "CacheKey",
                "Effect": "Allow",
                "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                "Resource": key,
            })
        }));
        json!({ "Version": "2012-10-17", "Statement": statements })
    }
}

/// Returns the value of `policy` and the scope that result in this document. Any other document is a custom policy,
/// whose bucket is that of its first S3 resource.
pub(super) fn recognized(document: &Json) -> Option<(String, Scope)> {
    let resources: Vec<String> =
        statements(document).iter().flat_map(|statement| strings(&statement["Resource"])).collect();
    let (partition, bucket, path) = resources.iter().find_map(|arn| {
        let (partition, place) = arn.strip_prefix("arn:")?.split_once(":s3:::")?;
        let (bucket, path) = place.split_once('/').unwrap_or((place, ""));
        Some((partition.to_owned(), bucket.to_owned(), path.strip_suffix('*').unwrap_or(path).to_owned()))
    })?;
    let kms_key_arn = resources.iter().find(|arn| arn.contains(":kms:")).cloned();
    let cache_path = path.strip_suffix('/').unwrap_or(&path).to_owned();
    let scope = Scope { partition, bucket, cache_path, kms_key_arn };
    for (word, choice) in [("least_privilege", Choice::LeastPrivilege), ("full", Choice::Full)] {
        if equivalent(&choice.document(&scope), document) {
            return Some((word.to_owned(), scope));
        }
    }
    let scope = Scope { cache_path: String::new(), kms_key_arn: None, ..scope };
    Some((text(document), scope))
}

fn strings(value: &Json) -> Vec<String> {
    match value {
        Json::String(one) => vec![one.clone()],
        Json::Array(many) => many.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            partition: "aws".to_owned(),
            bucket: "ci-cache".to_owned(),
            cache_path: String::new(),
            kms_key_arn: None,
        }
    }

    #[test]
    fn least_privilege() {
        let key = "arn:aws:kms:eu-west-1:123456789012:key/1";
        let scope = Scope { cache_path: "ci//linux".to_owned(), kms_key_arn: Some(key.to_owned()), ..scope() };
        assert_eq!(
            Choice::LeastPrivilege.document(&scope),
            json!({
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Sid": "CacheObjects",
                        "Effect": "Allow",
                        "Action": ["s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
                        "Resource": "arn:aws:s3:::ci-cache/ci/linux/*",
                    },
                    {
                        "Sid": "CacheMisses",
                        "Effect": "Allow",
                        "Action": "s3:ListBucket",
                        "Resource": "arn:aws:s3:::ci-cache",
                    },
                    {
                        "Sid": "CacheKey",
                        "Effect": "Allow",
                        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
                        "Resource": key,
                    },
                ],
            })
        );
    }

    /// IAM allows 2,048 characters in the inline policies of a user, without white space.
    #[test]
    fn the_long_list_fits_a_user() {
        let longest = Scope { bucket: "b".repeat(63), ..scope() };
        let document = text(&Choice::Full.document(&longest));
        assert!(document.len() <= 2048, "{}", document.len());
        let mut sorted = FULL;
        sorted.sort_unstable();
        assert_eq!(sorted, FULL);
    }

    #[test]
    fn each_partition_has_its_arns() {
        for (_, partition, _) in crate::partition::EACH {
            for choice in [Choice::LeastPrivilege, Choice::Full] {
                let document = choice.document(&Scope { partition: partition.to_owned(), ..scope() }).to_string();
                assert!(document.contains(&format!("\"arn:{partition}:s3:::ci-cache\"")), "{document}");
                assert_eq!(document.matches("arn:").count(), document.matches(&format!("arn:{partition}:")).count());
            }
        }
    }

    #[test]
    fn documents_are_recognized() {
        for (word, choice) in [("least_privilege", Choice::LeastPrivilege), ("full", Choice::Full)] {
            assert_eq!(recognized(&choice.document(&scope())), Some((word.to_owned(), scope())));
            assert_eq!(Choice::of(word), Some(choice));
        }
        let narrow = Scope { cache_path: "ci/linux".to_owned(), ..scope() };
        let document = Choice::LeastPrivilege.document(&narrow);
        assert_eq!(recognized(&document), Some(("least_privilege".to_owned(), narrow)));
        let own = json!({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::ci-cache/*"}]});
        assert_eq!(recognized(&own), Some((text(&own), scope())));
        assert_eq!(Choice::of(&own.to_string()), Some(Choice::Given(own)));
        assert_eq!(Choice::of("{}"), None);
        assert_eq!(Choice::of("everything"), None);
    }
}
