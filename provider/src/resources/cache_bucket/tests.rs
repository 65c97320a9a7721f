//! Scenarios: the resource as core drives it, on an AWS account in memory.

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

/// Until reads no longer show what was there before a change.
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

/// What somebody else changes.
fn change(account: &Account, change: impl FnOnce(&mut Bucket)) {
    change(account.state().s3.buckets.get_mut("ci-cache").unwrap());
}

fn set(account: &Account, part: &str, content: &str) {
    change(account, |bucket| drop(bucket.parts.insert(part.to_owned(), content.to_owned())));
}

#[tokio::test]
async fn the_guides_bucket() {
    let account = Account::default();
    let mut stage = stage(&account);
    assert!(!stage.apply(&named()).await.has_errors());
    let calls = account.calls();
    assert!(calls.len() <= 16, "{calls:?}");
    assert_eq!(stage.clock.passed(), Duration::ZERO);
    // Where rules of an organisation deny the other calls, nothing is in the way.
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

/// A tag without a value is none, in the second plan as well.
#[tokio::test]
async fn a_tag_without_a_value_is_omitted() {
    let account = Account::default();
    let mut stage = stage(&account);
    let tags = Raw::Map([("cost".to_owned(), "1".into()), ("owner".to_owned(), Raw::Null)].into());
    stage.apply_wholly(&with(&[("tags", tags)])).await;
    let tags = part(&account, "BucketTagging").unwrap();
    assert!(tags.contains("cost") && !tags.contains("owner"), "{tags}");
}

/// A bucket with ABAC takes its tags by another service, which is said; what does not tell so is not taken for it.
#[tokio::test]
async fn a_bucket_with_abac() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    let config = with(&[("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    let status = |status: &str| {
        let answer = format!("<AbacStatus><Status>{status}</Status></AbacStatus>");
        set(&account, "BucketAbac", &answer);
    };
    for (abac, is_said) in [("Enabled", true), ("Disabled", false), ("", false)] {
        status(abac);
        if abac.is_empty() {
            account.fault("GetBucketAbac", 0..2, Fault::Error(403, "AccessDenied", ""));
        }
        account.fault("PutBucketTagging", 0..1, Fault::Error(400, "InvalidRequest", ""));
        let diagnostics = stage.apply(&config).await;
        let said = &diagnostics.iter().next().unwrap().detail;
        assert!(said.contains("Setting the tags of the bucket ci-cache failed: PutBucketTagging"), "{said}");
        assert_eq!(said.contains("ABAC is enabled") && said.contains("aws s3control tag-resource"), is_said, "{said}");
    }
    // Tagged as it was said.
    let mut tags = part(&account, "BucketTagging").unwrap();
    tags = tags.replace("</TagSet>", "<Tag><Key>cost</Key><Value>1</Value></Tag></TagSet>");
    set(&account, "BucketTagging", &tags);
    settled(&stage).await;
    account.changes();
    stage.apply_wholly(&config).await;
    assert_eq!(account.changes(), [""; 0]);
}

/// B1, B2, B7, B17: AWS needs some time.
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
    // Where the news of the bucket has not come to, some of it is missing.
    account.fault("GetBucketPolicy", 0..2, Fault::Error(404, "NoSuchBucket", ""));
    assert_eq!(stage.changes(&named()).await, [""; 0]);
}

/// B3: the answer to the create is lost; the SDK's second attempt finds a bucket that is ours.
#[tokio::test]
async fn a_lost_response_creates_one_bucket() {
    let account = Account::default();
    account.fault("CreateBucket", 0..1, Fault::LostAnswer);
    stage(&account).apply_wholly(&named()).await;
    assert_eq!(account.bodies("CreateBucket").len(), 2);

    // The SDK gives up: a look shows that the bucket is there.
    let account = Account::default();
    account.fault("CreateBucket", 0..1, Fault::LostAnswer);
    account.fault("CreateBucket", 1..2, Fault::Error(500, "InternalError", ""));
    stage(&account).apply_wholly(&named()).await;
}

/// B4, B5.
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

/// B6: what was made stays in the state.
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
    // Untainted by the user: what is missing is set, and the mark goes.
    stage.apply_wholly(&named()).await;
    assert!(!part(&account, "BucketTagging").unwrap().contains("gitlabspot"));
    account.changes();
    stage.apply_wholly(&with(&[("force_destroy", true.into())])).await;
    assert_eq!(account.changes(), [""; 0]);
}

