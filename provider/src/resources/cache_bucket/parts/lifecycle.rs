//! The managed lifecycle rule, which deletes expired cache objects. Rules of others are preserved.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, TransitionDefaultMinimumObjectSize,
};
use gitlabspot_clients::aws::AwsError;
use serde::{Deserialize, Serialize};

use super::{Known, Put, is_unsupported};

/// ID of the managed rule.
const RULE_ID: &str = "gitlabspot-cache";

/// The managed rule. 0 days disable a setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) prefix: String,
    pub(crate) expiration_days: i32,
    pub(crate) noncurrent_expiration_days: i32,
    pub(crate) abort_incomplete_multipart_days: i32,
}

impl Rule {
    /// Returns `None` for a rule without any action, which S3 rejects.
    pub(crate) fn if_any(self) -> Option<Self> {
        let days = [self.expiration_days, self.noncurrent_expiration_days, self.abort_incomplete_multipart_days];
        days.iter().any(|days| *days > 0).then_some(self)
    }
}

/// All rules of a bucket.
#[derive(Clone, Debug, Default, PartialEq)]
struct All {
    rules: Vec<LifecycleRule>,
    minimum_size: Option<TransitionDefaultMinimumObjectSize>,
}

/// Reads the managed rule. The outer `None` means that the store does not support lifecycle rules.
pub(super) async fn read(s3: &Client, bucket: &str) -> Result<Option<Option<Rule>>, AwsError> {
    Ok(all(s3, bucket).await?.map(|all| ours(&all.rules)))
}

async fn all(s3: &Client, bucket: &str) -> Result<Option<All>, AwsError> {
    const CALL: &str = "GetBucketLifecycleConfiguration";
    match s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.map_err(AwsError::of(CALL)) {
        Ok(answer) => Ok(Some(All {
            minimum_size: answer.transition_default_minimum_object_size().cloned(),
            rules: answer.rules.unwrap_or_default().into_iter().map(with_filter).collect(),
        })),
        Err(error) if error.code() == Some("NoSuchLifecycleConfiguration") => Ok(Some(All::default())),
        Err(error) if is_unsupported(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the managed rule, or removes it if it has no action.
pub(super) async fn put(s3: &Client, bucket: &str, desired: &Rule, known: Known) -> Result<Put, AwsError> {
    let observed = all(s3, bucket).await?;
    let supported = observed.is_some();
    let All { rules: before, minimum_size } = observed.unwrap_or_default();
    let after = merged(&before, desired.clone().if_any().as_ref().map(expand));
    if after == before && supported && known != Known::Outdated {
        return Ok(Put::Unchanged);
    }
    if after.is_empty() {
        let request = s3.delete_bucket_lifecycle().bucket(bucket);
        return request.send().await.map(|_| Put::Written).map_err(AwsError::of("DeleteBucketLifecycle"));
    }
    // The request replaces the whole configuration, with the rules and the minimum size of others.
    let request = s3
        .put_bucket_lifecycle_configuration()
        .bucket(bucket)
        .lifecycle_configuration(configuration(after))
        .set_transition_default_minimum_object_size(minimum_size);
    request.send().await.map(|_| Put::Written).map_err(AwsError::of("PutBucketLifecycleConfiguration"))
}

#[expect(clippy::expect_used, reason = "the rules are given")]
fn configuration(rules: Vec<LifecycleRule>) -> BucketLifecycleConfiguration {
    BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().expect("rules are given")
}

/// Returns the rules with the managed rule at its previous position, or without it.
fn merged(before: &[LifecycleRule], ours: Option<LifecycleRule>) -> Vec<LifecycleRule> {
    let foreign = before.iter().filter(|rule| rule.id() != Some(RULE_ID)).cloned();
    match before.iter().position(|rule| rule.id() == Some(RULE_ID)) {
        Some(place) => {
            let mut rules: Vec<_> = foreign.collect();
            rules.splice(place..place, ours);
            rules
        }
        None => foreign.chain(ours).collect(),
    }
}

#[expect(clippy::expect_used, reason = "everything that a rule must have is given")]
fn expand(rule: &Rule) -> LifecycleRule {
    let positive = |days: i32| (days > 0).then_some(days);
    LifecycleRule::builder()
        .id(RULE_ID)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(&rule.prefix).build())
        .set_expiration(positive(rule.expiration_days).map(|days| LifecycleExpiration::builder().days(days).build()))
        .set_noncurrent_version_expiration(
            positive(rule.noncurrent_expiration_days)
                .map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build()),
        )
        .set_abort_incomplete_multipart_upload(
            positive(rule.abort_incomplete_multipart_days)
                .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build()),
        )
        .build()
        .expect("the status is given")
}

