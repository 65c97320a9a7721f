//! Import IDs.

use tfplugin::framework::{Diagnostic, Diagnostics};

use super::principal::Principal;
use super::schema::RunnerCredentials;

/// Returns the import ID of a principal for the Secret or the service account `object`.
pub(super) fn id(
    cluster: Option<&str>,
    (namespace, object): (&str, &str),
    (principal, name): (Principal, &str),
) -> String {
    let cluster = cluster.map(|cluster| format!("{cluster}/")).unwrap_or_default();
    let kind = if principal == Principal::Role { "role/" } else { "" };
    format!("{cluster}{namespace}/{object}:{kind}{name}")
}

/// Parses `[CLUSTER/]NAMESPACE/SECRET:USER` or `[CLUSTER/]NAMESPACE/SERVICE_ACCOUNT:role/ROLE`. Returns the attributes
/// that the following read needs. The mode of a role is preliminary: the read determines it from the trust policy.
pub(super) fn parse(id: &str) -> Result<RunnerCredentials, Diagnostics> {
    let wrong = || {
        let detail = format!(
            "{id:?} is not the ID of credentials. Use NAMESPACE/SECRET:USER, for example \
             \"gitlab-runner/gitlab-runner-s3-access:runner\", or NAMESPACE/SERVICE_ACCOUNT:role/ROLE. If the provider \
             is configured for another cluster, use CLUSTER/NAMESPACE/SECRET:USER."
        );
        Diagnostics::from(Diagnostic::error("Invalid import ID", detail))
    };
    let (place, principal) = id.split_once(':').ok_or_else(wrong)?;
    let (cluster, namespace, object) = match place.split('/').collect::<Vec<_>>()[..] {
        [namespace, object] => (None, namespace, object),
        [cluster, namespace, object] => (Some(cluster), namespace, object),
        _ => return Err(wrong()),
    };
    let role = principal.strip_prefix("role/");
    let name = role.unwrap_or(principal);
    if [namespace, object, name].contains(&"") || name.contains(['/', ':']) {
        return Err(wrong());
    }
    let state = RunnerCredentials {
        name: name.into(),
        namespace: namespace.into(),
        cluster_name: cluster.map(str::to_owned).into(),
        create_namespace: false.into(),
        id: id.into(),
        ..RunnerCredentials::default()
    };
    Ok(if role.is_some() {
        let secret_name = "gitlab-runner-s3-access".into();
        RunnerCredentials { mode: "irsa".into(), service_account: object.into(), secret_name, ..state }
    } else {
        RunnerCredentials { mode: "access_key".into(), secret_name: object.into(), ..state }
    })
}

#[cfg(test)]
mod tests {
    use tfplugin::framework::Value;

    use super::*;

    #[test]
    fn ids() {
        let state = parse("ci/cache:runner").unwrap();
        assert_eq!(
            (state.mode, state.namespace, state.secret_name, state.name, state.cluster_name),
            ("access_key".into(), "ci".into(), "cache".into(), "runner".into(), Value::Null)
        );
        let state = parse("prod/ci/runner-sa:role/cache").unwrap();
        assert_eq!(
            (state.mode, state.service_account, state.name, state.cluster_name),
            ("irsa".into(), "runner-sa".into(), "cache".into(), "prod".into())
        );
        for wrong in ["", "ci/cache", "cache:runner", "ci/:runner", "ci/cache:", "a/b/c/d:e", "ci/cache:user/x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
