//! IAM: users and roles, with their policies and access keys.

use std::collections::BTreeMap;

use super::query::{Parameters, elements};
use super::request::{Answer, Request, refused};

/// The creation time of every user, role and access key.
pub const CREATED: &str = "2026-01-01T00:00:00Z";

/// [`CREATED`] in seconds since the epoch.
pub const CREATED_SECONDS: u64 = 1_767_225_600;

#[derive(Clone, Debug, Default)]
pub struct Iam {
    /// Users and roles, as `user/` or `role/` and their name.
    pub principals: BTreeMap<String, Principal>,
    created_keys: u32,
}

#[derive(Clone, Debug, Default)]
pub struct Principal {
    pub path: String,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    pub tags: BTreeMap<String, String>,
    /// The trust policy of a role.
    pub trust: String,
    /// Documents of inline policies.
    pub policies: BTreeMap<String, String>,
    /// ARNs of managed policies.
    pub attached: Vec<String>,
    /// Whether an access key of a user is active, by id.
    pub keys: BTreeMap<String, bool>,
    /// The instance profiles that have a role.
    pub profiles: Vec<String>,
}

/// The secret of an access key.
#[must_use]
pub fn secret_of(id: &str) -> String {
    format!("hidden-secret-of-{id}")
}

impl Iam {
    pub(super) fn answer(&mut self, Request { action, parameters, .. }: &Request) -> Answer {
        if action == "GetOpenIDConnectProvider" {
            return Ok("<ClientIDList><member>sts.amazonaws.com</member></ClientIDList>".to_owned());
        }
        let kind = if parameters.get("RoleName").is_some() { "Role" } else { "User" };
        let name = parameters.text(&format!("{kind}Name"));
        let id = format!("{}/{name}", kind.to_lowercase());
        if action.starts_with("Create") && action.ends_with(kind) {
            if self.principals.contains_key(&id) {
                return refused(409, "EntityAlreadyExists", &format!("{kind} with name {name} already exists."));
            }
            self.principals.insert(id.clone(), Principal::of(parameters));
        }
        let Some(principal) = self.principals.get_mut(&id) else {
            return refused(404, "NoSuchEntity", &format!("The {kind} with name {name} cannot be found."));
        };
        // Actions of users and roles differ only in their names.
        match action.replacen(kind, "", 1).as_str() {
            "Create" | "Get" => Ok(principal.describe(kind, &name)),
            "Delete" if !principal.is_empty() => refused(
                409,
                "DeleteConflict",
                "Cannot delete entity, must delete its policies, keys and profiles first.",
            ),
            "Delete" => {
                self.principals.remove(&id);
                Ok(String::new())
            }
            "CreateAccessKey" if principal.keys.len() == 2 => {
                refused(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
            }
            "CreateAccessKey" => {
                let id = format!("AKIA{:04}", self.created_keys);
                self.created_keys += 1;
                principal.keys.insert(id.clone(), true);
                let secret = elements("SecretAccessKey", [secret_of(&id)]);
                Ok(elements("AccessKey", [key((&id, &true)) + &secret]))
            }
            action if action.contains("Key") => principal.key(action, parameters),
            // `UpdateAssumePolicy` is `UpdateAssumeRolePolicy` without the kind.
            action if action.contains("Polic") && action != "UpdateAssumePolicy" => {
                principal.policy(action, parameters)
            }
            action => principal.other(action, parameters),
        }
    }
}

impl Principal {
    fn of(parameters: &Parameters) -> Self {
        Self {
            path: parameters.text("Path"),
            boundary: parameters.get("PermissionsBoundary").map(str::to_owned),
            tags: parameters.tags("Tags.member").collect(),
            trust: parameters.text("AssumeRolePolicyDocument"),
            ..Self::default()
        }
    }

    /// Whether it can be deleted.
    fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.attached.is_empty() && self.keys.is_empty() && self.profiles.is_empty()
    }

