//! A release in an OCI registry, as OpenTofu reads it: an index for each version, with a manifest for each platform.

use std::fs;

use bytes::Bytes;
use hyper::Response;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Release;
use super::registry::Offer;

/// Repository of the example in the guide.
const REPOSITORY: &str = "providers/terraform-provider-gitlabspot";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const PROVIDER: &str = "application/vnd.opentofu.provider";
const TARGET: &str = "application/vnd.opentofu.provider-target";

/// A manifest with its media type.
struct Document {
    media_type: &'static str,
    text: String,
}

impl Document {
    fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(&self.text)))
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest(), "size": self.text.len() })
    }

    fn response(self) -> Option<Response<Bytes>> {
        let digest = self.digest();
        let response = Response::builder().header("content-type", self.media_type);
        response.header("docker-content-digest", digest).body(self.text.into()).ok()
    }
}

/// Response of the OCI distribution API to a path below `/v2/`.
pub(super) fn answer(offer: &Offer, path: &str) -> Option<Response<Bytes>> {
    // Clients check with `GET /v2/` that the registry implements the API.
    if path.is_empty() {
        return Some(Response::new("{}".into()));
    }
    let release = &offer.release;
    let (kind, name) = path.strip_prefix(REPOSITORY)?.strip_prefix('/')?.split_once('/')?;
    match kind {
        "tags" => Some(Response::new(json!({ "name": REPOSITORY, "tags": [release.version()] }).to_string().into())),
        "manifests" if name == release.version() => index(release).response(),
        "manifests" => {
            let manifests = platforms(release).map(|platform| manifest(release, &platform));
            manifests.into_iter().chain([index(release)]).find(|it| it.digest() == name)?.response()
        }
        "blobs" => {
            let archives = platforms(release).map(|platform| release.file(&format!("{platform}.zip")));
            let archive = archives.into_iter().find(|it| format!("sha256:{}", release.sha256(it)) == name)?;
            Some(Response::new(offer.read(&archive)?))
        }
        _ => None,
    }
}

fn platforms(release: &Release) -> [String; 2] {
    [release.platform(), release.other_platform().to_owned()]
}

fn index(release: &Release) -> Document {
    let manifests = platforms(release).map(|platform| {
        let mut descriptor = manifest(release, &platform).descriptor();
        let (os, architecture) = platform.split_once('_').expect("a platform has two parts");
        descriptor["artifactType"] = TARGET.into();
        descriptor["platform"] = json!({ "os": os, "architecture": architecture });
        descriptor
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "artifactType": PROVIDER, "manifests": manifests });
    Document { media_type: INDEX, text: index.to_string() }
}

fn manifest(release: &Release, platform: &str) -> Document {
    let archive = release.file(&format!("{platform}.zip"));
    let size = fs::metadata(release.folder().join(&archive)).expect("a release has an archive").len();
    let digest = format!("sha256:{}", release.sha256(&archive));
    let empty = Document { media_type: "application/vnd.oci.empty.v1+json", text: "{}".to_owned() };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": TARGET,
        "config": empty.descriptor(),
        "layers": [{ "mediaType": "archive/zip", "digest": digest, "size": size }],
    });
    Document { media_type: MANIFEST, text: manifest.to_string() }
}
