//! S3.

use std::collections::{BTreeMap, BTreeSet};

use super::query::{Parameters, elements};
use super::request::{Answer, Request, refused};

#[derive(Clone, Debug, Default)]
pub struct S3 {
    pub buckets: BTreeMap<String, Bucket>,
    /// Names of buckets of other accounts.
    pub foreign: Vec<String>,
    /// Whether CreateBucket with tags fails.
    pub refuses_tags: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Bucket {
    /// Its settings in XML or JSON, by the names in their actions: `BucketPolicy` for `GetBucketPolicy`.
    pub parts: BTreeMap<String, String>,
    /// Key, version, and whether it is a delete marker.
    pub versions: Vec<(String, String, bool)>,
    /// After how many of the next deletions another client writes one more object.
    pub writes: u32,
}

/// Subresources, settings, and the error codes or responses if they do not exist.
const PARTS: [(&str, &str, &str); 8] = [
    ("publicAccessBlock", "PublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls", "OwnershipControlsNotFoundError"),
    ("encryption", "BucketEncryption", "ServerSideEncryptionConfigurationNotFoundError"),
    ("policy", "BucketPolicy", "NoSuchBucketPolicy"),
    ("lifecycle", "BucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
    ("tagging", "BucketTagging", "NoSuchTagSet"),
    ("versioning", "BucketVersioning", "<VersioningConfiguration/>"),
    ("abac", "BucketAbac", "<AbacStatus><Status>Disabled</Status></AbacStatus>"),
];

fn part(parameters: &Parameters) -> Option<(&'static str, &'static str)> {
    PARTS.iter().find(|(name, ..)| parameters.get(name).is_some()).map(|(_, part, default)| (*part, *default))
}

pub(super) fn action(method: &str, path: &str, parameters: &Parameters) -> String {
    let is_object = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    let name = match (method, part(parameters)) {
        ("DELETE", Some(("BucketLifecycleConfiguration", _))) => "DeleteBucketLifecycle",
        ("GET", Some((part, _))) => return format!("Get{part}"),
        ("PUT", Some((part, _))) => return format!("Put{part}"),
        ("DELETE", Some((part, _))) => return format!("Delete{part}"),
        ("DELETE", None) if is_object => "DeleteObject",
        ("POST", None) if parameters.get("delete").is_some() => "DeleteObjects",
        ("GET", None) if parameters.get("versions").is_some() => "ListObjectVersions",
        ("GET", None) => "ListObjectsV2",
        ("HEAD", None) => "HeadBucket",
        ("PUT", None) => "CreateBucket",
        ("DELETE", None) => "DeleteBucket",
        other => unreachable!("{other:?}"),
    };
    name.to_owned()
}

impl S3 {
    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        let Request { action, parameters, body, .. } = request;
        let (name, key) = request.path.split_once('/').unwrap_or((&request.path, ""));
        let is_foreign = self.foreign.iter().any(|foreign| foreign == name);
        match action.as_str() {
            "CreateBucket" if is_foreign => return refused(409, "BucketAlreadyExists", "The name is not available."),
            _ if is_foreign => return refused(403, "AccessDenied", "Access Denied"),
            "CreateBucket" => return self.create(name, request),
            _ => {}
        }
        let Some(bucket) = self.buckets.get_mut(name) else {
            return refused(404, "NoSuchBucket", "The specified bucket does not exist");
        };
        match (action.as_str(), part(parameters)) {
            ("HeadBucket", _) => {}
            ("DeleteBucket", _) if !bucket.versions.is_empty() => {
                return refused(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.");
            }
            ("DeleteBucket", _) => drop(self.buckets.remove(name)),
            ("DeleteObject", _) => {
                let key = key.replace("%01", "\u{1}");
                bucket.versions.retain(|(k, v, _)| (k, Some(v.as_str())) != (&key, parameters.get("versionId")));
            }
            ("ListObjectsV2", _) => return Ok("<ListBucketResult/>".to_owned()),
            ("ListObjectVersions", _) => return Ok(bucket.list(parameters)),
            ("DeleteObjects", _) => return bucket.delete(body),
            (action, Some((part, _))) if action.starts_with("Put") => {
                bucket.parts.insert(part.to_owned(), body.clone());
            }
            (action, Some((part, _))) if action.starts_with("Delete") => drop(bucket.parts.remove(part)),
            (_, Some((part, default))) => {
                return match bucket.parts.get(part) {
                    Some(part) => Ok(part.clone()),
                    None if default.starts_with('<') => Ok(default.to_owned()),
                    None => refused(404, default, "The configuration does not exist"),
                };
            }
            other => unreachable!("{other:?}"),
        }
        Ok(String::new())
    }

    fn create(&mut self, name: &str, Request { region, body, .. }: &Request) -> Answer {
        // S3 requires a location constraint in every region except us-east-1, which rejects it.
        if body.contains("<LocationConstraint>") == (region == "us-east-1") {
            return refused(400, "IllegalLocationConstraintException", "The location constraint is incompatible.");
        }
        if self.buckets.contains_key(name) {
            return refused(409, "BucketAlreadyOwnedByYou", "You already own it.");
        }
        if body.contains("<Tags>") && self.refuses_tags {
            return refused(400, "MalformedXML", "The XML you provided was not well-formed");
        }
        self.buckets.insert(name.to_owned(), Bucket::new(body));
        Ok(String::new())
    }
}

impl Bucket {
    /// A new bucket as S3 creates it: private, encrypted, and with the tags in the request.
    fn new(request: &str) -> Self {
        let blocks = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
        let blocks = blocks.map(|block| elements(block, [true])).concat();
        let ownership = "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>";
        let encryption = "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
             </ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType>\
             </BlockedEncryptionTypes></Rule>";
        let mut parts = vec![
            ("PublicAccessBlock", elements("PublicAccessBlockConfiguration", [blocks])),
            ("BucketOwnershipControls", elements("OwnershipControls", [ownership])),
            ("BucketEncryption", elements("ServerSideEncryptionConfiguration", [encryption])),
        ];
        let tags = text_of(request, "Tags")
            .map(|tags| ("BucketTagging", format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")));
        parts.extend(tags);
        let parts = parts.into_iter().map(|(name, content)| (name.to_owned(), content)).collect();
        Self { parts, ..Self::default() }
    }

    fn list(&self, parameters: &Parameters) -> String {
        // S3 does not document the meaning of a marker after its version was deleted.
        assert!(parameters.get("key-marker").is_none() && parameters.get("max-keys") == Some("1000"));
        let page = &self.versions[..self.versions.len().min(1000)];
        let is_truncated = page.len() < self.versions.len();
        let encode = |key: &str| url::form_urlencoded::byte_serialize(key.as_bytes()).collect::<String>();
        let versions = page.iter().map(|(key, version, is_marker)| {
            let version = format!("<Key>{}</Key><VersionId>{version}</VersionId>", encode(key));
            elements(if *is_marker { "DeleteMarker" } else { "Version" }, [version])
        });
        let markers = page.last().filter(|_| is_truncated).map(|(key, version, _)| {
            let key = elements("NextKeyMarker", [encode(key)]);
            key + &elements("NextVersionIdMarker", [version])
        });
        format!(
            "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>{is_truncated}</IsTruncated>{}{}\
             </ListVersionsResult>",
            markers.unwrap_or_default(),
            versions.collect::<String>(),
        )
    }

    fn delete(&mut self, body: &str) -> Answer {
        let object = |object: &str| (text_of(object, "Key").unwrap(), text_of(object, "VersionId").unwrap());
        let objects: Vec<_> = body.split("<Object>").skip(1).map(object).collect();
        // XML cannot contain this character, so that such keys cannot be deleted with DeleteObjects.
        if objects.len() > 1000 || objects.iter().any(|(key, _)| key.contains('\u{1}')) {
            return refused(400, "MalformedXML", "The XML you provided was not well-formed");
        }
        let objects: BTreeSet<_> = objects.into_iter().collect();
        self.versions.retain(|(key, version, _)| !objects.contains(&(key.clone(), version.clone())));
        if let Some(left) = self.writes.checked_sub(1) {
            self.writes = left;
            self.versions.push((format!("new-{left}"), "1".to_owned(), false));
        }
        Ok("<DeleteResult/>".to_owned())
    }
}

/// The content of the first element with this name.
fn text_of(xml: &str, name: &str) -> Option<String> {
    let text = xml.split_once(&format!("<{name}>"))?.1.split_once(&format!("</{name}>"))?.0;
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}
