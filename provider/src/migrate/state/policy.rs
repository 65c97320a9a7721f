//! The buckets that the policies of an IAM user name.

use serde_json::Value as Json;

use super::instance::Instances;

/// What the policies of a user in the state allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Policies {
    /// Names of the buckets.
    pub(super) buckets: Vec<String>,
    /// Whether there is a policy that is known to be for other objects.
    pub(super) is_for_others: bool,
}

impl Policies {
    pub(super) fn of(instances: &Instances, user: &str) -> Self {
        let inline = instances.of("aws_iam_user_policy").filter(|policy| policy.text("user").as_deref() == Some(user));
        let mut texts: Vec<String> = inline.filter_map(|policy| policy.text("policy")).collect();
        let mut is_of_s3 = false;
        for arn in attached(instances, user) {
            let managed = instances.of("aws_iam_policy").find(|policy| policy.text("arn").as_ref() == Some(&arn));
            texts.extend(managed.and_then(|policy| policy.text("policy")));
            // Policies of AWS, such as AmazonS3FullAccess, name no bucket.
            is_of_s3 |= arn.contains(":aws:policy/AmazonS3");
        }
        let mut buckets: Vec<String> = texts.iter().flat_map(|text| named(text)).collect();
        buckets.sort();
        buckets.dedup();
        let is_for_others = buckets.is_empty() && !is_of_s3 && !texts.is_empty();
        Self { buckets, is_for_others }
    }
}

/// The ARNs of the policies that are attached to a user.
fn attached(instances: &Instances, user: &str) -> Vec<String> {
    let of_user = instances.of("aws_iam_user_policy_attachment").filter(|it| it.text("user").as_deref() == Some(user));
    let of_many =
        instances.of("aws_iam_policy_attachment").filter(|it| it.texts("users").iter().any(|name| name == user));
    of_user.chain(of_many).filter_map(|attachment| attachment.text("policy_arn")).collect()
}

/// The buckets in the resources of a policy.
fn named(policy: &str) -> Vec<String> {
    let Ok(policy) = serde_json::from_str::<Json>(policy) else { return Vec::new() };
    let is_allowed = |statement: &&Json| statement["Effect"] == "Allow";
    let resources =
        list(&policy["Statement"]).iter().filter(is_allowed).flat_map(|statement| list(&statement["Resource"]));
    resources.filter_map(|resource| bucket(resource.as_str()?)).collect()
}

/// IAM accepts a single element in place of a list.
fn list(value: &Json) -> &[Json] {
    match value {
        Json::Array(items) => items,
        Json::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// The bucket in an ARN such as `arn:aws:s3:::bucket/*`.
fn bucket(arn: &str) -> Option<String> {
    let (partition, path) = arn.split_once(":s3:::")?;
    let name = path.split('/').next().filter(|name| !name.is_empty() && !name.contains(['*', '?']))?;
    partition.starts_with("arn:").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_read_from_resources() {
        for (policy, expected) in [
            (r#"{"Statement":{"Effect":"Allow","Resource":"arn:aws:s3:::a/*"}}"#, vec!["a"]),
            (
                r#"{"Statement":[{"Effect":"Allow","Resource":["arn:aws:s3:::a","arn:aws-cn:s3:::b/x/*","arn:aws:sqs:eu:1:q"]}]}"#,
                vec!["a", "b"],
            ),
            (r#"{"Statement":[{"Effect":"Deny","Resource":"arn:aws:s3:::a"}]}"#, vec![]),
            (
                r#"{"Statement":[{"Effect":"Allow","Resource":"*"},{"Effect":"Allow","Resource":"arn:aws:s3:::*"}]}"#,
                vec![],
            ),
            ("not JSON", vec![]),
        ] {
            assert_eq!(named(policy), expected, "{policy}");
        }
    }
}
