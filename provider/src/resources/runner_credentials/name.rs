//! Names that are made up.

use std::time::Duration;

use super::error::Error;
use super::schema::RunnerCredentials;
use super::validate::{Mode, SUFFIX, Wanted};
use super::{Scene, key_grant};
use crate::framework::Value;
use crate::resources::names;

/// Any name.
pub(super) fn random(planned: &RunnerCredentials) -> String {
    names::generated(prefix(planned), SUFFIX)
}

fn prefix(planned: &RunnerCredentials) -> &str {
    planned.name_prefix.as_str().unwrap_or("gitlab-runner-cache-")
}

impl Scene<'_> {
    /// A name that follows from what the credentials are for, so that a create that was killed finds what it has begun.
    pub(super) async fn made_up_name(&self, planned: &RunnerCredentials, limit: Duration) -> Result<String, Error> {
        let wanted = Wanted::of(planned);
        let plain = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
        let parts = match wanted.mode {
            Mode::AccessKey => {
                let cluster = self.cluster(&wanted, key_grant::NOTHING).await?;
                self.ensure_namespace(&cluster, &wanted, limit, key_grant::NOTHING).await?;
                let uid = self.namespace(&cluster, &wanted).uid().await;
                let failed = |source| key_grant::kubernetes("Reading the namespace", source, key_grant::NOTHING);
                vec![uid.map_err(failed)?.unwrap_or_default(), wanted.place.name]
            }
            Mode::Irsa | Mode::PodIdentity => {
                let subject = self.subject(&wanted, key_grant::NOTHING)?;
                let place = [self.region.to_owned(), subject.cluster, subject.namespace, subject.service_account];
                place.into_iter().chain([plain(&planned.bucket), plain(&planned.cache_path)]).collect()
            }
        };
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(names::derived(prefix(planned), SUFFIX, &parts))
    }
}
