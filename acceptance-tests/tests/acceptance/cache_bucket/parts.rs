//! Settings of a bucket: changes by others are reported and repaired, and settings of others are preserved.

use aws_sdk_s3::types::{
    AbacStatus, BucketAbacStatus, BucketLifecycleConfiguration, BucketVersioningStatus, ExpirationStatus,
    LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, Tag, Transition, TransitionStorageClass,
    VersioningConfiguration,
};
use gitlabspot_acceptance_tests::{Account, Fault};
use serde_json::{Value, json};

use super::{ADDRESS, count, destroy_and_verify, guide, tag, tags};

/// B9: the plan reports each setting that was changed manually, and the apply writes only these settings.
#[tokio::test]
async fn manual_changes_are_reported_and_repaired() {
    let (stage, workspace, bucket) = guide("by_hand", json!({ "versioning": true })).await;
    workspace.apply().await;
    // Right after a change, the former value is not drift. A state from an import has no former values.
    let _ = workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    let _ = workspace.try_import(ADDRESS, &bucket).await.succeeded();
    workspace.apply().await;
    let s3 = stage.account.s3();
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    for part in ["lifecycle", "public access", "versioning", "policy"] {
        let put = match part {
            "lifecycle" => {
                s3.delete_bucket_lifecycle().bucket(&bucket).send().await.unwrap();
                "PutBucketLifecycleConfiguration"
            }
            "public access" => {
                s3.delete_public_access_block().bucket(&bucket).send().await.unwrap();
                "PutPublicAccessBlock"
            }
            "versioning" => {
                let request = s3.put_bucket_versioning().bucket(&bucket).versioning_configuration(suspended.clone());
                request.send().await.unwrap();
                "PutBucketVersioning"
            }
            _ => {
                s3.delete_bucket_policy().bucket(&bucket).send().await.unwrap();
                "PutBucketPolicy"
            }
        };
        assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"], "{part}");
        stage.account.forget();
        workspace.apply().await;
        assert_eq!(stage.account.changes(), [put], "{part}");
    }
    destroy_and_verify(&stage, &workspace).await;
}

/// A bucket with ABAC refuses tags from the S3 API, and the error has the solution. Without ABAC the next apply sets
/// the tags.
#[tokio::test]
async fn bucket_with_abac_refuses_tags() {
    let (stage, workspace, bucket) = guide("abac", json!({})).await;
    workspace.apply().await;
    let abac = async |status: BucketAbacStatus| {
        let status = AbacStatus::builder().status(status).build();
        stage.account.s3().put_bucket_abac().bucket(&bucket).abac_status(status).send().await.unwrap();
    };
    abac(BucketAbacStatus::Enabled).await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "tags": { "cost": "1" } }));
    let printed = workspace.try_apply().await.failed();
    assert!(
        printed.contains("ABAC is enabled on the bucket") && printed.contains("aws s3control tag-resource"),
        "{printed}"
    );
    abac(BucketAbacStatus::Disabled).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(tags(&stage.account, &bucket).await.get("cost").map(String::as_str), Some("1"));
    destroy_and_verify(&stage, &workspace).await;
}

