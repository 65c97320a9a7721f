//! What can happen to a create: nothing is lost, nothing of others is touched.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, count, ends_well, exists, guide, make_bucket, tag};

/// B1, B2, B7, B17: refusals that pass, each repeated as often as it came.
#[tokio::test]
async fn refusals_that_pass() {
    let (stage, workspace, _) = guide("refusals", json!({})).await;
    let refuse = |action, status, code| Fault::error("s3", action, status, code, "for a test");
    for (fault, times) in [
        (refuse("PutPublicAccessBlock", 404, "NoSuchBucket"), 3),
        (refuse("CreateBucket", 409, "OperationAborted"), 2),
        (refuse("PutBucketEncryption", 409, "OperationAborted"), 2),
        (refuse("PutBucketPolicy", 400, "MalformedPolicy"), 2),
        (Fault::throttle("s3", "PutBucketOwnershipControls"), 4),
    ] {
        stage.account.inject(fault.times(times));
    }
    workspace.apply().await;
    let sent = |action| count(&stage.account, action);
    assert_eq!(
        [sent("PutPublicAccessBlock"), sent("CreateBucket"), sent("PutBucketEncryption"), sent("PutBucketPolicy")],
        [4, 3, 3, 3]
    );
    assert_eq!(sent("PutBucketOwnershipControls"), 5);
    ends_well(&stage, &workspace).await;
}

/// B3: answers and requests that are lost, some of them and all of them.
#[tokio::test]
async fn lost_answers() {
    let drops = [
        ("after", Fault::drop_after("s3", "CreateBucket"), 1),
        ("before", Fault::drop_before("s3", "CreateBucket"), 2),
        ("always", Fault::drop_after("s3", "CreateBucket"), 30),
    ];
    for (name, fault, times) in drops {
        let (stage, workspace, _) = guide(&format!("lost_{name}"), json!({})).await;
        stage.account.inject(fault.times(times));
        workspace.apply().await;
        assert!(count(&stage.account, "CreateBucket") > 1);
        assert_eq!(stage.account.changes().iter().filter(|call| *call == "CreateBucket").count(), 1);
        ends_well(&stage, &workspace).await;
    }
}

/// B3: "already owned by you" is only believed when this very create may have made the bucket: an answer was lost, and
/// nobody has put a tag on it.
#[tokio::test]
async fn owned_by_us_and_made_by_someone() {
    let refused = Fault::error("s3", "CreateBucket", 400, "RequestTimeout", "sent too slowly");
    let lost = Fault::drop_before("s3", "CreateBucket");
    for (name, fault, found) in [("refused", refused, vec![]), ("tagged", lost, vec![("owner", "someone")])] {
        let (stage, workspace, bucket) = guide(&format!("made_by_someone_{name}"), json!({})).await;
        make_bucket(&stage.account, &bucket).await;
        if !found.is_empty() {
            tag(&stage.account, &bucket, &found).await;
        }
        stage.account.forget();
        // It was made between the look and the create.
        stage.account.inject(Fault::error("s3", "HeadBucket", 404, "NotFound", ""));
        stage.account.inject(fault);
        let said = workspace.try_apply().await.failed();
        assert!(said.contains("Bucket exists already") && said.contains("It was not touched"), "{said}");
        assert_eq!(
            (stage.account.changes(), count(&stage.account, "CreateBucket")),
            (vec!["CreateBucket".to_owned()], 2)
        );
        let tags = super::tags(&stage.account, &bucket).await;
        assert_eq!(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>(), found);
        assert!(!workspace.state().await.contains(ADDRESS));
        stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
    }
}