/// A store or a policy that does not take tags with the request for a bucket gets them right after it.
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

/// In us-east-1 S3 takes the create of a bucket that is there already for success.
#[tokio::test]
async fn a_bucket_that_cannot_be_read_is_not_taken_over() {
    let account = Account::default();
    account.state().s3.foreign.push("taken".to_owned());
    let mut first = Stage::new(CacheBucketResource, aws_settings(&account, "us-east-1"));
    let refused = first.apply(&[("bucket", "taken".into())]).await;
    assert_eq!(summaries(&refused), ["Bucket may already exist"]);
    assert_eq!((first.state, account.changes().len()), (Raw::Null, 0));
}

/// An answer to HEAD has no body. What expired credentials are told is found out by another request.
#[tokio::test]
async fn expired_credentials_are_named_although_head_has_no_body() {
    let account = Account::default();
    let mut mine = stage(&account);
    mine.apply_wholly(&named()).await;
    account.fault("HeadBucket", 0..1, Fault::Error(400, "", ""));
    assert_eq!(mine.changes(&named()).await, [""; 0]);
    account.fault("HeadBucket", 0..1, Fault::Error(400, "", ""));
    account.fault("ListObjectsV2", ALL, Fault::Error(400, "ExpiredToken", ""));
    let told = mine.refresh().await;
    assert!(told.iter().any(|d| d.detail.contains("The AWS credentials have expired")), "{told:?}");
}

/// A policy of another set of settings: what is blocked for uploads stays blocked.
#[tokio::test]
async fn blocked_encryption_types_are_kept() {
    let account = Account::default();
    let kms = Raw::Map([("sse_algorithm".to_owned(), "aws:kms".into())].into());
    let mut stage = stage(&account);
    stage.apply_wholly(&with(&[("encryption", kms)])).await;
    let encryption = part(&account, "BucketEncryption").unwrap();
    assert!(encryption.contains("aws:kms") && encryption.contains("SSE-C"), "{encryption}");
}

/// B8: for some time after a change S3 may show what was there before. It is no difference, and said; anything else is
/// one at once, and this as well when that time is over.
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
        // By turns with the new one.
        assert_eq!(stage.changes(&config).await, [""; 0], "{call}");
        settled(&stage).await;
        account.fault(call, 0..1, Fault::StaleRead(before));
        assert!(stage.changes(&config).await.contains(&shown.to_owned()), "{call}");
    }
}

/// What someone else has set a moment after a change is no old answer.
#[tokio::test]
async fn a_manual_change_right_after_an_apply_is_a_difference() {
    let account = Account::default();
    let mut stage = stage(&account);
    stage.apply_wholly(&named()).await;
    let theirs = part(&account, "BucketLifecycleConfiguration").unwrap().replace("<Days>60</Days>", "<Days>7</Days>");
    set(&account, "BucketLifecycleConfiguration", &theirs);
    assert_eq!(stage.changes(&named()).await, ["expiration_days"]);
}

/// An old answer is not believed when it shows what is to be written, either: after a change there and back.
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

/// B11, B12, B13, B15.
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
    // It had the odd keys, a thousand, a thousand and the rest in it, and after that one page each time.
    assert_eq!(account.bodies("DeleteObjects").len(), 3 + 8);
    // The last writer ends.
    change(&account, |bucket| bucket.writes = 1);
    assert!(!stage.destroy().await.has_errors());
    assert!(account.state().s3.buckets.is_empty());
}

/// B14, and destroying what is gone.
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