/// Finds the managed rule. A rule that others have disabled or narrowed is treated as missing.
fn ours(rules: &[LifecycleRule]) -> Option<Rule> {
    let observed = rules.iter().find(|rule| rule.id() == Some(RULE_ID))?;
    let rule = Rule {
        prefix: observed.filter().and_then(LifecycleRuleFilter::prefix).unwrap_or_default().to_owned(),
        expiration_days: observed.expiration().and_then(LifecycleExpiration::days).unwrap_or(0),
        noncurrent_expiration_days: observed
            .noncurrent_version_expiration()
            .and_then(NoncurrentVersionExpiration::noncurrent_days)
            .unwrap_or(0),
        abort_incomplete_multipart_days: observed
            .abort_incomplete_multipart_upload()
            .and_then(AbortIncompleteMultipartUpload::days_after_initiation)
            .unwrap_or(0),
    };
    let narrowed = observed.filter().is_some_and(|filter| {
        filter.tag().is_some()
            || filter.and().is_some()
            || filter.object_size_greater_than().is_some()
            || filter.object_size_less_than().is_some()
    }) || observed
        .noncurrent_version_expiration()
        .is_some_and(|versions| versions.newer_noncurrent_versions().is_some());
    (observed.status() == &ExpirationStatus::Enabled && !narrowed).then_some(rule)
}

/// Converts a rule of the old form, with `Prefix`, to the current form, with `Filter`. S3 does not accept both forms in
/// one configuration.
#[expect(deprecated, reason = "the old form is what is looked for")]
fn with_filter(mut rule: LifecycleRule) -> LifecycleRule {
    let prefix = rule.prefix.take();
    rule.filter =
        rule.filter.or_else(|| Some(LifecycleRuleFilter::builder().prefix(prefix.unwrap_or_default()).build()));
    rule
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        Rule {
            prefix: "project/".to_owned(),
            expiration_days: 60,
            noncurrent_expiration_days: 1,
            abort_incomplete_multipart_days: 0,
        }
    }

    fn foreign(id: &str) -> LifecycleRule {
        LifecycleRule::builder().id(id).status(ExpirationStatus::Disabled).build().unwrap()
    }

    #[test]
    fn there_and_back() {
        assert_eq!(ours(&[foreign("a"), expand(&rule())]), Some(rule()));
        assert_eq!(ours(&[foreign("a")]), None);
        assert_eq!(Rule { prefix: "x".to_owned(), ..Rule::default() }.if_any(), None);
    }

    #[test]
    fn a_rule_that_was_disabled_or_narrowed_is_none() {
        let mut disabled = expand(&rule());
        disabled.status = ExpirationStatus::Disabled;
        assert_eq!(ours(&[disabled]), None);
        let mut narrowed = expand(&rule());
        narrowed.filter = Some(LifecycleRuleFilter::builder().prefix("project/").object_size_greater_than(9).build());
        assert_eq!(ours(&[narrowed]), None);
        let mut keeps_some = expand(&rule());
        let versions = NoncurrentVersionExpiration::builder().noncurrent_days(1).newer_noncurrent_versions(5).build();
        keeps_some.noncurrent_version_expiration = Some(versions);
        assert_eq!(ours(&[keeps_some]), None);
    }

    #[test]
    #[expect(deprecated, reason = "the old form is what is tested")]
    fn rules_of_the_old_form_get_a_filter() {
        let mut old = foreign("a");
        old.prefix = Some("logs/".to_owned());
        let filter = |prefix: &str| Some(LifecycleRuleFilter::builder().prefix(prefix).build());
        let observed = with_filter(old);
        assert_eq!((observed.prefix.as_ref(), &observed.filter), (None, &filter("logs/")));
        // An empty prefix selects all objects.
        assert_eq!(with_filter(foreign("a")).filter, filter(""));
        assert_eq!(with_filter(expand(&rule())), expand(&rule()));
        let mut ours = expand(&rule());
        (ours.prefix, ours.filter) = (Some("project/".to_owned()), None);
        assert_eq!(self::ours(&[with_filter(ours)]), Some(rule()));
    }

    #[test]
    fn foreign_rules_keep_their_places() {
        let ids = |rules: &[LifecycleRule]| rules.iter().map(|rule| rule.id().unwrap().to_owned()).collect::<Vec<_>>();
        let before = [foreign("a"), expand(&Rule::default()), foreign("b")];
        let after = merged(&before, Some(expand(&rule())));
        assert_eq!(ids(&after), ["a", RULE_ID, "b"]);
        assert_eq!(ours(&after), Some(rule()));
        assert_eq!(ids(&merged(&before, None)), ["a", "b"]);
        assert_eq!(ids(&merged(&[foreign("a")], Some(expand(&rule())))), ["a", RULE_ID]);
    }
}
