//! The default encryption of objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use gitlabspot_clients::aws::AwsError;
use serde::{Deserialize, Serialize};

use super::{Known, Put, is_desired, or_absent};

/// The default encryption of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// `AES256`, `aws:kms` or another algorithm that S3 returns.
    pub(crate) algorithm: String,
    /// ID, ARN or alias of the key. S3 returns it as it was configured.
    pub(crate) kms_key_id: Option<String>,
    pub(crate) bucket_key_enabled: bool,
}

/// The encryption that every bucket has had since 2023. Also used if an S3-compatible store reports no encryption.
impl Default for Settings {
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), kms_key_id: None, bucket_key_enabled: false }
    }
}

pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<Settings>, AwsError> {
    Ok(rules(s3, bucket).await?.map(|rules| rules.iter().find_map(settings).unwrap_or_default()))
}

async fn rules(s3: &Client, bucket: &str) -> Result<Option<Vec<ServerSideEncryptionRule>>, AwsError> {
    match s3.get_bucket_encryption().bucket(bucket).send().await.map_err(AwsError::of("GetBucketEncryption")) {
        Ok(answer) => Ok(Some(answer.server_side_encryption_configuration.map(|it| it.rules).unwrap_or_default())),
        Err(error) => or_absent(error, "ServerSideEncryptionConfigurationNotFoundError", Vec::new()),
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

/// Writes the encryption. Encryption types that are blocked for uploads, such as customer-provided keys in new buckets,
/// remain blocked.
pub(super) async fn put(s3: &Client, bucket: &str, desired: &Settings, known: Known) -> Result<Put, AwsError> {
    let rules = rules(s3, bucket).await;
    let blocked = rules.as_ref().ok().and_then(|rules| rules.iter().flatten().find_map(blocked));
    let observed = rules.map(|rules| rules.map(|rules| rules.iter().find_map(settings).unwrap_or_default()));
    if is_desired(observed, desired)? && known == Known::Nothing {
        return Ok(Put::Unchanged);
    }
    let configuration = expand(desired, blocked);
    let request = s3.put_bucket_encryption().bucket(bucket).server_side_encryption_configuration(configuration);
    request.send().await.map(|_| Put::Written).map_err(AwsError::of("PutBucketEncryption"))
}

fn blocked(rule: &ServerSideEncryptionRule) -> Option<BlockedEncryptionTypes> {
    rule.blocked_encryption_types().cloned()
}

#[expect(clippy::expect_used, reason = "everything that a configuration must have is given")]
fn expand(desired: &Settings, blocked: Option<BlockedEncryptionTypes>) -> ServerSideEncryptionConfiguration {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(desired.algorithm.as_str()))
        .set_kms_master_key_id(desired.kms_key_id.clone())
        .build()
        .expect("the algorithm is given");
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .bucket_key_enabled(desired.bucket_key_enabled)
        .set_blocked_encryption_types(blocked)
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
        for desired in [Settings::default(), kms] {
            let blocked =
                BlockedEncryptionTypes::builder().encryption_type(aws_sdk_s3::types::EncryptionType::SseC).build();
            let expanded = expand(&desired, Some(blocked.clone()));
            assert_eq!(expanded.rules().iter().find_map(settings), Some(desired));
            assert_eq!(expanded.rules().iter().find_map(self::blocked), Some(blocked));
        }
    }
}
