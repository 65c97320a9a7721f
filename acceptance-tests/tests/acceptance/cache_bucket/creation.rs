//! Errors during a create: no object is lost, and no object of others is changed.

use gitlabspot_acceptance_tests::Fault;
use serde_json::json;

use super::{ADDRESS, count, destroy_and_verify, exists, guide, make_bucket, tag};

/// B1, B2, B7, B17: transient errors are retried until they end.
#[tokio::test]
async fn transient_errors_are_retried() {
    let (stage, workspace, _) = guide("refusals", json!({ "encryption": { "sse_algorithm": "aws:kms" } })).await;
    let refuse = |action, status, code| Fault::error("s3", action, status, code, "for a test");
    for (fault, times) in [
        (refuse("GetPublicAccessBlock", 404, "NoSuchBucket"), 3),
        (refuse("CreateBucket", 409, "OperationAborted"), 2),
        (refuse("PutBucketEncryption", 409, "OperationAborted"), 2),
        (refuse("PutBucketPolicy", 400, "MalformedPolicy"), 2),
        (Fault::throttle("s3", "PutBucketTagging"), 4),
    ] {
        stage.account.inject(fault.times(times));
    }
    workspace.apply().await;
    let sent = |action| count(&stage.account, action);
    assert_eq!(
        [sent("GetPublicAccessBlock"), sent("CreateBucket"), sent("PutBucketEncryption"), sent("PutBucketPolicy")],
        [4, 3, 3, 3]
    );
    assert_eq!(sent("PutBucketTagging"), 5);
    destroy_and_verify(&stage, &workspace).await;
}

/// B3: one bucket is created if some or all responses or requests are lost.
#[tokio::test]
async fn lost_responses_create_one_bucket() {
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
        destroy_and_verify(&stage, &workspace).await;
    }
}

/// B3: `BucketAlreadyOwnedByYou` means success only if this create may have created the bucket: a response was lost,
/// and the bucket has no tags of others.
#[tokio::test]
async fn already_owned_bucket_needs_a_lost_response() {
    let refused = Fault::error("s3", "CreateBucket", 400, "RequestTimeout", "sent too slowly");
    let lost = Fault::drop_before("s3", "CreateBucket");
    for (name, fault, found) in [("refused", refused, vec![]), ("tagged", lost, vec![("owner", "someone")])] {
        let (stage, workspace, bucket) = guide(&format!("made_by_someone_{name}"), json!({})).await;
        make_bucket(&stage.account, &bucket).await;
        if !found.is_empty() {
            tag(&stage.account, &bucket, &found).await;
        }
        stage.account.forget();
        // A bucket that is created between the provider's check and its create.
        stage.account.inject(Fault::error("s3", "HeadBucket", 404, "NotFound", ""));
        stage.account.inject(fault);
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("Bucket already exists") && printed.contains("It was not changed"), "{printed}");
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

/// B4: the error for a bucket of another region names that region.
#[tokio::test]
async fn existing_bucket_in_another_region_is_an_error() {
    let (stage, workspace, bucket) = guide("elsewhere", json!({ "region": "eu-west-1" })).await;
    make_bucket(&stage.account, &bucket).await;
    stage.account.forget();
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("belongs to a bucket in the region af-south-1"), "{printed}");
    assert_eq!(stage.account.changes(), [""; 0]);
    assert!(!workspace.state().await.contains(ADDRESS));
    // An import in another region is refused, too.
    let printed = workspace.try_import(ADDRESS, &bucket).await.failed();
    assert!(printed.contains("is in the region af-south-1, but the provider uses eu-west-1"), "{printed}");
    stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
}

/// B4: a bucket of this account that the configuration did not create is not changed, also in us-east-1, where S3 would
/// accept a second create.
#[tokio::test]
async fn existing_bucket_of_the_account_is_not_adopted() {
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
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains("Bucket already exists"), "{printed}");
        assert!(printed.contains(&format!("tofu import ADDRESS {bucket}")), "{printed}");
        assert_eq!(stage.account.changes(), [""; 0]);
        assert!(exists(&stage.account, &bucket).await);
        assert!(!workspace.state().await.contains(ADDRESS));
        stage.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
    }
}

/// B4: a bucket that the credentials are not allowed to read is not adopted either; S3 returns only its region.
#[tokio::test]
async fn existing_bucket_without_read_access_is_not_adopted() {
    for region in ["af-south-1", "us-east-1"] {
        let (stage, workspace, bucket) = guide(&format!("unseen_{region}"), json!({ "region": region })).await;
        let config = stage.account.s3().config().to_builder().region(aws_sdk_s3::config::Region::new(region));
        let s3 = aws_sdk_s3::Client::from_conf(config.build());
        let elsewhere = region != "us-east-1";
        let location = elsewhere.then(|| {
            let location = aws_sdk_s3::types::CreateBucketConfiguration::builder();
            location.location_constraint(region.into()).build()
        });
        s3.create_bucket().bucket(&bucket).set_create_bucket_configuration(location).send().await.unwrap();
        stage.account.forget();
        let denied = Fault::error("s3", "HeadBucket|ListObjectsV2", 403, "AccessDenied", "no s3:ListBucket");
        stage.account.inject(denied.times(0));
        let printed = workspace.try_apply().await.failed();
        assert!(printed.contains(&format!("a bucket of this name exists in the region {region}")), "{printed}");
        assert_eq!((stage.account.changes(), count(&stage.account, "CreateBucket")), (vec![], 0));
        assert!(!workspace.state().await.contains(ADDRESS));
        stage.account.forget();
        s3.delete_bucket().bucket(&bucket).send().await.unwrap();
    }
}