/// B10: older S3-compatible stores have no defaults for a new bucket, and return errors.
#[tokio::test]
async fn new_bucket_without_defaults_is_understood() {
    let (stage, workspace, _) = guide("no_defaults", json!({})).await;
    for (action, code) in [
        ("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ] {
        stage.account.inject(Fault::error("s3", action, 404, code, "none"));
    }
    workspace.apply().await;
    let sent = ["GetPublicAccessBlock", "PutPublicAccessBlock", "PutBucketOwnershipControls", "PutBucketEncryption"];
    assert_eq!(sent.map(|action| count(&stage.account, action)), [1, 1, 1, 0]);
    destroy_and_verify(&stage, &workspace).await;
}

/// B16: tags of others are preserved when managed tags change; managed tags are removed with the configuration.
#[tokio::test]
async fn tags_of_others_are_preserved() {
    let (stage, workspace, bucket) = guide("tags", json!({ "tags": { "cost": "1" } })).await;
    workspace.apply().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["tags_all"], json!({ "cost": "1", "team": "ci" }));
    tag(&stage.account, &bucket, &[("cost", "1"), ("team", "ci"), ("theirs", "x"), ("audited", "yes")]).await;
    workspace.assert_stable().await;
    workspace.set(&json!({ "tags": { "price": "2" } }));
    workspace.apply().await;
    let left = tags(&stage.account, &bucket).await;
    let expected = [("audited", "yes"), ("price", "2"), ("team", "ci"), ("theirs", "x")];
    assert_eq!(left.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
    destroy_and_verify(&stage, &workspace).await;
}

async fn rules(account: &Account, bucket: &str) -> Vec<LifecycleRule> {
    let found = account.s3().get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
    found.rules.unwrap_or_default()
}

/// Lifecycle rules of others are preserved when the managed rule changes and when it is removed.
#[tokio::test]
async fn lifecycle_rules_of_others_are_preserved() {
    let (stage, workspace, bucket) = guide("rules", json!({})).await;
    workspace.apply().await;
    let ours = rules(&stage.account, &bucket).await;
    let all_of = LifecycleRuleAndOperator::builder()
        .prefix("artifacts/")
        .tags(Tag::builder().key("keep").value("no").build().unwrap())
        .build();
    let theirs = LifecycleRule::builder()
        .id("theirs")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().and(all_of).build())
        .transitions(Transition::builder().days(30).storage_class(TransitionStorageClass::StandardIa).build())
        .build()
        .unwrap();
    let both = BucketLifecycleConfiguration::builder().set_rules(Some([ours, vec![theirs]].concat())).build().unwrap();
    let request = stage.account.s3().put_bucket_lifecycle_configuration().bucket(&bucket);
    request.lifecycle_configuration(both).send().await.unwrap();
    // The rule as S3 returns it.
    let theirs = rules(&stage.account, &bucket).await.into_iter().find(|rule| rule.id() == Some("theirs")).unwrap();
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, &bucket, &[]).await;

    workspace.set(&json!({ "expiration_days": 30 }));
    workspace.apply().await;
    let found = rules(&stage.account, &bucket).await;
    assert_eq!(found.iter().map(|rule| rule.id().unwrap()).collect::<Vec<_>>(), ["gitlabspot-cache", "theirs"]);
    assert_eq!(found[0].expiration().and_then(|expiration| expiration.days()), Some(30));
    assert_eq!(found[1], theirs);

    let never = json!({ "expiration_days": 0, "noncurrent_expiration_days": 0, "abort_incomplete_multipart_days": 0 });
    workspace.set(&never);
    workspace.apply().await;
    assert_eq!(rules(&stage.account, &bucket).await, [theirs]);
    destroy_and_verify(&stage, &workspace).await;
}

/// Rules of others in the old format, with a prefix outside of a filter, are sent in the current format, because S3
/// refuses both formats in one configuration.
#[tokio::test]
#[expect(deprecated, reason = "the old form is what is tested")]
async fn lifecycle_rules_in_the_old_format_are_converted() {
    let (stage, workspace, bucket) = guide("old_rules", json!({})).await;
    super::make_bucket(&stage.account, &bucket).await;
    let old = LifecycleRule::builder()
        .id("old")
        .prefix("logs/")
        .status(ExpirationStatus::Enabled)
        .expiration(aws_sdk_s3::types::LifecycleExpiration::builder().days(9).build());
    let old = BucketLifecycleConfiguration::builder().rules(old.build().unwrap()).build().unwrap();
    let request = stage.account.s3().put_bucket_lifecycle_configuration().bucket(&bucket);
    request.lifecycle_configuration(old).send().await.unwrap();
    let _ = workspace.try_import(ADDRESS, &bucket).await.succeeded();
    workspace.apply().await;
    let found = rules(&stage.account, &bucket).await;
    assert_eq!(found.iter().map(|rule| rule.id().unwrap()).collect::<Vec<_>>(), ["old", "gitlabspot-cache"]);
    assert_eq!(found[0].filter().and_then(LifecycleRuleFilter::prefix), Some("logs/"));
    destroy_and_verify(&stage, &workspace).await;
}

/// A store that is older than the current checksums gets the `Content-MD5` that it requires.
#[tokio::test]
async fn store_that_requires_content_md5_gets_it() {
    let (stage, workspace, bucket) = guide("md5", json!({ "force_destroy": true })).await;
    let wanted = Fault::error("s3", "DeleteObjects|PutBucket.*", 400, "MissingContentMD5", "Content-Md5 is missing");
    stage.account.inject(wanted.matching("ContentMD5", "").times(0));
    workspace.apply().await;
    stage.account.s3().put_object().bucket(&bucket).key("project/1").body(vec![1].into()).send().await.unwrap();
    destroy_and_verify(&stage, &workspace).await;
    assert_eq!(count(&stage.account, "DeleteObjects"), 1);
}

