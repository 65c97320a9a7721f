//! Names that are made up.

use std::time::Duration;

use tfplugin::framework::Value;

use super::access_method::Mode;
use super::error::Error;
use super::memory::{Book, Memory};
use super::model::Desired;
use super::schema::RunnerCredentials;
use super::validate::SUFFIX;
use super::{Session, bare, key_grant, plan};
use crate::{names, partition};

/// Any name.
pub(super) fn random(planned: &RunnerCredentials) -> String {
    names::generated(prefix(planned), SUFFIX)
}

fn prefix(planned: &RunnerCredentials) -> &str {
    planned.name_prefix.as_str().unwrap_or("gitlab-runner-cache-")
}

impl Session<'_> {
    /// Names the credentials after what they are for, so that a create that was killed finds what it has begun.
    pub(super) async fn make_up_name(
        &self,
        planned: &mut RunnerCredentials,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        let desired = Desired::of(planned);
        let mut made_namespace = false;
        let plain = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
        let parts = match desired.mode {
            Mode::AccessKey => {
                let cluster = self.cluster(&desired, key_grant::NOTHING).await?;
                made_namespace = self.ensure_namespace(&cluster, &desired, limit, key_grant::NOTHING).await?;
                let uid = self.namespace(&cluster, &desired).uid().await;
                let failed = |source| key_grant::kubernetes("Reading the namespace", source, key_grant::NOTHING);
                vec![uid.map_err(failed)?.unwrap_or_default(), desired.place.name]
            }
            Mode::Irsa | Mode::PodIdentity => {
                let subject = self.subject(&desired, key_grant::NOTHING)?;
                let place = [self.region.to_owned(), subject.cluster, subject.namespace, subject.service_account];
                place.into_iter().chain([plain(&planned.bucket), plain(&planned.cache_path)]).collect()
            }
        };
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        planned.name = names::derived(prefix(planned), SUFFIX, &parts).into();
        if made_namespace {
            plan::derive(planned, None, Some(partition::name(self.region)), self.tags);
            book.write(&bare(planned), &Memory::default());
        }
        Ok(())
    }
}
