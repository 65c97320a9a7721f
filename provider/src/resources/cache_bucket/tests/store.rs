//! A small S3 in memory, with faults on demand and a log of the calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use gitlabspot_clients::aws::AwsSettings;

/// What happens to a call instead of, or after, being carried out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// An error with this status and code.
    Code(u16, &'static str),
    /// It is carried out, and the answer is lost.
    Lost,
    /// It is carried out on what was there before the last change.
    Stale,
}

#[derive(Default, Debug)]
pub(super) struct World {
    pub(super) buckets: BTreeMap<String, Bucket>,
    /// Bucket names of other accounts.
    pub(super) foreign: Vec<String>,
    /// It knows no tags in the request for a bucket.
    pub(super) refuses_tags: bool,
    pub(super) log: Vec<String>,
    /// Call, how often it is spared, how often it is hit, and by what.
    pub(super) faults: Vec<(String, u32, u32, Fault)>,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Bucket {
    /// Bodies by sub-resource.
    pub(super) parts: BTreeMap<String, String>,
    /// As they were before the last change.
    pub(super) before: BTreeMap<String, String>,
    /// Key, version, and whether it is a delete marker.
    pub(super) versions: Vec<(String, String, bool)>,
    /// After how many deletions someone writes one more object.
    pub(super) busy: u32,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Store(Arc<Mutex<World>>);

impl Store {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    pub(super) fn settings(&self, region: &str) -> AwsSettings {
        AwsSettings {
            region: Some(region.to_owned()),
            access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            secret_key: Some("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            s3_use_path_style: Some(true),
            max_retries: Some(2),
            initial_backoff: Some(std::time::Duration::from_micros(10)),
            http_client: Some(SharedHttpClient::new(self.clone())),
            ..AwsSettings::default()
        }
    }

    pub(super) fn fault(&self, call: &str, times: u32, fault: Fault) {
        self.world().faults.push((call.to_owned(), 0, times, fault));
    }

    /// The calls since the last look, without reads.
    pub(super) fn changes(&self) -> Vec<String> {
        let mut log = std::mem::take(&mut self.world().log);
        log.retain(|call| !call.starts_with("GET") && !call.starts_with("HEAD"));
        log
    }
}

impl HttpClient for Store {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Store {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let uri: http::Uri = request.uri().parse().unwrap();
        let (bucket, key) = uri.path()[1..].split_once('/').unwrap_or((&uri.path()[1..], ""));
        let query: BTreeMap<String, String> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .filter(|(name, _)| name != "x-id")
            .collect();
        let sub = query.iter().find(|(_, value)| value.is_empty()).map(|(name, _)| name.clone()).unwrap_or_default();
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned();
        let call = match (sub.as_str(), key) {
            ("", "") => request.method().to_owned(),
            (sub, "") => format!("{} {sub}", request.method()),
            _ => format!("{} object", request.method()),
        };
        let mut world = self.0.lock().unwrap();
        world.log.push(call.clone());
        let mut fault = None;
        for (_, spare, times, what) in world.faults.iter_mut().filter(|(hit, _, times, _)| *hit == call && *times > 0) {
            if *spare > 0 {
                *spare -= 1;
            } else if fault.is_none() {
                *times -= 1;
                fault = Some(*what);
            }
        }
        if let Some(Fault::Code(status, code)) = fault {
            return respond(error(status, code));
        }
        let stale = matches!(fault, Some(Fault::Stale));
        let answer = world.answer(request.method(), bucket, key, &sub, &query, &body, stale);
        if matches!(fault, Some(Fault::Lost)) {
            let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
            return HttpConnectorFuture::ready(Err(ConnectorError::io(reset.into())));
        }
        respond(answer)
    }
}

fn respond((status, body): (u16, String)) -> HttpConnectorFuture {
    HttpConnectorFuture::ready(Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))))
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, format!("<Error><Code>{code}</Code><Message>for a test</Message></Error>"))
}

