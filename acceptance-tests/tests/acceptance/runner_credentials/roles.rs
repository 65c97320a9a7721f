//! Roles of the runner's service account, with IRSA and EKS Pod Identity.

use gitlabspot_acceptance_tests::{Account, Fault};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, guide};

const SERVICE_ACCOUNT: &str = "gitlab-runner";

async fn trust(account: &Account) -> String {
    let role = account.iam().get_role().role_name(NAME).send().await.unwrap().role.unwrap();
    role.assume_role_policy_document.unwrap()
}

fn role(mode: &str) -> Value {
    json!({ "mode": mode, "service_account": SERVICE_ACCOUNT })
}

/// C11: a create waits for a principal that has not propagated in IAM. The role is for one service account, and every
/// attribute is imported.
#[tokio::test]
async fn irsa_role_is_created_and_imported() {
    let (stage, workspace) = guide("irsa", role("irsa")).await;
    let fault = Fault::error("iam", "CreateRole", 400, "MalformedPolicyDocument", "Invalid principal in policy: x");
    stage.account.inject(fault.times(2));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.account.calls_of("iam", "CreateRole").len(), 3);
    let namespace = stage.namespace.name();
    assert!(trust(&stage.account).await.contains(namespace));
    let state = workspace.state().await;
    let found = state.resource(ADDRESS);
    assert_eq!(found["service_account_annotations"], json!({ "eks.amazonaws.com/role-arn": found["role_arn"] }));
    workspace.assert_import(ADDRESS, &format!("{namespace}/{SERVICE_ACCOUNT}:role/{NAME}"), &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// C12: a create waits until EKS finds the new role.
#[tokio::test]
async fn pod_identity_role_propagation_is_waited_for() {
    let (stage, workspace) = guide("pod_identity", role("pod_identity")).await;
    let missing = "Role provided in the request does not exist";
    let fault = Fault::error("eks", "CreatePodIdentityAssociation", 400, "InvalidParameterException", missing);
    stage.account.inject(fault.times(2));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.account.calls_of("eks", "CreatePodIdentityAssociation").len(), 3);
    let id = format!("{}/{SERVICE_ACCOUNT}:role/{NAME}", stage.namespace.name());
    workspace.assert_import(ADDRESS, &id, &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// C13: white space and order of a policy are not drift.
#[tokio::test]
async fn equivalent_policies_are_not_drift() {
    let (stage, workspace) = guide("policy_text", json!({})).await;
    workspace.apply().await;
    let state = workspace.state().await;
    let mut policy: Value = serde_json::from_str(state.resource(ADDRESS)["policy_json"].as_str().unwrap()).unwrap();
    policy["Statement"].as_array_mut().unwrap().reverse();
    let put = stage.account.iam().put_user_policy().user_name(NAME).policy_name("gitlab-runner-cache");
    put.policy_document(format!("{policy:#}")).send().await.unwrap();
    workspace.assert_stable().await;
    super::destroy_and_verify(&stage, &workspace).await;
}

/// Between both access methods with a role, the old one is revoked after the new one works.
#[tokio::test]
async fn switch_between_irsa_and_pod_identity() {
    let (stage, workspace) = guide("other_way", role("irsa")).await;
    workspace.apply().await;
    let of_irsa = trust(&stage.account).await;
    for (mode, association) in
        [("pod_identity", "CreatePodIdentityAssociation"), ("irsa", "DeletePodIdentityAssociation")]
    {
        stage.account.forget();
        workspace.set(&role(mode));
        workspace.apply().await;
        workspace.assert_stable().await;
        let order = ["TagRole", "UpdateAssumeRolePolicy", association, "UpdateAssumeRolePolicy", "UntagRole"];
        assert_eq!(stage.account.changes(), order);
        let first = &stage.account.calls_of("iam", "UpdateAssumeRolePolicy")[0].parameters["PolicyDocument"];
        let first = first.as_str().unwrap();
        assert!(first.contains("pods.eks.amazonaws.com") && first.contains("oidc-provider"), "{first}");
    }
    assert_eq!(trust(&stage.account).await, of_irsa);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

async fn issuer(account: &Account) -> String {
    let cluster = account.eks().describe_cluster().name("prod").send().await.unwrap().cluster.unwrap();
    cluster.identity.unwrap().oidc.unwrap().issuer.unwrap()
}

/// Creates the account's identity provider for an issuer.
async fn make_provider(account: &Account, issuer: &str, audience: &str) -> String {
    let request = account.iam().create_open_id_connect_provider().url(issuer).client_id_list(audience);
    let thumbprint = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280";
    request.thumbprint_list(thumbprint).send().await.unwrap().open_id_connect_provider_arn.unwrap()
}

async fn delete_provider(account: &Account, arn: &str) {
    account.iam().delete_open_id_connect_provider().open_id_connect_provider_arn(arn).send().await.unwrap();
}

async fn set_trust(account: &Account, document: &Value) {
    let request = account.iam().update_assume_role_policy().role_name(NAME).policy_document(format!("{document:#}"));
    request.send().await.unwrap();
}

/// C13, C24: an equivalent trust policy is not changed. A trust policy that others changed is shown and repaired.
#[tokio::test]
async fn changed_trust_policy_is_repaired() {
    for mode in ["irsa", "pod_identity"] {
        let (stage, workspace) = guide(&format!("trust_{mode}"), role(mode)).await;
        workspace.apply().await;
        let right = workspace.state().await.resource(ADDRESS)["trust_policy_json"].as_str().unwrap().to_owned();
        let mut document: Value = serde_json::from_str(&right).unwrap();
        // A single statement is equivalent to a list of one.
        let statement = document["Statement"][0].clone();
        document["Statement"] = statement.clone();
        set_trust(&stage.account, &document).await;
        stage.account.forget();
        workspace.assert_stable().await;
        workspace.set(&json!({ "tags": { "cost": "1" } }));
        workspace.apply().await;
        assert_eq!(stage.account.changes(), ["TagRole"]);

        let theirs =
            json!({ "Effect": "Allow", "Principal": { "Service": "ec2.amazonaws.com" }, "Action": "sts:AssumeRole" });
        document["Statement"] = json!([statement, theirs]);
        set_trust(&stage.account, &document).await;
        stage.account.forget();
        let plan = workspace.plan().await;
        let change = plan.change(ADDRESS);
        assert_eq!(change["after"]["trust_policy_json"], right);
        assert!(change["before"]["trust_policy_json"].as_str().unwrap().contains("ec2.amazonaws.com"));
        let _ = workspace.try_apply_plan().await.succeeded();
        workspace.assert_stable().await;
        assert_eq!(stage.account.changes(), ["UpdateAssumeRolePolicy"]);
        assert!(!trust(&stage.account).await.contains("ec2.amazonaws.com"));
        workspace.destroy().await;
        stage.assert_nothing_remains().await;
    }
}

/// C24: the trust policy of the role is updated if the cluster has another OIDC issuer, for example after its
/// replacement.
#[tokio::test]
async fn changed_oidc_issuer_is_repaired() {
    let (stage, workspace) = guide("issuer", role("irsa")).await;
    let known = make_provider(&stage.account, &issuer(&stage.account).await, "sts.amazonaws.com").await;
    let printed = workspace.apply().await.prose();
    assert!(!printed.contains("Warning"), "{printed}");
    let other = "https://oidc.eks.af-south-1.amazonaws.com/id/ANOTHER";
    let cluster = json!({ "name": "prod", "status": "ACTIVE", "identity": { "oidc": { "issuer": other } } });
    let answer = Fault::answer("eks", "DescribeCluster", &json!({ "cluster": cluster }).to_string());
    stage.account.inject(answer.times(0));
    let plan = workspace.plan().await;
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    assert!(plan.change(ADDRESS)["after"]["trust_policy_json"].as_str().unwrap().contains("/id/ANOTHER"));
    let printed = workspace.try_apply_plan().await.succeeded().prose();
    assert!(
        printed.contains("does not have an IAM identity provider for the issuer") && printed.contains("id/ANOTHER"),
        "{printed}"
    );
    workspace.assert_stable().await;
    assert!(trust(&stage.account).await.contains("id/ANOTHER"));
    stage.account.forget();
    workspace.apply().await;
    assert_eq!(stage.account.changes(), ["UpdateAssumeRolePolicy"]);
    workspace.assert_stable().await;
    workspace.destroy().await;
    delete_provider(&stage.account, &known).await;
    stage.assert_nothing_remains().await;
}

/// C24: if the account has no OIDC provider for the issuer of the cluster or for the audience, the warning has what to
/// create. Without read permission there is no warning.
#[tokio::test]
async fn missing_oidc_provider_is_a_warning() {
    let (stage, workspace) = guide("no_provider", role("irsa")).await;
    let printed = workspace.apply().await.prose();
    let issuer = issuer(&stage.account).await;
    for part in
        ["No identity provider for the cluster", &issuer, "sts.amazonaws.com", "aws_iam_openid_connect_provider"]
    {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    workspace.assert_stable().await;
    assert_eq!(stage.account.calls_of("iam", "GetOpenIDConnectProvider").len(), 1);
    workspace.destroy().await;

    let known = make_provider(&stage.account, &issuer, "another").await;
    let printed = workspace.apply().await.prose();
    assert!(printed.contains("does not have the audience sts.amazonaws.com"), "{printed}");
    workspace.destroy().await;
    delete_provider(&stage.account, &known).await;

    let denied =
        Fault::error("iam", "GetOpenIDConnectProvider", 403, "AccessDenied", "no iam:GetOpenIDConnectProvider");
    stage.account.inject(denied);
    let printed = workspace.apply().await.prose();
    assert!(!printed.contains("Warning"), "{printed}");
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// C25: an association that was changed to another role or deleted is shown with the reason, and restored.
#[tokio::test]
async fn changed_association_is_repaired() {
    let (stage, workspace) = guide("astray", role("pod_identity")).await;
    workspace.apply().await;
    let eks = stage.account.eks();
    let theirs = stage.account.create_node_role("theirs").await;
    let listed = eks.list_pod_identity_associations().cluster_name("prod").send().await.unwrap();
    let id = listed.associations()[0].association_id().unwrap().to_owned();
    let request = eks.update_pod_identity_association().cluster_name("prod").association_id(&id);
    request.role_arn(&theirs).send().await.unwrap();
    stage.account.forget();
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    assert_eq!(plan.changes()[ADDRESS], ["update"]);
    assert!(printed.contains("Role trust will be repaired") && printed.contains(&theirs), "{printed}");
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    assert_eq!(stage.account.changes(), ["UpdatePodIdentityAssociation"]);

    eks.delete_pod_identity_association().cluster_name("prod").association_id(&id).send().await.unwrap();
    stage.account.forget();
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    assert!(printed.contains("no longer has a Pod Identity association"), "{printed}");
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.assert_stable().await;
    assert_eq!(stage.account.changes(), ["CreatePodIdentityAssociation"]);
    workspace.destroy().await;
    stage.account.iam().delete_role().role_name("theirs").send().await.unwrap();
    stage.assert_nothing_remains().await;
}

/// C12: an association of others is not adopted if its role has the managed name, and no second one is created.
#[tokio::test]
async fn association_of_others_is_not_changed() {
    let (stage, workspace) = guide("of_others", role("pod_identity")).await;
    let eks = stage.account.eks();
    for name in ["theirs", NAME] {
        let role = stage.account.create_node_role(name).await;
        let namespace = stage.namespace.name();
        let request = eks.create_pod_identity_association().cluster_name("prod").namespace(namespace);
        let made = request.service_account(SERVICE_ACCOUNT).role_arn(&role).send().await.unwrap().association.unwrap();
        // EKS keeps the associations of deleted roles.
        stage.account.iam().delete_role().role_name(name).send().await.unwrap();
        stage.account.forget();
        let printed = workspace.try_apply().await.failed();
        let hint = format!("tofu import ADDRESS {namespace}/{SERVICE_ACCOUNT}:role/{name}");
        for part in ["already has a Pod Identity association", &role, &hint, "Nothing was created"] {
            assert!(printed.contains(part), "{part}: {printed}");
        }
        assert_eq!(stage.account.changes(), [""; 0]);
        assert!(!workspace.state().await.contains(ADDRESS));
        let id = made.association_id.unwrap();
        eks.delete_pod_identity_association().cluster_name("prod").association_id(id).send().await.unwrap();
    }
    stage.assert_nothing_remains().await;
}