/// Policies of an organization that deny explicit defaults of a new bucket do not prevent a create, and neither does a
/// policy that denies tags in the create request.
#[tokio::test]
async fn organisation_policies_do_not_prevent_a_create() {
    let (stage, workspace, bucket) = guide("guard_rails", json!({})).await;
    let denied = "Put(PublicAccessBlock|BucketOwnershipControls|BucketEncryption)";
    stage.account.inject(Fault::error("s3", denied, 403, "AccessDenied", "denied by a rule").times(0));
    stage.account.inject(Fault::error("s3", "CreateBucket", 403, "AccessDenied", "no s3:TagResource"));
    workspace.apply().await;
    let parts = ["PutBucketTagging", "PutBucketPolicy", "PutBucketLifecycleConfiguration", "PutBucketTagging"];
    assert_eq!(stage.account.changes(), [&["CreateBucket", "CreateBucket"][..], &parts].concat());
    let tags = super::tags(&stage.account, &bucket).await;
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("team".to_owned(), "ci".to_owned())]);
    destroy_and_verify(&stage, &workspace).await;
}

/// B5: a name that another account uses is an error, and nothing is in the state.
#[tokio::test]
async fn bucket_name_of_another_account_is_an_error() {
    let (other, _, bucket) = guide("theirs", json!({})).await;
    make_bucket(&other.account, &bucket).await;
    let (stage, workspace, _) = guide("taken", json!({ "bucket": bucket })).await;
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("is already in use") && printed.contains("It belongs to another account"), "{printed}");
    assert!(!workspace.state().await.contains(ADDRESS));
    stage.assert_nothing_remains().await;
    assert!(exists(&other.account, &bucket).await);
    other.account.s3().delete_bucket().bucket(&bucket).send().await.unwrap();
}

/// B6: a setting that is refused permanently is named, the state keeps the bucket, and the next apply replaces it,
/// unless it is untainted.
#[tokio::test]
async fn refused_bucket_setting_keeps_the_bucket_in_the_state() {
    let (stage, workspace, bucket) = guide("part_refused", json!({})).await;
    stage.account.inject(Fault::error("s3", "PutBucketPolicy", 403, "AccessDenied", "no s3:PutBucketPolicy"));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Setting the bucket policy of the bucket"), "{printed}");
    assert!(printed.contains("no s3:PutBucketPolicy"), "{printed}");
    assert_eq!(count(&stage.account, "PutBucketPolicy"), 1);
    assert!(printed.contains("the next apply deletes and recreates it"), "{printed}");
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["delete", "create"]);
    let _ = workspace.run(&["untaint", ADDRESS]).await.succeeded();
    stage.account.forget();
    workspace.apply().await;
    let expected = ["PutBucketPolicy", "PutBucketLifecycleConfiguration", "PutBucketTagging"];
    assert_eq!(stage.account.changes(), expected);
    assert!(!super::tags(&stage.account, &bucket).await.contains_key("gitlabspot/unfinished"));
    destroy_and_verify(&stage, &workspace).await;
}

/// B7: a principal that never propagates is an error after two minutes, with the text of S3.
#[tokio::test]
async fn principal_that_never_propagates_times_out() {
    let (stage, workspace, bucket) = guide("malformed", json!({})).await;
    let fault = Fault::error("s3", "PutBucketPolicy", 400, "MalformedPolicy", "Invalid principal in policy");
    stage.account.inject(fault.times(0));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Invalid principal in policy"), "{printed}");
    assert!(count(&stage.account, "PutBucketPolicy") > 10);
    assert_eq!(workspace.state().await.resource(ADDRESS)["id"], bucket);
    stage.account.forget();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// After a killed run, a bucket with the tag of an unfinished create exists and is not in the state. The next run
/// adopts it.
#[tokio::test]
async fn bucket_of_a_killed_run_is_adopted() {
    let (stage, workspace, bucket) = guide("killed", json!({})).await;
    make_bucket(&stage.account, &bucket).await;
    tag(&stage.account, &bucket, &[("gitlabspot/unfinished", "now")]).await;
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(count(&stage.account, "CreateBucket"), 0);
    assert!(!super::tags(&stage.account, &bucket).await.contains_key("gitlabspot/unfinished"));
    destroy_and_verify(&stage, &workspace).await;
}
