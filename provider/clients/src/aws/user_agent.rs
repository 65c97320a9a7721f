//! The text of `TF_APPEND_USER_AGENT`, which is appended to the user agent. The SDK's user agent does not support free
//! text.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

const HEADER: &str = "user-agent";

/// Text after the user agent of every request.
#[derive(Debug, Clone)]
pub(super) struct Appended(String);

impl Appended {
    /// Returns `None` for text that is invalid in a header: it must not prevent a connection.
    pub(super) fn new(text: &str) -> Option<Self> {
        let fits = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        (fits && !text.trim().is_empty()).then(|| Self(text.trim().to_owned()))
    }
}

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Appended {
    fn name(&self) -> &'static str {
        "gitlabspot: append to the user agent"
    }

    // The signature does not cover this header, so that it can be changed after signing.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let text = format!("{} {}", headers.get(HEADER).unwrap_or_default(), self.0);
        headers.insert(HEADER, text.trim().to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_valid_header_text_is_appended() {
        let text = |text| Appended::new(text).map(|appended| appended.0);
        assert_eq!(text(" job/7 (nightly) "), Some("job/7 (nightly)".to_owned()));
        assert_eq!([text(""), text("a\nb: c"), text("größer")], [None, None, None]);
    }
}
