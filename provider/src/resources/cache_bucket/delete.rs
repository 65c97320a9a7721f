//! Deletes the bucket, and its objects if `force_destroy` is set.

use std::time::Instant;

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Delete, Timeouts};

use super::error::{During, Fault, Result, Step};
use super::object_deletion::{self, ROUNDS};
use super::private::Private;
use super::schema::CacheBucket;
use super::{DELETE, Session};
use crate::propagation::{PROPAGATION, accepted};
use crate::steps::{Fault as _, Remains};

impl Session<'_> {
    pub(super) async fn delete(&self, operation: &mut Delete<CacheBucket, Private>) -> Result<()> {
        let state = &operation.state;
        let bucket = state.bucket.as_str().or(state.id.as_str()).unwrap_or_default();
        let end = self.context.clock.now() + Timeouts::delete(&state.timeouts, DELETE);
        // S3 may return the bucket for some time after its deletion.
        if self.delete_with_objects(bucket, state.force_destroy.or(false), end).await? {
            self.await_deleted(bucket, self.context.left(end)).await.during(
                Step::Delete,
                bucket,
                Remains::Undeleted,
            )?;
        }
        Ok(())
    }

    /// Deletes the bucket, after its objects if `force` is set. Returns whether it existed.
    async fn delete_with_objects(&self, bucket: &str, force: bool, end: Instant) -> Result<bool> {
        let (mut rounds, mut deleted) = (0, 0);
        // Jobs may still write objects while the bucket is emptied, so that this is repeated.
        loop {
            match self.delete_bucket(bucket).await {
                Ok(()) => return Ok(true),
                Err(WaitError::Failed(error)) if error.code() == Some("NoSuchBucket") => return Ok(false),
                Err(WaitError::Failed(error)) if error.code() == Some("BucketNotEmpty") => {
                    let bucket_name = bucket.to_owned();
                    if !force {
                        return Err(Fault::NotEmpty { bucket: bucket_name }.into());
                    }
                    if rounds == ROUNDS || self.context.clock.now() >= end {
                        let fault = Fault::StillFilling { bucket: bucket_name, rounds, deleted };
                        return Err(fault.leaving(Remains::Undeleted));
                    }
                    object_deletion::pause_after(self.context, rounds).await;
                    deleted = object_deletion::delete_objects(self.context, self.s3, bucket, deleted, end).await?;
                    rounds += 1;
                }
                deleted => return deleted.map(|()| true).during(Step::Delete, bucket, Remains::Undeleted),
            }
        }
    }

    async fn delete_bucket(&self, bucket: &str) -> std::result::Result<(), WaitError<AwsError>> {
        let delete = || async {
            self.s3.delete_bucket().bucket(bucket).send().await.map(drop).map_err(AwsError::of("DeleteBucket"))
        };
        let passes = |error: &AwsError| error.code() == Some("OperationAborted");
        accepted(self.context, PROPAGATION, passes, delete).await
    }
}
