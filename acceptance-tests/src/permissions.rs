//! Compares the policies of `docs/permissions` with the calls of the provider.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::Call;
use crate::cloud::repository;

/// Calls without IAM permissions: `GetCallerIdentity` is always allowed, and only the trust policy of the role decides
/// about `AssumeRoleWithWebIdentity`.
const FREE: [&str; 2] = ["sts:GetCallerIdentity", "sts:AssumeRoleWithWebIdentity"];

/// Operations of S3 with actions of other names.
const S3: [(&str, &[&str]); 15] = [
    ("DeleteBucketLifecycle", &["PutLifecycleConfiguration"]),
    ("DeleteBucketTagging", &["PutBucketTagging"]),
    ("DeleteObjects", &["DeleteObject", "DeleteObjectVersion"]),
    ("GetBucketEncryption", &["GetEncryptionConfiguration"]),
    ("GetBucketLifecycleConfiguration", &["GetLifecycleConfiguration"]),
    ("GetPublicAccessBlock", &["GetBucketPublicAccessBlock"]),
    ("HeadBucket", &["ListBucket"]),
    ("HeadObject", &["GetObject"]),
    ("ListBuckets", &["ListAllMyBuckets"]),
    ("ListObjectVersions", &["ListBucketVersions"]),
    ("ListObjects", &["ListBucket"]),
    ("ListObjectsV2", &["ListBucket"]),
    ("PutBucketEncryption", &["PutEncryptionConfiguration"]),
    ("PutBucketLifecycleConfiguration", &["PutLifecycleConfiguration"]),
    ("PutPublicAccessBlock", &["PutBucketPublicAccessBlock"]),
];

/// Actions that AWS requires in addition to that of the operation: to pass a role, to add tags in the same request, and
/// for calls that EKS makes with the permissions of the caller to check the role and the launch template.
const FURTHER: [(&str, &[&str]); 7] = [
    ("ec2:CreateLaunchTemplate", &["ec2:CreateTags"]),
    (
        "eks:CreateNodegroup",
        &[
            "ec2:CreateTags",
            "ec2:DescribeLaunchTemplateVersions",
            "ec2:RunInstances",
            "eks:TagResource",
            "iam:CreateServiceLinkedRole",
            "iam:GetRole",
            "iam:ListAttachedRolePolicies",
            "iam:PassRole",
        ],
    ),
    ("eks:CreatePodIdentityAssociation", &["eks:TagResource", "iam:GetRole", "iam:PassRole"]),
    ("eks:UpdatePodIdentityAssociation", &["iam:GetRole", "iam:PassRole"]),
    ("iam:CreateRole", &["iam:PutRolePermissionsBoundary", "iam:TagRole"]),
    ("iam:CreateUser", &["iam:PutUserPermissionsBoundary", "iam:TagUser"]),
    ("s3:CreateBucket", &["s3:TagResource"]),
];

/// The actions of each policy, by file name without extension: `provider`, or the name of a resource or data source
/// without `gitlabspot_`.
#[derive(Debug)]
pub(crate) struct Policies(BTreeMap<String, BTreeSet<String>>);

impl Policies {
    /// Reads the policies in a folder of `docs/permissions`.
    pub(crate) fn of(folder: &str) -> Self {
        let folder = repository().join("docs/permissions").join(folder);
        let mut policies = BTreeMap::new();
        for entry in fs::read_dir(&folder).expect("there are policies").flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let policy = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
            policies.insert(name, actions(&policy));
        }
        Self(policies)
    }

    /// Union of both.
    pub(crate) fn and(mut self, other: Self) -> Self {
        for (name, actions) in other.0 {
            self.0.entry(name).or_default().extend(actions);
        }
        self
    }

    /// Actions that the provider's calls need and that the policies of the configured resources do not allow.
    pub(crate) fn lacking(&self, mentioned: &BTreeSet<String>, calls: &[Call]) -> BTreeSet<String> {
        let of_use = |name: &String| *name == "provider" || mentioned.contains(name);
        let allowed: BTreeSet<&String> =
            self.0.iter().filter(|(name, _)| of_use(name)).flat_map(|(_, actions)| actions).collect();
        calls
            .iter()
            .filter(|call| call.is_from_provider())
            .flat_map(|call| needed(&call.service, &call.action))
            .filter(|action| !allowed.contains(action))
            .collect()
    }
}

