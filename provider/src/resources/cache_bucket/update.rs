//! Updates the parts of the bucket that differ.

use tfplugin::framework::{Timeouts, Update};

use super::error::Result;
use super::parts::Part;
use super::private::Private;
use super::schema::CacheBucket;
use super::write::Work;
use super::{Session, UPDATE, partial, plan, validate};
use crate::steps::Progress;

impl Session<'_> {
    pub(super) async fn update(&self, operation: &mut Update<CacheBucket, Private>) -> Result<()> {
        let clock = &self.context.clock;
        let end = clock.now() + Timeouts::update(&operation.planned.timeouts, UPDATE);
        let mut prior = operation.prior.clone();
        // Tags that `ignore_tags` excludes now are not removed from the bucket.
        self.tags.spare(&mut prior.tags_all);
        let mut planned = operation.planned.clone();
        let region = prior.region.as_str().unwrap_or(self.region).to_owned();
        plan::derive(&mut planned, &operation.config, Some(&region), self.endpoint.as_deref(), self.tags);
        let mut parts = validate::differing(&prior, &planned);
        // After a failed create and an untaint, the update removes the tag of the unfinished create.
        let is_unfinished = operation.private.is_unfinished;
        if is_unfinished && !parts.contains(&Part::Tags) {
            parts.push(Part::Tags);
        }
        operation.private.previous_values = operation.private.previous_values.recent(clock.time_of_day());
        let progress = &mut Progress::begin(operation, partial::updated(&prior, &planned));
        let before = (!is_unfinished).then_some(&prior);
        let work = Work { parts: &parts, planned: &planned, before, is_create: false, is_fresh: false, end };
        self.write_parts(work, progress).await?;
        progress.operation.private.is_unfinished = false;
        progress.done(|state| *state = planned);
        Ok(())
    }
}
