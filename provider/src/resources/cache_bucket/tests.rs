//! Scenarios: the calls of a host, with an AWS account in memory. Numbers such as B1 refer to the table in
//! docs/contributing/testing.md.

use std::time::Duration;

use gitlabspot_testing::aws::s3::Bucket;
use gitlabspot_testing::aws::{ALL, Account, Fault};
use tfplugin::framework::Raw;

use super::CacheBucketResource;
use super::previous_values::WINDOW;
use crate::testing::{Stage, aws_settings, summaries};
use crate::timestamp;

fn stage(account: &Account) -> Stage {
    let stage = Stage::new(CacheBucketResource, aws_settings(account, "eu-west-1"));
    stage.clock.set_time_of_day(timestamp::parse("2026-01-01T12:00:00Z").unwrap());
    stage
}

/// Waits until reads no longer return previous values.
async fn settled(stage: &Stage) {
    stage.context.clock.sleep(WINDOW + Duration::from_secs(1)).await;
}

fn named() -> Vec<(&'static str, Raw)> {
    vec![("bucket", "ci-cache".into())]
}

fn with(more: &[(&'static str, Raw)]) -> Vec<(&'static str, Raw)> {
    named().into_iter().chain(more.iter().cloned()).collect()
}

fn part(account: &Account, name: &str) -> Option<String> {
    account.state().s3.buckets["ci-cache"].parts.get(name).cloned()
}

/// Changes the bucket as others do.
fn change(account: &Account, change: impl FnOnce(&mut Bucket)) {
    change(account.state().s3.buckets.get_mut("ci-cache").unwrap());
}

fn set(account: &Account, part: &str, content: &str) {
    change(account, |bucket| drop(bucket.parts.insert(part.to_owned(), content.to_owned())));
}

#[tokio::test]
async fn bucket_of_the_guide() {
    let account = Account::default();
    let mut stage = stage(&account);
    assert!(!stage.apply(&named()).await.has_errors());
    let calls = account.calls();
    assert!(calls.len() <= 16, "{calls:?}");
    assert_eq!(stage.clock.passed(), Duration::ZERO);
    // Policies of an organization may deny the calls for the other parts, which have their desired values by default.
    assert_eq!(
        account.changes(),
        ["CreateBucket", "PutBucketPolicy", "PutBucketLifecycleConfiguration", "PutBucketTagging"]
    );
    assert_eq!(stage.changes(&named()).await, [""; 0]);
    let lifecycle = part(&account, "BucketLifecycleConfiguration").unwrap();
    for text in ["<Prefix>project/</Prefix>", "<Days>60</Days>", "<NoncurrentDays>1</NoncurrentDays>"] {
        assert!(lifecycle.contains(text), "{lifecycle}");
    }
    assert!(!part(&account, "BucketTagging").unwrap().contains("gitlabspot"));
    assert_eq!(stage.state.get("arn"), "arn:aws:s3:::ci-cache".into());
    assert_eq!(stage.state.get("prefix"), "project/".into());
    assert_eq!(stage.state.get("runner_cache").get("s3").get("bucket_location"), "eu-west-1".into());

    assert!(!stage.destroy().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
    assert!(account.state().s3.buckets.is_empty());
}

#[tokio::test]
async fn a_name_is_generated_from_its_prefix() {
    let account = Account::default();
    let mut stage = stage(&account);
    let prefix = [("bucket_prefix", Raw::from("ci-"))];
    assert!(stage.plan(&prefix).await.state.get("runner_cache").get("s3").get("bucket_name").is_unknown());
    stage.apply_wholly(&prefix).await;
    let name = stage.state.get("bucket").as_str().unwrap().to_owned();
    assert!(name.starts_with("ci-") && name.len() == 15, "{name}");
    assert_eq!(account.state().s3.buckets.keys().collect::<Vec<_>>(), [&name]);
    let planned = stage.plan(&[("bucket_prefix", Raw::from("other-"))]).await;
    assert_eq!(planned.replace, ["bucket_prefix".into()]);
}

#[tokio::test]
async fn an_import_plans_no_changes() {
    let account = Account::default();
    let config = with(&[
        ("cache_path", "ci".into()),
        ("shared", false.into()),
        ("expiration_days", 7.into()),
        ("versioning", true.into()),
        ("tags", Raw::Map([("cost".to_owned(), "1".into())].into())),
    ]);
    let mut first = stage(&account);
    first.apply_wholly(&config).await;
    let mut second = stage(&account);
    assert!(!second.import("ci-cache").await.has_errors());
    assert_eq!(second.state, first.state);
    assert_eq!(second.changes(&config).await, [""; 0]);
    assert_eq!(summaries(&stage(&account).import("not-there").await), ["Bucket not found"]);
}

#[tokio::test]
async fn each_setting_is_restored_alone() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    settled(&stage).await;
    for (part, shown) in [
        ("PublicAccessBlock", "protection"),
        ("BucketOwnershipControls", "protection"),
        ("BucketPolicy", "tls_only"),
        ("BucketTagging", "tags_all"),
    ] {
        change(&account, |bucket| drop(bucket.parts.remove(part)));
        account.changes();
        assert_eq!(stage.changes(&named()).await, [shown], "{part}");
        stage.apply_wholly(&named()).await;
        assert_eq!(account.changes(), [format!("Put{part}")]);
        settled(&stage).await;
    }
    change(&account, |bucket| drop(bucket.parts.remove("BucketLifecycleConfiguration")));
    assert_eq!(
        stage.changes(&named()).await,
        ["abort_incomplete_multipart_days", "expiration_days", "noncurrent_expiration_days"]
    );
    stage.apply_wholly(&named()).await;
    let config = with(&[("versioning", true.into())]);
    stage.apply_wholly(&config).await;
    settled(&stage).await;
    change(&account, |bucket| drop(bucket.parts.remove("BucketVersioning")));
    assert_eq!(stage.changes(&config).await, ["versioning"]);
}

#[tokio::test]
async fn settings_change_in_place() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&with(&[("versioning", true.into())])).await;
    let kms = [
        ("sse_algorithm", Raw::from("aws:kms")),
        ("kms_key_id", "alias/ci".into()),
        ("bucket_key_enabled", true.into()),
    ];
    let kms = Raw::Map(kms.map(|(name, value)| (name.to_owned(), value)).into());
    let config = with(&[
        ("expiration_days", 0.into()),
        ("shared", false.into()),
        ("encryption", kms),
        ("tls_only", false.into()),
        ("tags", Raw::Map([("cost".to_owned(), "1".into())].into())),
    ]);
    stage.apply_wholly(&config).await;
    assert!(part(&account, "BucketVersioning").unwrap().contains("Suspended"));
    assert!(part(&account, "BucketEncryption").unwrap().contains("alias/ci"));
    assert_eq!(part(&account, "BucketPolicy"), None);
    let lifecycle = part(&account, "BucketLifecycleConfiguration").unwrap();
    assert!(lifecycle.contains("<Prefix>runner/</Prefix>") && !lifecycle.contains("<Expiration>"), "{lifecycle}");
}