fn actions(policy: &Value) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().expect("a policy has statements");
    let mut found = BTreeSet::new();
    for statement in statements {
        match &statement["Action"] {
            Value::String(action) => _ = found.insert(action.clone()),
            Value::Array(actions) => found.extend(actions.iter().filter_map(Value::as_str).map(str::to_owned)),
            other => panic!("no action: {other}"),
        }
    }
    found
}

/// The IAM actions that a call needs.
fn needed(service: &str, operation: &str) -> Vec<String> {
    let own = format!("{service}:{operation}");
    if FREE.contains(&own.as_str()) {
        return Vec::new();
    }
    let renamed = S3.iter().find(|(name, _)| service == "s3" && *name == operation);
    let mut needed = match renamed {
        Some((_, actions)) => actions.iter().map(|action| format!("s3:{action}")).collect(),
        None => vec![own.clone()],
    };
    let further = FURTHER.iter().find(|(name, _)| *name == own).map_or(&[][..], |(_, actions)| actions);
    needed.extend(further.iter().map(|action| (*action).to_owned()));
    needed
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;

    fn call(service: &str, action: &str, user_agent: &str) -> Call {
        let call =
            json!({ "number": 1, "service": service, "action": action, "parameters": {}, "user_agent": user_agent });
        serde_json::from_value(call).unwrap()
    }

    #[test]
    fn policies_follow_the_configuration() {
        let policy = |action: &str| actions(&json!({ "Statement": [{ "Action": action }] }));
        let policies = Policies(BTreeMap::from([
            ("provider".to_owned(), policy("eks:DescribeCluster")),
            ("cache_bucket".to_owned(), policy("s3:ListBucket")),
            ("runner_credentials".to_owned(), policy("iam:GetUser")),
        ]));
        let provider = "lib/terraform-provider-gitlabspot/0.1.0";
        let calls = [
            call("eks", "DescribeCluster", provider),
            call("s3", "HeadBucket", provider),
            call("iam", "GetUser", provider),
            call("sts", "GetCallerIdentity", provider),
            call("ec2", "DescribeVpcs", "aws-sdk-rust/1"),
        ];
        let lacking = policies.lacking(&BTreeSet::from(["cache_bucket".to_owned()]), &calls);
        assert_eq!(lacking, BTreeSet::from(["iam:GetUser".to_owned()]));
    }

    #[test]
    fn operation_needs_its_action_and_dependent_actions() {
        assert_eq!(needed("autoscaling", "CreateOrUpdateTags"), ["autoscaling:CreateOrUpdateTags"]);
        assert_eq!(needed("s3", "GetBucketEncryption"), ["s3:GetEncryptionConfiguration"]);
        assert_eq!(needed("s3", "DeleteObjects"), ["s3:DeleteObject", "s3:DeleteObjectVersion"]);
        assert_eq!(needed("iam", "CreateUser"), ["iam:CreateUser", "iam:PutUserPermissionsBoundary", "iam:TagUser"]);
        assert_eq!(needed("sts", "GetCallerIdentity"), [""; 0]);
    }

    /// Every action of a policy is needed by an operation in the code of that resource.
    #[test]
    fn policies_have_no_unused_action() {
        let policies = Policies::of("").and(Policies::of("query"));
        assert!(policies.0.len() >= 5, "{policies:?}");
        let source = repository().join("provider");
        for (name, actions) in &policies.0 {
            let (folders, services): (&[&str], &[&str]) = match name.as_str() {
                "provider" => (&["clients/src"], &["eks", "sts"]),
                "spot_instance_types" => (&["src/data_sources/spot_instance_types"], &["ec2"]),
                _ => (&["resources"], &["autoscaling", "ec2", "eks", "iam", "s3"]),
            };
            let own = format!("src/resources/{name}");
            let mut folders: Vec<&str> =
                folders.iter().map(|it| if *it == "resources" { own.as_str() } else { it }).collect();
            // Both resources call the module for roles.
            if ["node_group", "runner_credentials"].contains(&name.as_str()) {
                folders.push("src/iam");
            }
            let mut words = BTreeSet::new();
            folders.iter().for_each(|folder| collect_words(&source.join(folder), &mut words));
            let used: BTreeSet<String> = words
                .iter()
                .flat_map(|word| services.iter().map(move |service| (service, camel_case(word))))
                .flat_map(|(service, operation)| needed(service, &operation))
                .collect();
            // The SDK writes abbreviations differently: ListMFADevices is list_mfa_devices.
            let is_used = |action: &str| used.iter().any(|known| known.eq_ignore_ascii_case(action));
            let idle: Vec<&String> = actions.iter().filter(|action| !is_used(action)).collect();
            assert!(idle.is_empty(), "{name}.json allows what nothing in {folders:?} calls: {idle:?}");
        }
    }

    /// The policies for plans have the read-only actions of the other policies.
    #[test]
    fn plan_policies_only_read() {
        let plans = Policies::of("plan");
        let mut all = Policies::of("");
        all.0.remove("provider");
        assert!(plans.0.keys().eq(all.0.keys()), "{plans:?}");
        for (name, actions) in all.0 {
            let reads = |action: &String| {
                let operation = action.split_once(':').map_or("", |(_, operation)| operation);
                ["Get", "List", "Describe"].iter().any(|verb| operation.starts_with(verb))
                    && action != "s3:ListBucketVersions"
            };
            let reading: BTreeSet<String> = actions.into_iter().filter(reads).collect();
            assert_eq!(plans.0[&name], reading, "{name}");
        }
    }

    /// `iam:PassRole` without a condition would allow passing a role to any service, such as Lambda. The condition
    /// lists the services to which EKS passes roles, in all partitions.
    #[test]
    fn pass_role_is_limited_to_services() {
        let mut passed = BTreeMap::new();
        for name in Policies::of("").0.keys() {
            let file = repository().join(format!("docs/permissions/{name}.json"));
            let policy: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
            for statement in policy["Statement"].as_array().unwrap() {
                let actions = actions(&json!({ "Statement": [statement] }));
                if !actions.iter().any(|action| action.contains('*') || action == "iam:PassRole") {
                    continue;
                }
                // Other actions do not support this condition key, so that the statement would never allow them.
                assert_eq!(actions.len(), 1, "{name}: {statement:#}");
                let services = match &statement["Condition"]["StringEquals"]["iam:PassedToService"] {
                    Value::String(service) => vec![service.clone()],
                    services => serde_json::from_value(services.clone()).expect("a role is passed to named services"),
                };
                passed.insert(name.clone(), services);
            }
        }
        let nodes = [
            "eks.amazonaws.com",
            "eks.amazonaws.com.cn",
            "ec2.amazonaws.com",
            "ec2.amazonaws.com.cn",
            "ec2.c2s.ic.gov",
            "ec2.sc2s.sgov.gov",
        ];
        let expected = [("node_group", &nodes[..]), ("runner_credentials", &["pods.eks.amazonaws.com"])];
        let expected =
            expected.map(|(name, services)| (name.to_owned(), services.iter().map(|it| (*it).to_owned()).collect()));
        assert_eq!(passed, BTreeMap::from(expected));
    }

    /// Collects the words of the source code without tests. Code calls operations by their names in snake case.
    fn collect_words(folder: &Path, words: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("tests") {
                continue;
            }
            if path.is_dir() {
                collect_words(&path, words);
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
                words.extend(code.split(|character| !is_part(character)).map(str::to_owned));
            }
        }
    }

    fn camel_case(word: &str) -> String {
        let mut parts = word.split('_').map(|part| {
            let mut characters = part.chars();
            characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect::<String>()
        });
        parts.by_ref().collect()
    }
}