/// B4: a bucket of another region is told with that region.
#[tokio::test]
async fn one_of_another_region() {
    let (stage, workspace, bucket) = guide("elsewhere", json!({ "region": "eu-west-1" })).await;
    make_bucket(&stage.account, &bucket).await;
    stage.account.forget();
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("belongs to a bucket in the region af-south-1"), "{said}");
    assert_eq!(stage.account.changes(), [""; 0]);
    assert!(!workspace.state().await.contains(ADDRESS));
    // Nor is it imported by a provider of a region that is not its own.
    let said = workspace.try_import(ADDRESS, &bucket).await.failed();
    assert!(said.contains("is in the region af-south-1, but the provider works in eu-west-1"), "{said}");
    stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
}

/// B4: a bucket of this account that the configuration did not make is not touched, in us-east-1 neither, where S3
/// would answer a second create with success.
#[tokio::test]
async fn one_of_our_own() {
    for region in ["af-south-1", "us-east-1"] {
        let (stage, workspace, bucket) = guide(&format!("own_{region}"), json!({ "region": region })).await;
        if region == "us-east-1" {
            let config = stage.account.s3().config().to_builder().region(aws_sdk_s3::config::Region::new(region));
            let s3 = aws_sdk_s3::Client::from_conf(config.build());
            s3.create_bucket().bucket(&bucket).send().await.unwrap();
        } else {
            make_bucket(&stage.account, &bucket).await;
        }
        tag(&stage.account, &bucket, &[("owner", "someone")]).await;
        stage.account.forget();
        let said = workspace.try_apply().await.failed();
        assert!(said.contains("Bucket exists already"), "{said}");
        assert!(said.contains(&format!("tofu import ADDRESS {bucket}")), "{said}");
        assert_eq!(stage.account.changes(), [""; 0]);
        assert!(exists(&stage.account, &bucket).await);
        assert!(!workspace.state().await.contains(ADDRESS));
        stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
    }
}

/// B5: a name of another account is told as such, and nothing is in the state.
#[tokio::test]
async fn one_of_another_account() {
    let (other, _, bucket) = guide("theirs", json!({})).await;
    make_bucket(&other.account, &bucket).await;
    let (stage, workspace, _) = guide("taken", json!({ "bucket": bucket })).await;
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("belongs to a bucket of another account"), "{said}");
    assert!(!workspace.state().await.contains(ADDRESS));
    stage.assert_nothing_left().await;
    assert!(exists(&other.account, &bucket).await);
    other.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
}

/// B6: a part that is refused for good names itself, the state keeps the bucket, and the next apply ends it.
#[tokio::test]
async fn a_part_is_refused() {
    let (stage, workspace, bucket) = guide("part_refused", json!({})).await;
    stage.account.inject(Fault::error("s3", "PutBucketPolicy", 403, "AccessDenied", "no s3:PutBucketPolicy"));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("Setting the bucket policy of the bucket"), "{said}");
    assert!(said.contains("no s3:PutBucketPolicy"), "{said}");
    assert_eq!(count(&stage.account, "PutBucketPolicy"), 1);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    workspace.apply().await;
    ends_well(&stage, &workspace).await;
}

/// B7: a principal that never becomes known is given up after two minutes, with what S3 said.
#[tokio::test]
async fn a_policy_that_stays_malformed() {
    let (stage, workspace, bucket) = guide("malformed", json!({})).await;
    let fault = Fault::error("s3", "PutBucketPolicy", 400, "MalformedPolicy", "Invalid principal in policy");
    stage.account.inject(fault.times(0));
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("Invalid principal in policy"), "{said}");
    assert!(count(&stage.account, "PutBucketPolicy") > 10);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    stage.account.forget();
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// A run that was killed has left a marked bucket and no state; the next run takes it over.
#[tokio::test]
async fn left_by_a_killed_run() {
    let (stage, workspace, bucket) = guide("killed", json!({})).await;
    make_bucket(&stage.account, &bucket).await;
    tag(&stage.account, &bucket, &[("gitlabspot/unfinished", "now")]).await;
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(count(&stage.account, "CreateBucket"), 0);
    assert!(!super::tags(&stage.account, &bucket).await.contains_key("gitlabspot/unfinished"));
    ends_well(&stage, &workspace).await;
}