    fn other(&mut self, action: &str, parameters: &Parameters) -> Answer {
        // IAM treats keys of tags as case-insensitive.
        let mut untag = |keys: Vec<String>| {
            self.tags.retain(|known, _| !keys.iter().any(|key| known.eq_ignore_ascii_case(key)));
        };
        match action {
            "Tag" => {
                untag(parameters.list("Tags.member", ".Key"));
                self.tags.extend(parameters.tags("Tags.member"));
            }
            "Untag" => untag(parameters.list("TagKeys.member", "")),
            "PutPermissionsBoundary" => self.boundary = Some(parameters.text("PermissionsBoundary")),
            "DeletePermissionsBoundary" => self.boundary = None,
            "UpdateAssumePolicy" => self.trust = parameters.text("PolicyDocument"),
            "ListInstanceProfilesFor" => {
                let profiles = self.profiles.iter().map(|name| elements("InstanceProfileName", [name]));
                return Ok(list("InstanceProfiles", profiles));
            }
            "ListGroupsFor" | "ListMFADevices" | "ListSigningCertificates" | "ListServiceSpecificCredentials" => {}
            "GetLoginProfile" => return refused(404, "NoSuchEntity", "The user has no password."),
            other => unreachable!("{other}"),
        }
        Ok(String::new())
    }

    fn policy(&mut self, action: &str, parameters: &Parameters) -> Answer {
        let (name, arn) = (parameters.text("PolicyName"), parameters.text("PolicyArn"));
        let not_found = || refused(404, "NoSuchEntity", "The policy cannot be found.");
        match action {
            "PutPolicy" => drop(self.policies.insert(name, parameters.text("PolicyDocument"))),
            "GetPolicy" | "DeletePolicy" if !self.policies.contains_key(&name) => return not_found(),
            "GetPolicy" => {
                let document = encoded(&self.policies[&name]);
                let names = ["UserName", "RoleName", "PolicyName"].map(|element| elements(element, [&name])).concat();
                return Ok(names + &elements("PolicyDocument", [document]));
            }
            "DeletePolicy" => drop(self.policies.remove(&name)),
            "ListPolicies" => return Ok(list("PolicyNames", self.policies.keys())),
            "AttachPolicy" if self.attached.contains(&arn) => {}
            "AttachPolicy" => self.attached.push(arn),
            "DetachPolicy" if !self.attached.contains(&arn) => return not_found(),
            "DetachPolicy" => self.attached.retain(|attached| *attached != arn),
            "ListAttachedPolicies" => {
                let policies = self.attached.iter().map(|arn| elements("PolicyArn", [arn]));
                return Ok(list("AttachedPolicies", policies));
            }
            other => unreachable!("{other}"),
        }
        Ok(String::new())
    }

    fn key(&mut self, action: &str, parameters: &Parameters) -> Answer {
        let id = parameters.text("AccessKeyId");
        match action {
            "ListAccessKeys" => return Ok(list("AccessKeyMetadata", self.keys.iter().map(key))),
            "ListSSHPublicKeys" => {}
            _ if !self.keys.contains_key(&id) => return refused(404, "NoSuchEntity", "The key cannot be found."),
            "UpdateAccessKey" => drop(self.keys.insert(id, parameters.get("Status") == Some("Active"))),
            "DeleteAccessKey" => drop(self.keys.remove(&id)),
            other => unreachable!("{other}"),
        }
        Ok(String::new())
    }

    fn describe(&self, kind: &str, name: &str) -> String {
        let tag = |(key, value)| format!("<Key>{key}</Key><Value>{value}</Value>");
        let boundary = self.boundary.iter().map(|arn| elements("PermissionsBoundaryArn", [arn]));
        format!(
            "<{kind}><Path>{path}</Path><{kind}Name>{name}</{kind}Name><{kind}Id>ID</{kind}Id>\
             <Arn>arn:aws:iam::123456789012:{word}{path}{name}</Arn><CreateDate>{CREATED}</CreateDate>{boundary}\
             <AssumeRolePolicyDocument>{trust}</AssumeRolePolicyDocument><Tags>{tags}</Tags></{kind}>",
            path = self.path,
            word = kind.to_lowercase(),
            boundary = elements("PermissionsBoundary", boundary),
            trust = encoded(&self.trust),
            tags = elements("member", self.tags.iter().map(tag)),
        )
    }
}

fn key((id, is_active): (&String, &bool)) -> String {
    let status = if *is_active { "Active" } else { "Inactive" };
    format!(
        "<UserName>u</UserName><AccessKeyId>{id}</AccessKeyId><Status>{status}</Status>\
         <CreateDate>{CREATED}</CreateDate>"
    )
}

/// A complete list.
fn list<T: std::fmt::Display>(name: &str, members: impl IntoIterator<Item = T>) -> String {
    format!("<IsTruncated>false</IsTruncated><{name}>{}</{name}>", elements("member", members))
}

/// Percent-encodes a document, as IAM returns it.
fn encoded(document: &str) -> String {
    url::form_urlencoded::byte_serialize(document.as_bytes()).collect::<String>().replace('+', "%20")
}
