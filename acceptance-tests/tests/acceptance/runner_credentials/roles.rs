//! Roles for the runner's service account, by IRSA and by Pod Identity.

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

/// C11: a principal that IAM does not know yet is waited for; the role is for one service account, and is imported whole.
#[tokio::test]
async fn irsa() {
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
    stage.assert_nothing_left().await;
}

/// C12: EKS does not know the role at once; an association of others is refused and stays as it is.
#[tokio::test]
async fn pod_identity() {
    let (stage, workspace) = guide("pod_identity", role("pod_identity")).await;
    let eks = stage.account.eks();
    let missing = "Role provided in the request does not exist";
    let fault = Fault::error("eks", "CreatePodIdentityAssociation", 400, "InvalidParameterException", missing);
    stage.account.inject(fault.times(2));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(stage.account.calls_of("eks", "CreatePodIdentityAssociation").len(), 3);
    let id = format!("{}/{SERVICE_ACCOUNT}:role/{NAME}", stage.namespace.name());
    workspace.assert_import(ADDRESS, &id, &[]).await;
    workspace.destroy().await;
    stage.assert_nothing_left().await;

    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}"#;
    let theirs = stage.account.iam().create_role().role_name("theirs").assume_role_policy_document(document);
    let theirs = theirs.send().await.unwrap().role.unwrap().arn;
    let request = eks.create_pod_identity_association().cluster_name("prod").namespace(stage.namespace.name());
    let made = request.service_account(SERVICE_ACCOUNT).role_arn(&theirs).send().await.unwrap().association.unwrap();
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("has a Pod Identity association already") && said.contains(&theirs), "{said}");
    workspace.destroy().await;
    let left = made.association_id.unwrap();
    let there = eks.describe_pod_identity_association().cluster_name("prod").association_id(&left).send().await;
    assert_eq!(there.unwrap().association.unwrap().role_arn, Some(theirs));
    eks.delete_pod_identity_association().cluster_name("prod").association_id(left).send().await.unwrap();
    stage.account.iam().delete_role().role_name("theirs").send().await.unwrap();
    stage.assert_nothing_left().await;
}

/// C13: white space and order of a policy mean nothing.
#[tokio::test]
async fn policies_that_mean_the_same() {
    let (stage, workspace) = guide("policy_text", json!({})).await;
    workspace.apply().await;
    let state = workspace.state().await;
    let mut policy: Value = serde_json::from_str(state.resource(ADDRESS)["policy_json"].as_str().unwrap()).unwrap();
    policy["Statement"].as_array_mut().unwrap().reverse();
    let put = stage.account.iam().put_user_policy().user_name(NAME).policy_name("gitlab-runner-cache");
    put.policy_document(format!("{policy:#}")).send().await.unwrap();
    workspace.assert_stable().await;
    super::ends_well(&stage, &workspace).await;
}

/// From one way to a role to the other: the old one is closed when the new one is open.
#[tokio::test]
async fn the_other_way() {
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
        let order = ["UpdateAssumeRolePolicy", association, "UpdateAssumeRolePolicy"];
        assert_eq!(stage.account.changes(), order);
        let first = &stage.account.calls_of("iam", "UpdateAssumeRolePolicy")[0].parameters["PolicyDocument"];
        let first = first.as_str().unwrap();
        assert!(first.contains("pods.eks.amazonaws.com") && first.contains("oidc-provider"), "{first}");
    }
    assert_eq!(trust(&stage.account).await, of_irsa);
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}
