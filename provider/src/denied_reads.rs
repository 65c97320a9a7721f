//! Reads that AWS or the API server denies: the state of these objects is kept, and one warning lists the permissions
//! that are missing.
//!
//! Plans of merge requests usually run with an identity that has read permissions only, and not all of them.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use gitlabspot_clients::aws::AwsError;
use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::Diagnostic;

/// Maximum number of concurrent requests.
const AT_A_TIME: usize = 8;

/// Objects that one refresh was not allowed to read, and the missing permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeniedReads {
    is_strict: bool,
    objects: Vec<String>,
    permissions: BTreeSet<String>,
}

/// Objects with their places; `None` for an object that does not exist.
pub(crate) type Found = Vec<(ObjectRef, Option<Json>)>;

/// Reads objects, and omits those that the identity is not allowed to read.
pub(crate) async fn get_readable(
    client: &kube::Client,
    places: impl IntoIterator<Item = ObjectRef>,
) -> Result<(Found, DeniedReads), KubernetesError> {
    let mut answers = stream::iter(places)
        .map(async |place| {
            let found = kubernetes::get(client, &place).await;
            (place, found)
        })
        // `buffered` keeps the order of the places, so that two plans have the same warning.
        .buffered(AT_A_TIME);
    let (mut found, mut denied) = (Vec::new(), DeniedReads::default());
    while let Some((place, answer)) = answers.next().await {
        match answer {
            Ok(object) => found.push((place, object)),
            Err(KubernetesError::Forbidden { message, .. }) => denied.note(&place.to_string(), &message),
            Err(error) => return Err(error),
        }
    }
    Ok((found, denied))
}

impl DeniedReads {
    /// For a read that may complete an import: there is no state to keep, so that a denied read is an error.
    pub(crate) fn unless(is_import: bool) -> Self {
        Self { is_strict: is_import, ..Self::default() }
    }

    /// Notes a read that the API server denied with this message.
    pub(crate) fn note(&mut self, what: &str, message: &str) {
        self.objects.push(what.to_owned());
        self.permissions.insert(permission(message));
    }

    /// Returns the answer of AWS. Notes a denied call, and returns `None` for it.
    pub(crate) fn or_none<T>(&mut self, what: &str, answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if self.is_denied(what, &error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether AWS denied the call. Notes a denied call.
    pub(crate) fn is_denied(&mut self, what: &str, error: &AwsError) -> bool {
        let is_denied = error.is_access_denied() && !self.is_strict;
        if is_denied {
            self.objects.push(what.to_owned());
            self.permissions.insert(error.missing_permission());
        }
        is_denied
    }

    /// Whether the read of this object was denied.
    pub(crate) fn has(&self, what: &str) -> bool {
        self.objects.iter().any(|object| object == what)
    }

    /// The warning of a resource of this kind, if a read was denied. Hosts combine warnings with the same summary.
    pub(crate) fn warning(&self, kind: &str) -> Option<Diagnostic> {
        if self.permissions.is_empty() {
            return None;
        }
        let permissions: Vec<String> = self.permissions.iter().map(|permission| format!("\n- {permission}")).collect();
        let detail = format!(
            "The identity in use is not allowed to read {}. Their state was not refreshed, so changes made outside of \
             this configuration are not detected. The following permissions are missing:{}\nThe roles and policies in \
             docs/permissions/plan are sufficient for plans.",
            self.objects.join(", "),
            permissions.concat()
        );
        Some(Diagnostic::warning(format!("Missing permissions to read the {kind}"), detail))
    }
}

/// Extracts the missing permission from a message of the API server, such as `secrets "a" is forbidden: User "b" cannot
/// get resource "secrets" in API group "" in the namespace "ci"`. Any other message is returned as it is.
fn permission(message: &str) -> String {
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
    fn missing_permission_is_read_from_kubernetes_errors() {
        let role = "roles.rbac.authorization.k8s.io \"a\" is forbidden: User \"system:serviceaccount:x:y\" cannot get resource \
                    \"roles\" in API group \"rbac.authorization.k8s.io\" in the namespace \"ci\": RBAC: not found";
        assert_eq!(permission(role), "get roles.rbac.authorization.k8s.io in the namespace ci");
        let class = "priorityclasses.scheduling.k8s.io \"a\" is forbidden: User \"u\" cannot get resource \
                     \"priorityclasses\" in API group \"scheduling.k8s.io\" at the cluster scope";
        assert_eq!(permission(class), "get priorityclasses.scheduling.k8s.io in the whole cluster");
        assert_eq!(permission("no"), "no");
    }

    fn denial(operation: &'static str, status: u16, code: &str, message: &str) -> AwsError {
        AwsError::answered(operation, status, code, message)
    }

    #[test]
    fn missing_permission_is_read_from_aws_errors() {
        let mut denied = DeniedReads::unless(false);
        let eks = "User: arn:aws:iam::111122223333:user/plan is not authorized to perform: eks:DescribeNodegroup on resource: \
                   arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/1 because no identity-based policy allows it";
        let eks = denial("DescribeNodegroup", 403, "AccessDeniedException", eks);
        assert_eq!(denied.or_none::<()>("the node group prod:build", Err(eks.clone())), Ok(None));
        let ec2 = "You are not authorized to perform this operation. User: a is not authorized to perform: \
                   ec2:DescribeLaunchTemplateVersions because no identity-based policy allows it";
        let ec2 = denial("DescribeLaunchTemplateVersions", 403, "UnauthorizedOperation", ec2);
        assert_eq!(denied.or_none::<()>("its launch template", Err(ec2)), Ok(None));
        let s3 = denial("GetBucketEncryption", 403, "AccessDenied", "Access Denied");
        assert_eq!(denied.or_none::<()>("the encryption", Err(s3)), Ok(None));
        let text = denied.warning("node group").unwrap().detail;
        let permissions = "missing:\n- ec2:DescribeLaunchTemplateVersions\n- eks:DescribeNodegroup on \
                           arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/1\n- s3:GetEncryptionConfiguration\n";
        assert!(text.contains(permissions), "{text}");
        assert!(
            text.contains("not allowed to read the node group prod:build, its launch template, the encryption."),
            "{text}"
        );

        assert_eq!(DeniedReads::unless(true).or_none::<()>("", Err(eks.clone())), Err(eks));
        let expired = denial("DescribeNodegroup", 403, "ExpiredTokenException", "");
        assert_eq!(denied.or_none::<()>("", Err(expired.clone())), Err(expired));
    }

    #[test]
    fn denied_reads_are_one_warning() {
        let mut denied = DeniedReads::default();
        assert_eq!(denied.warning("node group"), None);
        let message = |verb: &str| {
            format!("User \"u\" cannot {verb} resource \"secrets\" in API group \"\" in the namespace \"ci\"")
        };
        denied.note("Secret ci/a", &message("get"));
        denied.note("Secret ci/b", &message("get"));
        denied.note("Secrets", &message("list"));
        assert!(denied.has("Secret ci/a") && !denied.has("Secret ci/c"));
        let text = denied.warning("node group").unwrap().detail;
        assert!(text.contains("not allowed to read Secret ci/a, Secret ci/b, Secrets."), "{text}");
        assert_eq!(text.matches("\n- ").count(), 2, "{text}");
    }
}
