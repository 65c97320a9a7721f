//! The managed statement of the bucket policy, which denies requests without TLS. Other statements are preserved.

use aws_sdk_s3::Client;
use gitlabspot_clients::aws::AwsError;
use serde_json::{Value as Json, json};

use super::{Known, Put, or_absent};
use crate::policy_document::{self, equivalent, statements};

/// `Sid` of the managed statement.
const SID: &str = "GitlabspotTlsOnly";

/// Reads whether the policy contains the managed statement, without changes by others.
pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<bool>, AwsError> {
    let observed = document(s3, bucket).await?;
    Ok(observed.map(|document| document.is_some_and(|document| denies_plain_http(&document, bucket))))
}

/// Reads the whole policy; `Some(None)` if the bucket has none.
async fn document(s3: &Client, bucket: &str) -> Result<Option<Option<Json>>, AwsError> {
    match s3.get_bucket_policy().bucket(bucket).send().await.map_err(AwsError::of("GetBucketPolicy")) {
        Ok(answer) => Ok(Some(answer.policy().and_then(policy_document::parse))),
        Err(error) => or_absent(error, "NoSuchBucketPolicy", None),
    }
}

/// Adds the managed statement, or removes it.
pub(super) async fn put(s3: &Client, bucket: &str, arn: &str, desired: bool, known: Known) -> Result<Put, AwsError> {
    let existing = document(s3, bucket).await?.flatten();
    match merged(existing.as_ref(), desired.then(|| statement(arn))) {
        policy if policy == existing && known != Known::Outdated => Ok(Put::Unchanged),
        Some(policy) => {
            let request = s3.put_bucket_policy().bucket(bucket).policy(policy_document::text(&policy));
            request.send().await.map(|_| Put::Written).map_err(AwsError::of("PutBucketPolicy"))
        }
        None => {
            let request = s3.delete_bucket_policy().bucket(bucket);
            request.send().await.map(|_| Put::Written).map_err(AwsError::of("DeleteBucketPolicy"))
        }
    }
}

fn statement(arn: &str) -> Json {
    json!({
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// Returns the policy with the managed statement or without it; `None` if no statement remains.
fn merged(existing: Option<&Json>, ours: Option<Json>) -> Option<Json> {
    let mut statements: Vec<Json> = existing.map(statements).unwrap_or_default();
    statements.retain(|statement| statement["Sid"] != SID);
    statements.extend(ours);
    if statements.is_empty() {
        return None;
    }
    let mut policy = existing.cloned().unwrap_or_else(|| json!({ "Version": "2012-10-17" }));
    policy["Statement"] = Json::Array(statements);
    Some(policy)
}

/// Whether the document contains the managed statement. Its ARNs may be of any partition.
fn denies_plain_http(document: &Json, bucket: &str) -> bool {
    statements(document).iter().filter(|statement| statement["Sid"] == SID).any(|observed| {
        let partition = observed["Resource"][0].as_str().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
        let arn = format!("arn:{partition}:s3:::{bucket}");
        let mut observed = observed.clone();
        // AWS may return the principal "*" in this form.
        if observed["Principal"] == json!({ "AWS": "*" }) {
            observed["Principal"] = json!("*");
        }
        equivalent(&observed, &statement(&arn))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:s3:::c";

    #[test]
    fn foreign_statements_are_kept() {
        let foreign = json!({"Sid": "Audit", "Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "s3:ListBucket", "Resource": ARN});
        let existing = json!({"Version": "2008-10-17", "Id": "x", "Statement": foreign});
        let with = merged(Some(&existing), Some(statement(ARN))).unwrap();
        assert_eq!(with, json!({"Version": "2008-10-17", "Id": "x", "Statement": [foreign, statement(ARN)]}));
        assert!(denies_plain_http(&with, "c"));
        assert_eq!(merged(Some(&with), Some(statement(ARN))), Some(with.clone()));
        let without = merged(Some(&with), None).unwrap();
        assert_eq!(without, json!({"Version": "2008-10-17", "Id": "x", "Statement": [foreign]}));
        assert!(!denies_plain_http(&without, "c"));
    }

    #[test]
    fn policy_without_statements_is_none() {
        let ours = merged(None, Some(statement(ARN))).unwrap();
        assert_eq!(ours, json!({"Version": "2012-10-17", "Statement": [statement(ARN)]}));
        assert_eq!(merged(Some(&ours), None), None);
    }

    #[test]
    fn a_weakened_statement_is_noticed() {
        let mut weak = statement(ARN);
        weak["Action"] = json!("s3:GetObject");
        assert!(!denies_plain_http(&json!({"Statement": [weak]}), "c"));
        let mut same = statement(ARN);
        same["Principal"] = json!({"AWS": "*"});
        same["Action"] = json!(["s3:*"]);
        assert!(denies_plain_http(&json!({"Statement": same}), "c"));
    }
}
