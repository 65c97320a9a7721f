//! `Content-MD5` for stores that are compatible with S3.
//!
//! S3 requires a checksum for requests such as `DeleteObjects`, and the SDK sends a current algorithm. Older compatible
//! stores support only this header and reject the request without it.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use super::region::is_of_aws;

const HEADER: &str = "content-md5";

/// Adds the header to requests to hosts outside of AWS.
#[derive(Debug)]
pub(super) struct ContentMd5;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for ContentMd5 {
    fn name(&self) -> &'static str {
        "gitlabspot: Content-MD5 for other stores than AWS's"
    }

    // Before signing, so that the signature covers the header.
    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let host = request.uri().parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
        let body = request.body().bytes().filter(|body| !body.is_empty());
        if let Some(body) = body
            && !host.as_deref().is_some_and(is_of_aws)
        {
            let sum = STANDARD.encode(Md5::digest(body));
            request.headers_mut().insert(HEADER, sum);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::types::{Delete, ObjectIdentifier};

    use crate::aws::{AwsSettings, Endpoints};
    use crate::scripted::{Script, clients};

    #[tokio::test]
    async fn content_md5_is_sent_only_to_custom_endpoints() {
        for (endpoint, is_given) in [(None, false), (Some("https://minio.example.com".to_owned()), true)] {
            let script = Script::default();
            let endpoints = Endpoints { s3: endpoint, ..Endpoints::default() };
            let clients = clients(AwsSettings { endpoints, ..script.settings() });
            let delete = Delete::builder().objects(ObjectIdentifier::builder().key("a").build().unwrap());
            let request = clients.s3().await.unwrap().delete_objects().bucket("cache").delete(delete.build().unwrap());
            let _ = request.send().await;
            let requests = script.requests();
            let [request] = requests.as_slice() else { unreachable!("one request, not {requests:?}") };
            assert!(request.body.contains("<Key>a</Key>"), "{request:?}");
            assert_eq!(request.content_md5.is_some(), is_given, "{request:?}");
            // The signature must cover the header.
            assert_eq!(request.authorization.contains("content-md5"), is_given, "{request:?}");
            let _ = clients.s3().await.unwrap().head_bucket().bucket("cache").send().await;
            assert_eq!(script.requests()[1].content_md5, None);
        }
    }
}
