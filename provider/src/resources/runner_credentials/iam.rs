//! IAM, which needs time until everything of it knows what one part has answered.

use std::ops::Deref;

use aws_sdk_iam::Client;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use crate::configured::Data;

/// The end of calls that are repeated.
pub(super) type Waited<T> = Result<T, WaitError<AwsError>>;

/// An IAM client, and the clock and stop signal for retries.
#[derive(Clone, Copy)]
pub(super) struct Iam<'a> {
    pub(super) context: &'a Context<Data>,
    pub(super) client: &'a Client,
}

impl Deref for Iam<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client
    }
}

/// `None` for an object that does not exist.
pub(super) fn optional<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
