//! Reads the bucket.

use tfplugin::framework::Read;
use tfplugin::framework::wait::WaitError;

use super::error::{During, Fault, Result, Step};
use super::model::Observed;
use super::private::Private;
use super::schema::CacheBucket;
use super::wait::{Presence, presence};
use super::{Session, flatten, parts, plan};
use crate::denied_reads::DeniedReads;
use crate::steps::Remains;

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<CacheBucket, Private>) -> Result<()> {
        let bucket = operation.state.bucket.as_str().or(operation.state.id.as_str()).unwrap_or_default().to_owned();
        let Some((mut observed, denied)) = self.observe(&bucket, operation.importing).await? else {
            operation.gone();
            return Ok(());
        };
        operation.diagnostics.extend(denied.warning("cache bucket"));
        let previous = operation.private.previous_values.recent(self.context.clock.time_of_day());
        operation.diagnostics.extend(previous.discard_outdated(&mut observed, &operation.state, &bucket));
        operation.private.previous_values = previous;
        let importing = operation.importing.then_some(self.tags);
        flatten::flatten(&mut operation.state, observed, importing);
        plan::identify(&mut operation.state, Some(self.region), self.endpoint.as_deref());
        Ok(())
    }

    /// Reads all parts; `None` if the bucket does not exist.
    async fn observe(&self, bucket: &str, importing: bool) -> Result<Option<(Observed, DeniedReads)>> {
        let read = || async {
            let mut denied = DeniedReads::unless(importing);
            let (head, parts) = (presence(self.s3, bucket, self.region), parts::read(self.s3, bucket, &mut denied));
            match tokio::join!(head, parts) {
                // A create or a delete of the bucket is still propagating.
                (Ok(Presence::Here), Err(error)) if error.code() == Some("NoSuchBucket") => Err(error),
                (presence, parts) => Ok((presence?, parts.map(|parts| (parts, denied)))),
            }
        };
        let (presence, parts) = self.until_visible(read).await.during(Step::Read, bucket, Remains::State)?;
        let (bucket_name, region) = (bucket.to_owned(), self.region.to_owned());
        match presence {
            Presence::Absent if importing => Err(Fault::NothingToImport { bucket: bucket_name, region }.into()),
            Presence::Absent => Ok(None),
            Presence::OtherRegion(observed) => {
                Err(Fault::OtherRegion { bucket: bucket_name, observed, expected: region }.into())
            }
            // An identity that is not allowed to call HeadBucket may still be allowed to read the parts.
            Presence::Here | Presence::Hidden | Presence::Forbidden => {
                parts.map(Some).map_err(WaitError::Failed).during(Step::Read, bucket, Remains::State)
            }
        }
    }
}
