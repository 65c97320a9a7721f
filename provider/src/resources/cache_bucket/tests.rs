//! Scenarios: the resource as core drives it, on a small S3 in memory.

mod store;

use std::time::Duration;

use tfplugin::framework::Raw;

use self::store::{Bucket, Fault, Store};
use super::CacheBucketResource;
use super::previous_values::WINDOW;
use crate::testing::{Stage, summaries};
use crate::timestamp;

fn stage(store: &Store) -> Stage {
    let stage = Stage::new(CacheBucketResource, store.settings("eu-west-1"));
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

fn part(store: &Store, name: &str) -> Option<String> {
    store.world().buckets["ci-cache"].parts.get(name).cloned()
}

#[tokio::test]
async fn the_guides_bucket() {
    let store = Store::default();
    let mut stage = stage(&store);
    assert!(!stage.apply(&named()).await.has_errors());
    let calls = store.world().log.len();
    assert!(calls <= 16, "{calls}");
    assert_eq!(stage.clock.passed(), Duration::ZERO);
    // Where rules of an organisation deny the other calls, nothing is in the way.
    assert_eq!(store.changes(), ["PUT", "PUT policy", "PUT lifecycle", "PUT tagging"]);
    assert_eq!(stage.changes(&named()).await, [""; 0]);
    let lifecycle = part(&store, "lifecycle").unwrap();
    for text in ["<Prefix>project/</Prefix>", "<Days>60</Days>", "<NoncurrentDays>1</NoncurrentDays>"] {
        assert!(lifecycle.contains(text), "{lifecycle}");
    }
    assert!(!part(&store, "tagging").unwrap().contains("gitlabspot"));
    assert_eq!(stage.state.get("arn"), "arn:aws:s3:::ci-cache".into());
    assert_eq!(stage.state.get("prefix"), "project/".into());
    assert_eq!(stage.state.get("runner_cache").get("s3").get("bucket_location"), "eu-west-1".into());

    assert!(!stage.destroy().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
    assert!(store.world().buckets.is_empty());
}

#[tokio::test]
async fn a_name_is_made_up() {
    let store = Store::default();
    let mut stage = stage(&store);
    let prefix = [("bucket_prefix", Raw::from("ci-"))];
    assert!(stage.plan(&prefix).await.state.get("runner_cache").get("s3").get("bucket_name").is_unknown());
    stage.apply_wholly(&prefix).await;
    let name = stage.state.get("bucket").as_str().unwrap().to_owned();
    assert!(name.starts_with("ci-") && name.len() == 15, "{name}");
    assert_eq!(store.world().buckets.keys().collect::<Vec<_>>(), [&name]);
    let planned = stage.plan(&[("bucket_prefix", Raw::from("other-"))]).await;
    assert_eq!(planned.replace, ["bucket_prefix".into()]);
}

#[tokio::test]
async fn import_needs_nothing_more() {
    let store = Store::default();
    let config = with(&[
        ("cache_path", "ci".into()),
        ("shared", false.into()),
        ("expiration_days", 7.into()),
        ("versioning", true.into()),
        ("tags", Raw::Map([("cost".to_owned(), "1".into())].into())),
    ]);
    let mut first = stage(&store);
    first.apply_wholly(&config).await;
    let mut second = stage(&store);
    assert!(!second.import("ci-cache").await.has_errors());
    assert_eq!(second.state, first.state);
    assert_eq!(second.changes(&config).await, [""; 0]);
    assert_eq!(summaries(&stage(&store).import("not-there").await), ["Bucket not found"]);
}

#[tokio::test]
async fn each_part_is_repaired_alone() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    settled(&stage).await;
    for (part, shown) in [
        ("publicAccessBlock", "protection"),
        ("ownershipControls", "protection"),
        ("policy", "tls_only"),
        ("tagging", "tags_all"),
    ] {
        store.world().buckets.get_mut("ci-cache").unwrap().parts.remove(part);
        store.changes();
        assert_eq!(stage.changes(&named()).await, [shown], "{part}");
        stage.apply_wholly(&named()).await;
        assert_eq!(store.changes(), [format!("PUT {part}")]);
        settled(&stage).await;
    }
    store.world().buckets.get_mut("ci-cache").unwrap().parts.remove("lifecycle");
    assert_eq!(
        stage.changes(&named()).await,
        ["abort_incomplete_multipart_days", "expiration_days", "noncurrent_expiration_days"]
    );
    stage.apply_wholly(&named()).await;
    let config = with(&[("versioning", true.into())]);
    stage.apply_wholly(&config).await;
    settled(&stage).await;
    store.world().buckets.get_mut("ci-cache").unwrap().parts.remove("versioning");
    assert_eq!(stage.changes(&config).await, ["versioning"]);
}

#[tokio::test]
async fn settings_change_in_place() {
    let store = Store::default();
    let mut stage = stage(&store);
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
    assert!(part(&store, "versioning").unwrap().contains("Suspended"));
    assert!(part(&store, "encryption").unwrap().contains("alias/ci"));
    assert_eq!(part(&store, "policy"), None);
    let lifecycle = part(&store, "lifecycle").unwrap();
    assert!(lifecycle.contains("<Prefix>runner/</Prefix>") && !lifecycle.contains("<Expiration>"), "{lifecycle}");
}

#[tokio::test]
async fn what_others_put_there_stays() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    settled(&stage).await;
    let foreign = "<Tagging><TagSet><Tag><Key>theirs</Key><Value>1</Value></Tag></TagSet></Tagging>";
    store.world().buckets.get_mut("ci-cache").unwrap().parts.insert("tagging".to_owned(), foreign.to_owned());
    assert_eq!(stage.changes(&named()).await, ["tags_all"]);
    let config = with(&[("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    stage.apply_wholly(&config).await;
    stage.apply_wholly(&named()).await;
    let tags = part(&store, "tagging").unwrap();
    assert!(tags.contains("theirs") && tags.contains("team") && !tags.contains("cost"), "{tags}");
}

/// A tag without a value is none, in the second plan as well.
#[tokio::test]
async fn a_tag_without_a_value() {
    let store = Store::default();
    let mut stage = stage(&store);
    let tags = Raw::Map([("cost".to_owned(), "1".into()), ("owner".to_owned(), Raw::Null)].into());
    stage.apply_wholly(&with(&[("tags", tags)])).await;
    let tags = part(&store, "tagging").unwrap();
    assert!(tags.contains("cost") && !tags.contains("owner"), "{tags}");
}

/// A bucket with ABAC takes its tags by another service, which is said; what does not tell so is not taken for it.
#[tokio::test]
async fn a_bucket_with_abac() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    let config = with(&[("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    let status = |status: &str| {
        let answer = format!("<AbacStatus><Status>{status}</Status></AbacStatus>");
        store.world().buckets.get_mut("ci-cache").unwrap().parts.insert("abac".to_owned(), answer);
    };
    for (abac, is_said) in [("Enabled", true), ("Disabled", false), ("", false)] {
        status(abac);
        if abac.is_empty() {
            store.fault("GET abac", 2, Fault::Code(403, "AccessDenied"));
        }
        store.fault("PUT tagging", 1, Fault::Code(400, "InvalidRequest"));
        let diagnostics = stage.apply(&config).await;
        let said = &diagnostics.iter().next().unwrap().detail;
        assert!(said.contains("Setting the tags of the bucket ci-cache failed: PutBucketTagging"), "{said}");
        assert_eq!(said.contains("ABAC is enabled") && said.contains("aws s3control tag-resource"), is_said, "{said}");
    }
    // Tagged as it was said.
    let mut tags = part(&store, "tagging").unwrap();
    tags = tags.replace("</TagSet>", "<Tag><Key>cost</Key><Value>1</Value></Tag></TagSet>");
    store.world().buckets.get_mut("ci-cache").unwrap().parts.insert("tagging".to_owned(), tags);
    settled(&stage).await;
    store.changes();
    stage.apply_wholly(&config).await;
    assert_eq!(store.changes(), [""; 0]);
}

/// B1, B2, B7, B17: AWS needs some time.
#[tokio::test]
async fn refusals_that_pass() {
    let store = Store::default();
    store.fault("PUT", 2, Fault::Code(409, "OperationAborted"));
    store.fault("GET publicAccessBlock", 3, Fault::Code(404, "NoSuchBucket"));
    store.fault("GET ownershipControls", 1, Fault::Code(404, "OwnershipControlsNotFoundError"));
    store.fault("GET encryption", 1, Fault::Code(404, "ServerSideEncryptionConfigurationNotFoundError"));
    store.fault("PUT ownershipControls", 2, Fault::Code(404, "NoSuchBucket"));
    store.fault("PUT tagging", 2, Fault::Code(409, "OperationAborted"));
    store.fault("PUT policy", 2, Fault::Code(400, "MalformedPolicy"));
    store.fault("PUT lifecycle", 2, Fault::Code(503, "SlowDown"));
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    // Where the news of the bucket has not come to, some of it is missing.
    store.fault("GET policy", 2, Fault::Code(404, "NoSuchBucket"));
    assert_eq!(stage.changes(&named()).await, [""; 0]);
}

/// B3: the answer to the create is lost; the SDK's second attempt finds a bucket that is ours.
#[tokio::test]
async fn a_lost_answer() {
    let store = Store::default();
    store.fault("PUT", 1, Fault::Lost);
    stage(&store).apply_wholly(&named()).await;
    assert_eq!(store.changes().iter().filter(|call| *call == "PUT").count(), 2);

    // The SDK gives up: a look shows that the bucket is there.
    let store = Store::default();
    store.fault("PUT", 1, Fault::Lost);
    store.fault("PUT", 2, Fault::Code(500, "InternalError"));
    stage(&store).apply_wholly(&named()).await;
}

/// B4, B5.
#[tokio::test]
async fn buckets_of_others() {
    let store = Store::default();
    store.world().buckets.insert("ci-cache".to_owned(), Bucket::default());
    store.world().foreign.push("taken".to_owned());
    let mut mine = stage(&store);
    assert_eq!(summaries(&mine.apply(&named()).await), ["Bucket already exists"]);
    assert_eq!(mine.state, Raw::Null);
    assert_eq!(store.changes(), [""; 0]);
    let mut theirs = stage(&store);
    let diagnostics = theirs.apply(&[("bucket", "taken".into())]).await;
    assert_eq!(summaries(&diagnostics), ["Bucket already exists"]);
    assert!(diagnostics.iter().any(|d| d.detail.contains("another account")), "{diagnostics:?}");
    assert_eq!(theirs.state, Raw::Null);
}

#[tokio::test]
async fn a_create_that_was_killed_is_continued() {
    let store = Store::default();
    let tags = "<Tagging><TagSet><Tag><Key>gitlabspot/unfinished</Key><Value>now</Value></Tag></TagSet></Tagging>";
    let bucket = Bucket { parts: [("tagging".to_owned(), tags.to_owned())].into(), ..Bucket::default() };
    store.world().buckets.insert("ci-cache".to_owned(), bucket);
    stage(&store).apply_wholly(&named()).await;
    assert_eq!(store.changes().iter().filter(|call| *call == "PUT").count(), 0);
}

/// B6: what was made stays in the state.
#[tokio::test]
async fn a_part_that_is_refused() {
    let store = Store::default();
    store.fault("PUT policy", 1, Fault::Code(403, "AccessDenied"));
    let mut stage = stage(&store);
    let diagnostics = stage.apply(&named()).await;
    assert_eq!(summaries(&diagnostics), ["Cannot set up the cache bucket"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("Setting the bucket policy of the bucket ci-cache failed: PutBucketPolicy"), "{detail}");
    assert!(detail.contains("the next apply deletes and recreates it") && detail.contains("untaint"), "{detail}");
    assert_eq!(stage.state.get("id"), "ci-cache".into());
    assert_eq!(stage.state.get("tls_only"), false.into());
    // Untainted by the user: what is missing is set, and the mark goes.
    stage.apply_wholly(&named()).await;
    assert!(!part(&store, "tagging").unwrap().contains("gitlabspot"));
    store.changes();
    stage.apply_wholly(&with(&[("force_destroy", true.into())])).await;
    assert_eq!(store.changes(), [""; 0]);
}

/// A store or a policy that does not take tags with the request for a bucket gets them right after it.
#[tokio::test]
async fn a_bucket_that_cannot_be_made_with_tags() {
    let store = Store::default();
    store.world().refuses_tags = true;
    let mut mine = stage(&store);
    mine.apply_wholly(&named()).await;
    assert_eq!(store.changes(), ["PUT", "PUT", "PUT tagging", "PUT policy", "PUT lifecycle", "PUT tagging"]);
    let store = Store::default();
    store.fault("PUT", 2, Fault::Code(403, "AccessDenied"));
    let mut refused = stage(&store);
    assert_eq!(summaries(&refused.apply(&named()).await), ["Cannot create the cache bucket"]);
    assert_eq!((refused.state, store.changes().len()), (Raw::Null, 2));
}

/// In us-east-1 S3 takes the create of a bucket that is there already for success.
#[tokio::test]
async fn a_bucket_that_may_not_be_seen() {
    let store = Store::default();
    store.world().foreign.push("taken".to_owned());
    let mut first = Stage::new(CacheBucketResource, store.settings("us-east-1"));
    let refused = first.apply(&[("bucket", "taken".into())]).await;
    assert_eq!(summaries(&refused), ["Bucket may already exist"]);
    assert_eq!((first.state, store.changes().len()), (Raw::Null, 0));
}

/// An answer to HEAD has no body. What expired credentials are told is found out by another request.
#[tokio::test]
async fn a_refusal_without_a_reason() {
    let store = Store::default();
    let mut mine = stage(&store);
    mine.apply_wholly(&named()).await;
    store.fault("HEAD", 1, Fault::Code(400, ""));
    assert_eq!(mine.changes(&named()).await, [""; 0]);
    store.fault("HEAD", 1, Fault::Code(400, ""));
    store.fault("GET", 3, Fault::Code(400, "ExpiredToken"));
    let told = mine.refresh().await;
    assert!(told.iter().any(|d| d.detail.contains("The AWS credentials have expired")), "{told:?}");
}

/// A policy of another set of settings: what is blocked for uploads stays blocked.
#[tokio::test]
async fn what_uploads_may_not_use_stays_so() {
    let store = Store::default();
    let kms = Raw::Map([("sse_algorithm".to_owned(), "aws:kms".into())].into());
    let mut stage = stage(&store);
    stage.apply_wholly(&with(&[("encryption", kms)])).await;
    let encryption = part(&store, "encryption").unwrap();
    assert!(encryption.contains("aws:kms") && encryption.contains("SSE-C"), "{encryption}");
}

/// B8: for some time after a change S3 may show what was there before. It is no difference, and said; anything else is
/// one at once, and this as well when that time is over.
#[tokio::test]
async fn what_was_there_before_a_change() {
    let config = with(&[("expiration_days", 30.into()), ("tags", Raw::Map([("cost".to_owned(), "1".into())].into()))]);
    for (call, shown) in [("GET lifecycle", "expiration_days"), ("GET tagging", "tags"), ("GET policy", "tls_only")] {
        let store = Store::default();
        let mut stage = stage(&store);
        stage.apply_wholly(&named()).await;
        let old = |store: &Store| store.world().buckets["ci-cache"].parts.clone();
        let before = old(&store);
        settled(&stage).await;
        let config = if shown == "tls_only" { with(&[("tls_only", false.into())]) } else { config.clone() };
        let started = stage.clock.passed();
        stage.apply_wholly(&config).await;
        assert_eq!(stage.clock.passed(), started, "nothing is waited for");
        store.world().buckets.get_mut("ci-cache").unwrap().before = before;
        store.fault(call, 1, Fault::Stale);
        assert_eq!(summaries(&stage.refresh().await), ["Outdated response from S3"], "{call}");
        assert_eq!(stage.differences(&config).await, [""; 0], "{call}");
        // By turns with the new one.
        assert_eq!(stage.changes(&config).await, [""; 0], "{call}");
        settled(&stage).await;
        store.fault(call, 1, Fault::Stale);
        assert!(stage.changes(&config).await.contains(&shown.to_owned()), "{call}");
    }
}

/// What someone else has set a moment after a change is no old answer.
#[tokio::test]
async fn a_change_by_hand_right_after_ours() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    let theirs = part(&store, "lifecycle").unwrap().replace("<Days>60</Days>", "<Days>7</Days>");
    store.world().buckets.get_mut("ci-cache").unwrap().parts.insert("lifecycle".to_owned(), theirs);
    assert_eq!(stage.changes(&named()).await, ["expiration_days"]);
}

/// An old answer is not believed when it shows what is to be written, either: after a change there and back.
#[tokio::test]
async fn a_change_that_is_taken_back_at_once() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    settled(&stage).await;
    let before = store.world().buckets["ci-cache"].parts.clone();
    stage.apply_wholly(&with(&[("tls_only", false.into())])).await;
    assert_eq!(part(&store, "policy"), None);
    store.world().buckets.get_mut("ci-cache").unwrap().before = before;
    store.fault("GET policy", 1, Fault::Stale);
    stage.apply_wholly(&named()).await;
    assert!(part(&store, "policy").is_some());
}

/// B11, B12, B13, B15.
#[tokio::test]
async fn emptying() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    let odd = ["a\u{1}b", "a&b", "a b", "a+b", "<a>"].map(|key| (key.to_owned(), "v".to_owned(), false));
    let many = (0..2500).map(|number| (format!("k{}", number / 2), format!("{number:05}"), number % 2 == 1));
    let mut versions: Vec<_> = odd.into_iter().chain(many).collect();
    versions.sort();
    store.world().buckets.get_mut("ci-cache").unwrap().versions = versions;

    assert_eq!(summaries(&stage.destroy().await), ["Bucket is not empty"]);
    assert_eq!(stage.state.get("id"), "ci-cache".into());
    let config = with(&[("force_destroy", true.into())]);
    stage.apply_wholly(&config).await;

    store.world().buckets.get_mut("ci-cache").unwrap().busy = 100;
    let before = stage.clock.passed();
    let diagnostics = stage.destroy().await;
    assert_eq!(summaries(&diagnostics), ["Cannot empty the cache bucket"]);
    assert!(diagnostics.iter().any(|d| d.detail.contains("emptied 9 times")), "{diagnostics:?}");
    assert!((120..180).contains(&(stage.clock.passed() - before).as_secs()));
    // It had the odd keys, a thousand, a thousand and the rest in it, and after that one page each time.
    let asked = |store: &Store, call: &str| store.changes().iter().filter(|found| *found == call).count();
    assert_eq!(asked(&store, "POST delete"), 3 + 8);
    // The last writer ends.
    store.world().buckets.get_mut("ci-cache").unwrap().busy = 1;
    assert!(!stage.destroy().await.has_errors());
    assert!(store.world().buckets.is_empty());
}

/// B14, and destroying what is gone.
#[tokio::test]
async fn gone() {
    let store = Store::default();
    let mut stage = stage(&store);
    stage.apply_wholly(&named()).await;
    store.world().buckets.clear();
    assert!(!stage.destroy().await.has_errors());
    stage.apply_wholly(&named()).await;
    store.world().buckets.clear();
    assert!(!stage.refresh().await.has_errors());
    assert_eq!(stage.state, Raw::Null);
}

#[tokio::test]
async fn the_first_region_has_no_constraint() {
    let store = Store::default();
    Stage::new(CacheBucketResource, store.settings("us-east-1")).apply_wholly(&named()).await;
}
