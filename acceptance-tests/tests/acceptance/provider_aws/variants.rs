//! FIPS endpoints and dual-stack endpoints of AWS by their names, with tunnels to the local AWS.

use std::collections::BTreeSet;

use gitlabspot_acceptance_tests::{Proxy, Stage, Tls, Workspace};
use serde_json::{Value, json};

use super::{file, search, settings};

/// Resources that use all services without configured URLs, through a proxy with a certificate for these hosts only.
async fn through_a_tunnel(test: &str, hosts: &[&str]) -> (Stage, Workspace, Proxy, Tls) {
    let (stage, workspace) = settings(test, json!({ "buckets": 1, "node_groups": 1 })).await;
    let tls = Tls::start(stage.account.endpoint(), hosts).await;
    let proxy = Proxy::start(stage.account.endpoint(), Some(tls.address())).await;
    workspace.set(&json!({
        "https_proxy": proxy.url(),
        "custom_ca_bundle": file(&stage, "ca.pem", tls.certificate()),
        "allowed_account_ids": [stage.account.id()],
        // The local AWS addresses buckets by path. The test only compares hosts.
        "s3_use_path_style": true,
    }));
    (stage, workspace.without_environment(&["AWS_ENDPOINT_URL"]), proxy, tls)
}

async fn assert_hosts(test: &str, hosts: &[&str], block: Value, variable: &str) {
    let (stage, workspace, proxy, _tls) = through_a_tunnel(test, hosts).await;
    workspace.set(&block);
    workspace.apply().await;
    let wanted: BTreeSet<String> = hosts.iter().map(|host| format!("{host}:443")).collect();
    assert_eq!(BTreeSet::from_iter(proxy.asked()), wanted);

    // The same setting from the environment.
    let nothing: Value = block.as_object().unwrap().keys().map(|name| (name.clone(), Value::Null)).collect();
    workspace.set(&nothing);
    let workspace = workspace.with_environment(variable, "true");
    search(&workspace).await;
    workspace.destroy().await;
    assert_eq!(BTreeSet::from_iter(proxy.asked()), wanted);
    stage.assert_nothing_remains().await;
}

/// Each service uses its FIPS endpoint, with the setting of the block or AWS_USE_FIPS_ENDPOINT.
#[tokio::test]
async fn fips_endpoints() {
    let hosts = [
        "autoscaling-fips.af-south-1.amazonaws.com",
        "ec2-fips.af-south-1.amazonaws.com",
        "fips.eks.af-south-1.amazonaws.com",
        "iam-fips.amazonaws.com",
        "s3-fips.af-south-1.amazonaws.com",
        "sts-fips.af-south-1.amazonaws.com",
    ];
    assert_hosts("fips", &hosts, json!({ "use_fips_endpoint": true }), "AWS_USE_FIPS_ENDPOINT").await;
}

/// Each service uses its dual-stack endpoint, with the setting of the block or AWS_USE_DUALSTACK_ENDPOINT.
#[tokio::test]
async fn dual_stack_endpoints() {
    let hosts = [
        "autoscaling.af-south-1.api.aws",
        "ec2.af-south-1.api.aws",
        "eks.af-south-1.api.aws",
        "iam.global.api.aws",
        "s3.dualstack.af-south-1.amazonaws.com",
        "sts.af-south-1.api.aws",
    ];
    assert_hosts("dual_stack", &hosts, json!({ "use_dualstack_endpoint": true }), "AWS_USE_DUALSTACK_ENDPOINT").await;
}
