//! How objects are encrypted when an upload does not say.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

use super::or_absent;
use crate::clients::aws::AwsError;

/// The default encryption of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `AES256`, `aws:kms` or whatever S3 says.
    pub(crate) algorithm: String,
    /// As it was given: id, ARN or alias.
    pub(crate) kms_key_id: Option<String>,
    pub(crate) bucket_key_enabled: bool,
}

/// What every bucket has had since 2023, also where an older or compatible store says that there is none.
impl Default for Settings {
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), kms_key_id: None, bucket_key_enabled: false }
    }
}

pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<Settings>, AwsError> {
    match s3.get_bucket_encryption().bucket(bucket).send().await.map_err(AwsError::of("GetBucketEncryption")) {
        Ok(answer) => {
            let rules = answer.server_side_encryption_configuration().map(|configuration| configuration.rules());
            Ok(Some(rules.into_iter().flatten().find_map(settings).unwrap_or_default()))
        }
        Err(error) => or_absent(error, "ServerSideEncryptionConfigurationNotFoundError", Settings::default()),
    }
}

fn settings(rule: &ServerSideEncryptionRule) -> Option<Settings> {
    let default = rule.apply_server_side_encryption_by_default()?;
    Some(Settings {
        algorithm: default.sse_algorithm().as_str().to_owned(),
        kms_key_id: default.kms_master_key_id().map(str::to_owned),
        bucket_key_enabled: rule.bucket_key_enabled().unwrap_or(false),
    })
}

pub(super) async fn put(s3: &Client, bucket: &str, wanted: &Settings) -> Result<(), AwsError> {
    let request = s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(expand(wanted));
    request.send().await.map(drop).map_err(AwsError::of("PutBucketEncryption"))
}

#[expect(clippy::expect_used, reason = "everything that a configuration must have is given")]
fn expand(wanted: &Settings) -> ServerSideEncryptionConfiguration {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(wanted.algorithm.as_str()))
        .set_kms_master_key_id(wanted.kms_key_id.clone())
        .build()
        .expect("the algorithm is given");
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .bucket_key_enabled(wanted.bucket_key_enabled)
        .build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build().expect("a rule is given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let kms = Settings {
            algorithm: "aws:kms".to_owned(),
            kms_key_id: Some("alias/ci".to_owned()),
            bucket_key_enabled: true,
        };
        for wanted in [Settings::default(), kms] {
            assert_eq!(expand(&wanted).rules().iter().find_map(settings), Some(wanted));
        }
    }
}