impl World {
    #[expect(clippy::too_many_arguments, reason = "a request in its pieces")]
    fn answer(
        &mut self,
        method: &str,
        bucket: &str,
        key: &str,
        sub: &str,
        query: &BTreeMap<String, String>,
        body: &str,
        stale: bool,
    ) -> (u16, String) {
        if self.foreign.iter().any(|foreign| foreign == bucket) {
            return if method == "PUT" { error(409, "BucketAlreadyExists") } else { error(403, "AccessDenied") };
        }
        if (method, sub, key) == ("PUT", "", "") {
            if self.buckets.contains_key(bucket) {
                return error(409, "BucketAlreadyOwnedByYou");
            }
            if body.contains("<Tags>") && self.refuses_tags {
                return error(400, "MalformedXML");
            }
            self.buckets.insert(bucket.to_owned(), Bucket::new(body));
            return (200, String::new());
        }
        let Some(found) = self.buckets.get_mut(bucket) else {
            return if method == "HEAD" { (404, String::new()) } else { error(404, "NoSuchBucket") };
        };
        match (method, sub) {
            ("HEAD", _) => (200, String::new()),
            ("DELETE", "") if key.is_empty() => {
                if !found.versions.is_empty() {
                    return error(409, "BucketNotEmpty");
                }
                self.buckets.remove(bucket);
                (204, String::new())
            }
            ("DELETE", "") => {
                let key = key.replace("%01", "\u{1}");
                found.versions.retain(|(k, v, _)| (k, Some(v)) != (&key, query.get("versionId")));
                (204, String::new())
            }
            ("GET", "") => (200, "<ListBucketResult/>".to_owned()),
            ("GET", "versions") => (200, found.page(query)),
            ("POST", "delete") => found.delete(body),
            ("PUT", sub) => {
                found.before = found.parts.clone();
                found.parts.insert(sub.to_owned(), body.to_owned());
                (200, String::new())
            }
            ("DELETE", sub) => {
                found.before = found.parts.clone();
                found.parts.remove(sub);
                (204, String::new())
            }
            (_, sub) => match if stale { &found.before } else { &found.parts }.get(sub) {
                Some(body) => (200, body.clone()),
                None => missing(sub),
            },
        }
    }
}

fn missing(sub: &str) -> (u16, String) {
    match sub {
        "publicAccessBlock" => error(404, "NoSuchPublicAccessBlockConfiguration"),
        "ownershipControls" => error(404, "OwnershipControlsNotFoundError"),
        "encryption" => error(404, "ServerSideEncryptionConfigurationNotFoundError"),
        "policy" => error(404, "NoSuchBucketPolicy"),
        "lifecycle" => error(404, "NoSuchLifecycleConfiguration"),
        "tagging" => error(404, "NoSuchTagSet"),
        "versioning" => (200, "<VersioningConfiguration/>".to_owned()),
        other => unreachable!("{other}"),
    }
}

impl Bucket {
    /// As S3 makes one: private, encrypted, and with the tags of the request.
    fn new(request: &str) -> Self {
        let blocks = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
        let blocks: String = blocks.map(|block| format!("<{block}>true</{block}>")).concat();
        let default = "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType>\
             </BlockedEncryptionTypes>";
        let mut parts = BTreeMap::from([
            ("publicAccessBlock", format!("<PublicAccessBlockConfiguration>{blocks}</PublicAccessBlockConfiguration>")),
            (
                "ownershipControls",
                "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>\
                 </OwnershipControls>"
                    .to_owned(),
            ),
            (
                "encryption",
                format!(
                    "<ServerSideEncryptionConfiguration><Rule>{default}</Rule></ServerSideEncryptionConfiguration>"
                ),
            ),
        ]);
        if let Some((_, rest)) = request.split_once("<Tags>") {
            let tags = rest.split("</Tags>").next().unwrap_or_default();
            parts.insert("tagging", format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"));
        }
        let parts = parts.into_iter().map(|(name, body)| (name.to_owned(), body)).collect();
        Self { parts, ..Self::default() }
    }

    fn page(&self, query: &BTreeMap<String, String>) -> String {
        // What a marker means once its version is deleted is told nowhere.
        assert!(!query.contains_key("key-marker") && query["max-keys"] == "1000", "{query:?}");
        let rest = &self.versions;
        let page = &rest[..rest.len().min(1000)];
        let encode = |key: &str| url::form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>();
        let mut xml = format!(
            "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>{}</IsTruncated>",
            page.len() < rest.len()
        );
        if let Some((key, version, _)) = page.last().filter(|_| page.len() < rest.len()) {
            let (key, next) = (encode(key), "NextVersionIdMarker");
            xml += &format!("<NextKeyMarker>{key}</NextKeyMarker><{next}>{version}</{next}>");
        }
        for (key, version, is_marker) in page {
            let element = if *is_marker { "DeleteMarker" } else { "Version" };
            xml += &format!("<{element}><Key>{}</Key><VersionId>{version}</VersionId></{element}>", encode(key));
        }
        xml + "</ListVersionsResult>"
    }

    fn delete(&mut self, body: &str) -> (u16, String) {
        let between = |text: &str, tag: &str| {
            let text = text.split_once(&format!("<{tag}>"))?.1.split_once(&format!("</{tag}>"))?.0;
            Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
        };
        let desired: Vec<_> = body
            .split("<Object>")
            .skip(1)
            .map(|object| (between(object, "Key").unwrap(), between(object, "VersionId").unwrap()))
            .collect();
        if desired.len() > 1000 || desired.iter().any(|(key, _)| key.contains('\u{1}')) {
            return error(400, "MalformedXML");
        }
        let desired: std::collections::BTreeSet<_> = desired.into_iter().collect();
        self.versions.retain(|(key, version, _)| !desired.contains(&(key.clone(), version.clone())));
        if let Some(left) = self.busy.checked_sub(1) {
            self.busy = left;
            self.versions.push((format!("new-{left}"), "1".to_owned(), false));
        }
        (200, "<DeleteResult/>".to_owned())
    }
}
