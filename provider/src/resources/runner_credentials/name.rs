//! Generated names.

use tfplugin::framework::{Create, Value};

use super::access_method::{AccessMethod, Mode};
use super::error::{During, Remains, Result, Step};
use super::journal::Journal;
use super::model::Desired;
use super::private::Private;
use super::recorder::Recorder;
use super::schema::RunnerCredentials;
use super::validate::SUFFIX;
use super::{Session, partial, plan};
use crate::{names, partition};

/// Returns a random name.
pub(super) fn random(planned: &RunnerCredentials) -> String {
    names::generated(prefix(planned), SUFFIX)
}

fn prefix(planned: &RunnerCredentials) -> &str {
    planned.name_prefix.as_str().unwrap_or("gitlab-runner-cache-")
}

impl Session<'_> {
    /// Derives the name from the objects that use the credentials, so that the next create finds the user or role of an
    /// interrupted one.
    pub(super) async fn derive_name(
        &self,
        planned: &mut RunnerCredentials,
        operation: &mut Create<RunnerCredentials, Private>,
    ) -> Result<()> {
        let method = AccessMethod::of(planned);
        let desired = Desired::of(planned, method.clone());
        let mut created_namespace = false;
        let plain = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
        let parts = match method.mode {
            Mode::AccessKey => {
                let cluster = self.cluster(&desired, Remains::Nothing).await?;
                created_namespace = self.ensure_namespace(&desired, &cluster, Remains::Nothing).await?;
                // The UID is unique among clusters, whose names need not be configured in this mode.
                let uid = self.namespace(&cluster, &desired).uid().await;
                let uid = uid.during(Step::ReadNamespace, Remains::Nothing)?;
                vec![uid.unwrap_or_default(), desired.place.name]
            }
            Mode::Irsa | Mode::PodIdentity => {
                let subject = self.subject(&desired, Remains::Nothing)?;
                let place = [self.region.to_owned(), subject.cluster, subject.namespace, subject.service_account];
                place.into_iter().chain([plain(&planned.bucket), plain(&planned.cache_path)]).collect()
            }
        };
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        planned.name = names::derived(prefix(planned), SUFFIX, &parts).into();
        // A later error must not lose the namespace, which a destroy deletes.
        if created_namespace {
            plan::derive(planned, None, Some(partition::name(self.region)), self.tags);
            Recorder::new(operation, partial::granting(planned), Journal::new(method)).record();
        }
        Ok(())
    }
}
