//! Calls of IAM. IAM is eventually consistent: a change takes some time to propagate.

pub(crate) mod role;

use std::ops::Deref;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::WaitError;

use crate::configured::Data;
use crate::tags::Tags;

/// The result of a call that is repeated.
pub(crate) type Waited<T> = Result<T, WaitError<AwsError>>;

/// An IAM client, and the clock and stop signal for retries.
#[derive(Clone, Copy)]
pub(crate) struct Iam<'a> {
    pub(crate) context: &'a Context<Data>,
    pub(crate) client: &'a Client,
}

impl Deref for Iam<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client
    }
}

/// Converts the error "not found" to `None`.
pub(crate) fn optional<T>(answer: Result<T, AwsError>) -> Result<Option<T>, AwsError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

#[expect(clippy::expect_used, reason = "key and value of every tag are given")]
pub(crate) fn tags(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build().expect("key and value");
    tags.iter().map(tag).collect()
}
