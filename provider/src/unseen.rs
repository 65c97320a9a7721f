//! What a read may not see, in the cluster or in AWS: the state of it stays, and one warning says what is missing.
//!
//! Plans of merge requests are made by identities that only read, and not everything.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::Diagnostic;

/// Requests at a time.
const AT_A_TIME: usize = 8;

/// What was not seen in one read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unseen {
    is_strict: bool,
    objects: Vec<String>,
    rights: BTreeSet<String>,
}

/// Objects by their places, `None` for those that are not there.
pub(crate) type Found = Vec<(ObjectRef, Option<Json>)>;

/// Reads objects, without those that may not be read.
pub(crate) async fn get_visible(
    client: &kube::Client,
    places: impl IntoIterator<Item = ObjectRef>,
) -> Result<(Found, Unseen), KubernetesError> {
    let mut answers = stream::iter(places)
        .map(async |place| {
            let found = kubernetes::get(client, &place).await;
            (place, found)
        })
        .buffered(AT_A_TIME);
    let (mut found, mut unseen) = (Vec::new(), Unseen::default());
    while let Some((place, answer)) = answers.next().await {
        match answer {
            Ok(object) => found.push((place, object)),
            Err(KubernetesError::Forbidden { message, .. }) => unseen.note(&place.to_string(), &message),
            Err(error) => return Err(error),
        }
    }
    Ok((found, unseen))
}

impl Unseen {
    /// For a read that may follow an import: there is no state yet that could stay, so that a refusal is an error.
    pub(crate) fn unless(is_import: bool) -> Self {
        Self { is_strict: is_import, ..Self::default() }
    }

    /// Notes that the API server refused a look, with these words.
    pub(crate) fn note(&mut self, what: &str, message: &str) {
        self.objects.push(what.to_owned());
        self.rights.insert(right(message));
    }

    /// What AWS answered; `None`, and noted, if the identity may not make the call.
    pub(crate) fn seen<T>(&mut self, what: &str, answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if self.has_refused(what, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether this is an answer of AWS to an identity that may not make the call, which is noted then.
    pub(crate) fn has_refused(&mut self, what: &str, error: &AwsError) -> bool {
        let is_refused = error.is_access_denied() && !self.is_strict;
        if is_refused {
            self.objects.push(what.to_owned());
            self.rights.insert(error.missing_permission());
        }
        is_refused
    }

    /// Whether this was not seen.
    pub(crate) fn has(&self, what: &str) -> bool {
        self.objects.iter().any(|object| object == what)
    }

    /// The warning of a read of this kind of resource, if there is something to say. Hosts show one of the warnings with the same
    /// summary.
    pub(crate) fn warning(&self, kind: &str) -> Option<Diagnostic> {
        if self.rights.is_empty() {
            return None;
        }
        let rights: Vec<String> = self.rights.iter().map(|right| format!("\n- {right}")).collect();
        let detail = format!(
            "The identity in use is not allowed to read {}. Their state was not refreshed, so changes made outside of \
             this configuration are not detected. The following permissions are missing:{}\nThe roles and policies in \
             docs/permissions/plan are sufficient for plans.",
            self.objects.join(", "),
            rights.concat()
        );
        Some(Diagnostic::warning(format!("Missing permissions to read the {kind}"), detail))
    }
}

/// The permission that an answer asks for: `secrets "a" is forbidden: User "b" cannot get resource "secrets" in API group ""
/// in the namespace "ci"`.
fn right(message: &str) -> String {
    let parts = || {
        let (_, rest) = message.split_once("\" cannot ")?;
        let (verb, rest) = rest.split_once(" resource \"")?;
        let (resource, rest) = rest.split_once("\" in API group \"")?;
        let (group, rest) = rest.split_once('"')?;
        let resource = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let place = match rest.split_once("in the namespace \"").and_then(|(_, name)| name.split_once('"')) {
            Some((namespace, _)) => format!("in the namespace {namespace}"),
            None => "in the whole cluster".to_owned(),
        };
        Some(format!("{verb} {resource} {place}"))
    };
    parts().unwrap_or_else(|| message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_tell_the_missing_permission() {
        let role = "roles.rbac.authorization.k8s.io \"a\" is forbidden: User \"system:serviceaccount:x:y\" cannot get resource \
                    \"roles\" in API group \"rbac.authorization.k8s.io\" in the namespace \"ci\": RBAC: not found";
        assert_eq!(right(role), "get roles.rbac.authorization.k8s.io in the namespace ci");
        let class = "priorityclasses.scheduling.k8s.io \"a\" is forbidden: User \"u\" cannot get resource \
                     \"priorityclasses\" in API group \"scheduling.k8s.io\" at the cluster scope";
        assert_eq!(right(class), "get priorityclasses.scheduling.k8s.io in the whole cluster");
        assert_eq!(right("no"), "no");
    }

    fn denied(operation: &'static str, status: u16, code: &str, message: &str) -> AwsError {
        AwsError::answered(operation, status, code, message)
    }

    #[test]
    fn answers_of_aws_tell_the_missing_permission() {
        let mut unseen = Unseen::unless(false);
        let eks = "User: arn:aws:iam::111122223333:user/plan is not authorized to perform: eks:DescribeNodegroup on resource: \
                   arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/1 because no identity-based policy allows it";
        let eks = denied("DescribeNodegroup", 403, "AccessDeniedException", eks);
        assert_eq!(unseen.seen::<()>("the node group prod:build", Err(eks.clone())), Ok(None));
        let ec2 = "You are not authorized to perform this operation. User: a is not authorized to perform: \
                   ec2:DescribeLaunchTemplateVersions because no identity-based policy allows it";
        let ec2 = denied("DescribeLaunchTemplateVersions", 403, "UnauthorizedOperation", ec2);
        assert_eq!(unseen.seen::<()>("its launch template", Err(ec2)), Ok(None));
        let s3 = denied("GetBucketEncryption", 403, "AccessDenied", "Access Denied");
        assert_eq!(unseen.seen::<()>("the encryption", Err(s3)), Ok(None));
        let said = unseen.warning("node group").unwrap().detail;
        let permissions = "missing:\n- ec2:DescribeLaunchTemplateVersions\n- eks:DescribeNodegroup on \
                           arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/1\n- s3:GetEncryptionConfiguration\n";
        assert!(said.contains(permissions), "{said}");
        assert!(
            said.contains("not allowed to read the node group prod:build, its launch template, the encryption."),
            "{said}"
        );

        assert_eq!(Unseen::unless(true).seen::<()>("", Err(eks.clone())), Err(eks));
        let expired = denied("DescribeNodegroup", 403, "ExpiredTokenException", "");
        assert_eq!(unseen.seen::<()>("", Err(expired.clone())), Err(expired));
    }

    #[test]
    fn one_warning_has_all_of_them() {
        let mut unseen = Unseen::default();
        assert_eq!(unseen.warning("node group"), None);
        let message = |verb: &str| {
            format!("User \"u\" cannot {verb} resource \"secrets\" in API group \"\" in the namespace \"ci\"")
        };
        unseen.note("Secret ci/a", &message("get"));
        unseen.note("Secret ci/b", &message("get"));
        unseen.note("Secrets", &message("list"));
        assert!(unseen.has("Secret ci/a") && !unseen.has("Secret ci/c"));
        let said = unseen.warning("node group").unwrap().detail;
        assert!(said.contains("not allowed to read Secret ci/a, Secret ci/b, Secrets."), "{said}");
        assert_eq!(said.matches("\n- ").count(), 2, "{said}");
    }
}