#[tokio::test]
async fn foreign_tags_are_kept() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    settled(&stage).await;
    let foreign = "<Tagging><TagSet><Tag><Key>theirs</Key><Value>1</Value></Tag></TagSet></Tagging>";
    set(&account, "BucketTagging", foreign);
    assert_eq!(stage.changes(&named()).await, ["tags_all"]);
    let config = with(&[("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    stage.apply_wholly(&config).await;
    stage.apply_wholly(&named()).await;
    let tags = part(&account, "BucketTagging").unwrap();
    assert!(tags.contains("theirs") && tags.contains("team") && !tags.contains("cost"), "{tags}");
}

/// A tag with the value null is omitted, in the second plan as well.
#[tokio::test]
async fn a_tag_without_a_value_is_omitted() {
    let account = Account::default();
    let mut stage = stage(&account);
    let tags = Raw::Map([("cost".to_owned(), "1".into()), ("owner".to_owned(), Raw::Null)].into());
    stage.apply_wholly(&with(&[("tags", tags)])).await;
    let tags = part(&account, "BucketTagging").unwrap();
    assert!(tags.contains("cost") && !tags.contains("owner"), "{tags}");
}

/// The error for a bucket with ABAC refers to S3 Control. Without ABAC, or if it cannot be read, the error does not.
#[tokio::test]
async fn refused_tags_of_a_bucket_with_abac_have_advice() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    let config = with(&[("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    let status = |status: &str| {
        let answer = format!("<AbacStatus><Status>{status}</Status></AbacStatus>");
        set(&account, "BucketAbac", &answer);
    };
    for (abac, is_named) in [("Enabled", true), ("Disabled", false), ("", false)] {
        status(abac);
        if abac.is_empty() {
            account.fault("GetBucketAbac", 0..2, Fault::Error(403, "AccessDenied", ""));
        }
        account.fault("PutBucketTagging", 0..1, Fault::Error(400, "InvalidRequest", ""));
        let diagnostics = stage.apply(&config).await;
        let text = &diagnostics.iter().next().unwrap().detail;
        assert!(text.contains("Setting the tags of the bucket ci-cache failed: PutBucketTagging"), "{text}");
        assert_eq!(text.contains("ABAC is enabled") && text.contains("aws s3control tag-resource"), is_named, "{text}");
    }
    // The user sets the tags with S3 Control.
    let mut tags = part(&account, "BucketTagging").unwrap();
    tags = tags.replace("</TagSet>", "<Tag><Key>cost</Key><Value>1</Value></Tag></TagSet>");
    set(&account, "BucketTagging", &tags);
    settled(&stage).await;
    account.changes();
    stage.apply_wholly(&config).await;
    assert_eq!(account.changes(), [""; 0]);
}

/// B1, B2, B7, B17: errors during propagation.
#[tokio::test]
async fn temporary_errors_are_retried() {
    let account = Account::default();
    account.fault("CreateBucket", 0..2, Fault::Error(409, "OperationAborted", ""));
    account.fault("GetPublicAccessBlock", 0..3, Fault::Error(404, "NoSuchBucket", ""));
    account.fault("GetBucketOwnershipControls", 0..1, Fault::Error(404, "OwnershipControlsNotFoundError", ""));
    account.fault("GetBucketEncryption", 0..1, Fault::Error(404, "ServerSideEncryptionConfigurationNotFoundError", ""));
    account.fault("PutBucketOwnershipControls", 0..2, Fault::Error(404, "NoSuchBucket", ""));
    account.fault("PutBucketTagging", 0..2, Fault::Error(409, "OperationAborted", ""));
    account.fault("PutBucketPolicy", 0..2, Fault::Error(400, "MalformedPolicy", ""));
    account.fault("PutBucketLifecycleConfiguration", 0..1, Fault::Error(503, "SlowDown", ""));
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    // A part may return NoSuchBucket while the bucket propagates.
    account.fault("GetBucketPolicy", 0..2, Fault::Error(404, "NoSuchBucket", ""));
    assert_eq!(stage.changes(&named()).await, [""; 0]);
}

/// B3: the response to the create is lost, and the second attempt of the SDK finds the new bucket.
#[tokio::test]
async fn a_lost_response_creates_one_bucket() {
    let account = Account::default();
    account.fault("CreateBucket", 0..1, Fault::LostAnswer);
    stage(&account).apply_wholly(&named()).await;
    assert_eq!(account.bodies("CreateBucket").len(), 2);

    // The second attempt of the SDK fails too, and a read shows that the bucket exists.
    let account = Account::default();
    account.fault("CreateBucket", 0..1, Fault::LostAnswer);
    account.fault("CreateBucket", 1..2, Fault::Error(500, "InternalError", ""));
    stage(&account).apply_wholly(&named()).await;
}

/// B4, B5: a bucket of the same account, and one of another account.
#[tokio::test]
async fn an_existing_bucket_is_not_changed() {
    let account = Account::default();
    account.state().s3.buckets.insert("ci-cache".to_owned(), Bucket::default());
    account.state().s3.foreign.push("taken".to_owned());
    let mut mine = stage(&account);
    assert_eq!(summaries(&mine.apply(&named()).await), ["Bucket already exists"]);
    assert_eq!(mine.state, Raw::Null);
    assert_eq!(account.changes(), [""; 0]);
    let mut theirs = stage(&account);
    let diagnostics = theirs.apply(&[("bucket", "taken".into())]).await;
    assert_eq!(summaries(&diagnostics), ["Bucket already exists"]);
    assert!(diagnostics.iter().any(|d| d.detail.contains("another account")), "{diagnostics:?}");
    assert_eq!(theirs.state, Raw::Null);
}

#[tokio::test]
async fn an_interrupted_create_is_continued() {
    let account = Account::default();
    let tags = "<Tagging><TagSet><Tag><Key>gitlabspot/unfinished</Key><Value>now</Value></Tag></TagSet></Tagging>";
    let bucket = Bucket { parts: [("BucketTagging".to_owned(), tags.to_owned())].into(), ..Bucket::default() };
    account.state().s3.buckets.insert("ci-cache".to_owned(), bucket);
    stage(&account).apply_wholly(&named()).await;
    assert_eq!(account.bodies("CreateBucket").len(), 0);
}

/// B6: the state keeps the bucket without the rejected part.
#[tokio::test]
async fn a_rejected_setting_keeps_the_bucket_in_the_state() {
    let account = Account::default();
    account.fault("PutBucketPolicy", 0..1, Fault::Error(403, "AccessDenied", ""));
    let mut stage = stage(&account);
    let diagnostics = stage.apply(&named()).await;
    assert_eq!(summaries(&diagnostics), ["Cannot set up the cache bucket"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("Setting the bucket policy of the bucket ci-cache failed: PutBucketPolicy"), "{detail}");
    assert!(detail.contains("the next apply deletes and recreates it") && detail.contains("untaint"), "{detail}");
    assert_eq!(stage.state.get("id"), "ci-cache".into());
    assert_eq!(stage.state.get("tls_only"), false.into());
    // After an untaint, an update sets the missing parts and removes the tag of the unfinished create.
    stage.apply_wholly(&named()).await;
    assert!(!part(&account, "BucketTagging").unwrap().contains("gitlabspot"));
    account.changes();
    stage.apply_wholly(&with(&[("force_destroy", true.into())])).await;
    assert_eq!(account.changes(), [""; 0]);
}

/// If the store, or a policy, does not allow tags in the create request, they are set right after it.
#[tokio::test]
async fn a_bucket_that_cannot_be_created_with_tags_is_tagged_afterwards() {
    let account = Account::default();
    account.state().s3.refuses_tags = true;
    let mut mine = stage(&account);
    mine.apply_wholly(&named()).await;
    assert_eq!(
        account.changes(),
        [
            "CreateBucket",
            "CreateBucket",
            "PutBucketTagging",
            "PutBucketPolicy",
            "PutBucketLifecycleConfiguration",
            "PutBucketTagging"
        ]
    );
    let account = Account::default();
    account.fault("CreateBucket", 0..2, Fault::Error(403, "AccessDenied", ""));
    let mut refused = stage(&account);
    assert_eq!(summaries(&refused.apply(&named()).await), ["Cannot create the cache bucket"]);
    assert_eq!((refused.state, account.changes().len()), (Raw::Null, 2));
}

/// In us-east-1 S3 reports success if the account's own bucket is created again, so that a bucket of which the owner is
/// unknown is an error.
#[tokio::test]
async fn unreadable_bucket_is_not_adopted() {
    let account = Account::default();
    account.state().s3.foreign.push("taken".to_owned());
    let mut first = Stage::new(CacheBucketResource, aws_settings(&account, "us-east-1"));
    let refused = first.apply(&[("bucket", "taken".into())]).await;
    assert_eq!(summaries(&refused), ["Bucket may already exist"]);
    assert_eq!((first.state, account.changes().len()), (Raw::Null, 0));
}

/// Responses to HEAD have no body, so that expired credentials are detected with another request.
#[tokio::test]
async fn expired_credentials_are_named_although_head_has_no_body() {
    let account = Account::default();
    let mut mine = stage(&account);
    mine.apply_wholly(&named()).await;
    account.fault("HeadBucket", 0..1, Fault::Error(400, "", ""));
    assert_eq!(mine.changes(&named()).await, [""; 0]);
    account.fault("HeadBucket", 0..1, Fault::Error(400, "", ""));
    account.fault("ListObjectsV2", ALL, Fault::Error(400, "ExpiredToken", ""));
    let diagnostics = mine.refresh().await;
    assert!(diagnostics.iter().any(|d| d.detail.contains("The AWS credentials have expired")), "{diagnostics:?}");
}

/// An update of the encryption keeps the encryption types that are blocked for uploads.
#[tokio::test]
async fn blocked_encryption_types_are_kept() {
    let account = Account::default();
    let kms = Raw::Map([("sse_algorithm".to_owned(), "aws:kms".into())].into());
    let mut stage = stage(&account);
    stage.apply_wholly(&with(&[("encryption", kms)])).await;
    let encryption = part(&account, "BucketEncryption").unwrap();
    assert!(encryption.contains("aws:kms") && encryption.contains("SSE-C"), "{encryption}");
}

/// B8: for some time after a change S3 may return the previous value, which is no difference but a warning. After that
/// time it is a difference.
#[tokio::test]
async fn a_stale_read_is_no_difference() {
    let config = with(&[("expiration_days", 30.into()), ("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    for (call, shown) in [
        ("GetBucketLifecycleConfiguration", "expiration_days"),
        ("GetBucketTagging", "tags"),
        ("GetBucketPolicy", "tls_only"),
    ] {
        let account = Account::default();
        let mut stage = stage(&account);
        stage.apply_wholly(&named()).await;
        let before = Box::new(account.state().clone());
        settled(&stage).await;
        let config = if shown == "tls_only" { with(&[("tls_only", false.into())]) } else { config.clone() };
        let started = stage.clock.passed();
        stage.apply_wholly(&config).await;
        assert_eq!(stage.clock.passed(), started, "nothing is waited for");
        account.fault(call, 0..1, Fault::StaleRead(before.clone()));
        assert_eq!(summaries(&stage.refresh().await), ["Outdated response from S3"], "{call}");
        assert_eq!(stage.differences(&config).await, [""; 0], "{call}");
        // The next read returns the new value.
        assert_eq!(stage.changes(&config).await, [""; 0], "{call}");
        settled(&stage).await;
        account.fault(call, 0..1, Fault::StaleRead(before));
        assert!(stage.changes(&config).await.contains(&shown.to_owned()), "{call}");
    }
}

/// A value that others set right after a change is not an outdated response.
#[tokio::test]
async fn a_manual_change_right_after_an_apply_is_a_difference() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    let theirs = part(&account, "BucketLifecycleConfiguration").unwrap().replace("<Days>60</Days>", "<Days>7</Days>");
    set(&account, "BucketLifecycleConfiguration", &theirs);
    assert_eq!(stage.changes(&named()).await, ["expiration_days"]);
}

/// An outdated response with the desired value does not prevent the write of a part that is changed back.
#[tokio::test]
async fn a_stale_read_does_not_prevent_a_change_back() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    settled(&stage).await;
    let before = Box::new(account.state().clone());
    stage.apply_wholly(&with(&[("tls_only", false.into())])).await;
    assert_eq!(part(&account, "BucketPolicy"), None);
    account.fault("GetBucketPolicy", 0..1, Fault::StaleRead(before));
    stage.apply_wholly(&named()).await;
    assert!(part(&account, "BucketPolicy").is_some());
}

/// B11, B12, B13, B15: objects prevent a destroy without `force_destroy`, and objects that are written during a destroy
/// are deleted as well, in a limited number of rounds.
#[tokio::test]
async fn force_destroy_deletes_every_version() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    let odd = ["a\u{1}b", "a&b", "a b", "a+b", "<a>"].map(|key| (key.to_owned(), "v".to_owned(), false));
    let many = (0..2500).map(|number| (format!("k{}", number / 2), format!("{number:05}"), number % 2 == 1));
    let mut versions: Vec<_> = odd.into_iter().chain(many).collect();
    versions.sort();
    change(&account, |bucket| bucket.versions = versions);

    assert_eq!(summaries(&stage.destroy().await), ["Bucket is not empty"]);
    assert_eq!(stage.state.get("id"), "ci-cache".into());
    let config = with(&[("force_destroy", true.into())]);
    stage.apply_wholly(&config).await;

    change(&account, |bucket| bucket.writes = 100);
    let before = stage.clock.passed();
    let diagnostics = stage.destroy().await;
    assert_eq!(summaries(&diagnostics), ["Cannot empty the cache bucket"]);
    assert!(diagnostics.iter().any(|d| d.detail.contains("emptied 9 times")), "{diagnostics:?}");
    assert!((120..180).contains(&(stage.clock.passed() - before).as_secs()));
    // The first round deletes three batches, because the bucket contains 2,505 versions, each other round one batch.
    assert_eq!(account.bodies("DeleteObjects").len(), 3 + 8);
    // Only one more object is written.
    change(&account, |bucket| bucket.writes = 1);
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().s3.buckets.is_empty());
}

/// B14, and the destroy of a bucket that no longer exists.
#[tokio::test]
async fn a_deleted_bucket_is_removed_from_the_state() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    account.state().s3.buckets.clear();
    assert!(!stage.destroy().await.has_errors());
    stage.apply_wholly(&named()).await;
    account.state().s3.buckets.clear();
    assert!(!stage.refresh().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
}

#[tokio::test]
async fn us_east_1_has_no_location_constraint() {
    let account = Account::default();
    Stage::new(CacheBucketResource, aws_settings(&account, "us-east-1")).apply_wholly(&named()).await;
}