async fn statements(account: &Account, bucket: &str) -> Vec<Value> {
    let policy = account.s3().get_bucket_policy().bucket(bucket).send().await.unwrap().policy.unwrap();
    serde_json::from_str::<Value>(&policy).unwrap()["Statement"].as_array().unwrap().clone()
}

/// Statements of others in the policy of the bucket are preserved when the managed one is removed and added again.
#[tokio::test]
async fn policy_statements_of_others_are_preserved() {
    let (stage, workspace, bucket) = guide("statements", json!({})).await;
    workspace.apply().await;
    let ours = statements(&stage.account, &bucket).await;
    let theirs = json!({
        "Sid": "Audit", "Effect": "Allow", "Principal": { "AWS": format!("arn:aws:iam::{}:root", stage.account.id()) },
        "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{bucket}"),
    });
    let both = json!({ "Version": "2012-10-17", "Statement": [theirs, ours[0]] });
    stage.account.s3().put_bucket_policy().bucket(&bucket).policy(both.to_string()).send().await.unwrap();
    workspace.assert_stable().await;
    for (tls_only, expected) in [(false, vec![theirs.clone()]), (true, vec![theirs, ours[0].clone()])] {
        workspace.set(&json!({ "tls_only": tls_only }));
        stage.account.forget();
        workspace.apply().await;
        assert_eq!(stage.account.changes(), ["PutBucketPolicy"]);
        assert_eq!(statements(&stage.account, &bucket).await, expected);
    }
    destroy_and_verify(&stage, &workspace).await;
}

/// B10: settings that an S3-compatible store does not support are omitted with a warning. If the configuration has such
/// a setting, it is an error.
#[tokio::test]
async fn settings_unsupported_by_the_store_are_a_warning() {
    let (stage, workspace, _) = guide("lacking", json!({})).await;
    let lacking = [
        ("PublicAccessBlock", 501, "NotImplemented"),
        ("BucketOwnershipControls", 501, "XNotImplemented"),
        ("BucketEncryption", 405, "MethodNotAllowed"),
        ("BucketPolicy", 400, "UnsupportedOperation"),
        ("BucketLifecycleConfiguration", 501, "NotImplemented"),
        ("BucketTagging", 405, "MethodNotAllowed"),
        ("BucketVersioning", 501, "NotImplemented"),
    ];
    let lack = || {
        for (part, status, code) in lacking {
            let refusal = Fault::error("s3", &format!("(Get|Put){part}"), status, code, "not here");
            stage.account.inject(refusal.times(0));
        }
    };
    lack();
    let printed = workspace.apply().await.prose();
    assert!(printed.contains("Warning: Bucket setting not supported by the store"), "{printed}");
    assert!(printed.contains("to set and to read the public access block of the bucket"), "{printed}");
    let sent: Vec<usize> = lacking.iter().map(|(part, ..)| count(&stage.account, &format!("Put{part}"))).collect();
    assert_eq!(sent, [1, 1, 1, 1, 1, 1, 0]);
    workspace.assert_stable().await;
    for (asked, name) in [
        (json!({ "versioning": true, "encryption": null }), "the versioning"),
        (json!({ "versioning": null, "encryption": { "sse_algorithm": "aws:kms" } }), "the encryption"),
    ] {
        workspace.set(&asked);
        let printed = workspace.try_apply().await.failed();
        assert!(
            printed.contains(&format!("Setting {name} of the bucket")) && printed.contains("not here"),
            "{printed}"
        );
    }
    workspace.set(&json!({ "encryption": null }));
    destroy_and_verify(&stage, &workspace).await;
}

/// A refresh sends all requests at once: none waits for the response to another.
#[tokio::test]
async fn refresh_reads_concurrently() {
    let (stage, workspace, _) = guide("at_once", json!({})).await;
    workspace.apply().await;
    stage.account.forget();
    stage.account.inject(Fault::latency("s3", "GetBucket.*|GetPublicAccessBlock|HeadBucket", 2000).times(0));
    assert!(workspace.plan().await.is_empty());
    let calls = stage.account.calls();
    let mut actions: Vec<&str> = calls.iter().map(|call| call.action.as_str()).collect();
    actions.sort_unstable();
    let expected = [
        "GetBucketEncryption",
        "GetBucketLifecycleConfiguration",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetPublicAccessBlock",
        "HeadBucket",
    ];
    assert_eq!(actions, expected);
    let last_start = calls.iter().map(|call| call.number).max();
    let first_end = calls.iter().map(|call| call.ended.unwrap()).min();
    assert!(last_start < first_end, "{calls:?}");
    stage.account.forget();
    destroy_and_verify(&stage, &workspace).await;
}
