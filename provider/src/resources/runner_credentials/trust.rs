//! Trust policies of the role.

use serde_json::{Value as Json, json};

use crate::policy_document;

/// Audience of the service account tokens that EKS adds to pods.
pub(super) const AUDIENCE: &str = "sts.amazonaws.com";

/// A service account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServiceAccount {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// Returns a trust policy for one service account, which authenticates with a token of the cluster's OIDC provider.
///
/// `issuer` is the OIDC issuer of the cluster, with or without `https://`.
pub(super) fn irsa(partition: &str, account_id: &str, issuer: &str, who: &ServiceAccount) -> Json {
    let issuer = host(issuer);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Federated": oidc_provider(partition, account_id, issuer) },
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": { "StringEquals": {
                format!("{issuer}:aud"): AUDIENCE,
                format!("{issuer}:sub"): format!("system:serviceaccount:{}:{}", who.namespace, who.name),
            } },
        }],
    })
}

/// ARN of the IAM OIDC provider of an account for an issuer.
pub(super) fn oidc_provider(partition: &str, account_id: &str, issuer: &str) -> String {
    format!("arn:{partition}:iam::{account_id}:oidc-provider/{}", host(issuer))
}

fn host(issuer: &str) -> &str {
    issuer.strip_prefix("https://").unwrap_or(issuer)
}

/// Returns the trust policy for EKS Pod Identity. The service account is in the association, not in the policy.
pub(super) fn pod_identity() -> Json {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "pods.eks.amazonaws.com" },
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }],
    })
}

/// Combines the statements of several policies, each once. During a switch a role has several grants.
pub(super) fn all(documents: &[Json]) -> Json {
    let mut statements: Vec<Json> = Vec::new();
    for statement in documents.iter().flat_map(policy_document::statements) {
        if !statements.contains(&statement) {
            statements.push(statement);
        }
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Returns the service account of a trust policy of [`irsa`]; `None` for other policies.
pub(super) fn service_account(document: &Json) -> Option<ServiceAccount> {
    let conditions = document["Statement"][0]["Condition"]["StringEquals"].as_object()?;
    let subject = conditions.iter().find(|(key, _)| key.ends_with(":sub"))?.1.as_str()?;
    let (namespace, name) = subject.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    Some(ServiceAccount { namespace: namespace.to_owned(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_partition_has_its_arns_and_all_the_same_principals() {
        let who = ServiceAccount { namespace: "ci".to_owned(), name: "runner".to_owned() };
        for (region, partition, suffix) in crate::partition::EACH {
            let issuer = format!("oidc.eks.{region}.{suffix}/id/ABC");
            let statement = &irsa(partition, "123456789012", &format!("https://{issuer}"), &who)["Statement"][0];
            let provider = format!("arn:{partition}:iam::123456789012:oidc-provider/{issuer}");
            assert_eq!(statement["Principal"]["Federated"], provider);
            // Audience and service principal of EKS are the same in every partition.
            assert_eq!(statement["Condition"]["StringEquals"][format!("{issuer}:aud")], "sts.amazonaws.com");
        }
        assert_eq!(pod_identity()["Statement"][0]["Principal"]["Service"], "pods.eks.amazonaws.com");
    }

    #[test]
    fn one_service_account_and_no_other() {
        let who = ServiceAccount { namespace: "ci".to_owned(), name: "runner".to_owned() };
        let document = irsa("aws", "123456789012", "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC", &who);
        let statement = &document["Statement"][0];
        assert_eq!(
            statement["Principal"]["Federated"],
            "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC"
        );
        assert_eq!(
            statement["Condition"]["StringEquals"],
            json!({
                "oidc.eks.eu-west-1.amazonaws.com/id/ABC:aud": "sts.amazonaws.com",
                "oidc.eks.eu-west-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:ci:runner",
            })
        );
        assert_eq!(service_account(&document), Some(who));
        assert_eq!(service_account(&pod_identity()), None);
        assert_eq!(
            all(&[document.clone(), pod_identity(), document.clone()])["Statement"].as_array().unwrap().len(),
            2
        );
        assert_eq!(all(std::slice::from_ref(&document)), document);
    }
}
