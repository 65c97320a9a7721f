//! A server from which `init` downloads a release.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hyper::{Request, Response};
use serde_json::{Value, json};

use super::{Release, oci};
use crate::{Tls, Web};

/// A TLS server on loopback that offers a release as a provider registry, as a network mirror and as an OCI registry.
#[derive(Debug)]
pub struct Registry {
    web: Web,
    tls: Tls,
    authority: PathBuf,
    offer: Arc<Offer>,
}

/// The offered files, and changes to them.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) release: Release,
    mirror: Mutex<Option<PathBuf>>,
    falsified: Mutex<Option<(String, usize)>>,
}

impl Registry {
    /// Offers the release. Writes the CA certificate of the server to `folder`.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn start(release: &Release, folder: &Path) -> Self {
        let offer = Arc::new(Offer { release: release.clone(), mirror: Mutex::default(), falsified: Mutex::default() });
        let answering = Arc::clone(&offer);
        let web = Web::start(move |request| answering.answer(request)).await;
        let tls = Tls::start(web.url(), &["localhost"]).await;
        let authority = folder.join("registry.pem");
        fs::write(&authority, tls.certificate()).expect("a file can be written");
        Self { web, tls, authority, offer }
    }

    /// Its host name and port.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.tls.address().port())
    }

    /// Path of its CA certificate, in PEM.
    #[must_use]
    pub fn authority(&self) -> &Path {
        &self.authority
    }

    /// Offers the files in a folder as a network mirror. Returns the URL.
    #[must_use]
    pub fn mirror(&self, folder: &Path) -> String {
        *self.offer.mirror.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
        format!("https://{}/mirror/", self.host())
    }

    /// Changes one byte of a file of the release in all later responses. At most one file is changed at a time.
    pub fn falsify(&self, file: &str, byte: usize) {
        *self.offer.falsified.lock().unwrap_or_else(PoisonError::into_inner) = Some((file.to_owned(), byte));
    }

    /// Method and path of all requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.web.seen()
    }
}

impl Offer {
    fn answer(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        if path == "/.well-known/terraform.json" {
            return Some(in_json(&json!({ "providers.v1": "/v1/providers/" })));
        }
        let (service, rest) = path.strip_prefix('/')?.split_once('/')?;
        match service {
            "v1" => {
                self.registry(rest.strip_prefix("providers/gitlabspot/gitlabspot/")?).map(|answer| in_json(&answer))
            }
            "files" => Some(Response::new(self.read(rest)?)),
            "mirror" => self.mirrored(rest),
            "v2" => oci::answer(self, rest),
            _ => None,
        }
    }

    /// Response of the provider registry protocol.
    fn registry(&self, path: &str) -> Option<Value> {
        let release = &self.release;
        let platforms = [release.platform(), release.other_platform().to_owned()];
        if path == "versions" {
            let platforms = platforms.map(|name| in_parts(&name));
            return Some(json!({
                "versions": [{ "version": release.version(), "protocols": ["6.0"], "platforms": platforms }],
            }));
        }
        let platform = path.strip_prefix(release.version())?.strip_prefix("/download/")?.replace('/', "_");
        let archive = release.file(&format!("{platform}.zip"));
        let sums = release.file("SHA256SUMS");
        let mut answer = in_parts(platforms.iter().find(|name| **name == platform)?);
        answer.as_object_mut()?.extend(
            json!({
                "protocols": ["6.0"],
                "filename": archive,
                "download_url": format!("/files/{archive}"),
                "shasum": release.sha256(&archive),
                "shasums_url": format!("/files/{sums}"),
                "shasums_signature_url": format!("/files/{sums}.sig"),
                "signing_keys": {
                    "gpg_public_keys": [{ "key_id": release.key.id(), "ascii_armor": release.key.public() }],
                },
            })
            .as_object()?
            .clone(),
        );
        Some(answer)
    }

    fn mirrored(&self, path: &str) -> Option<Response<Bytes>> {
        let folder = self.mirror.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let content = fs::read(folder.join(path)).ok()?;
        let name = path.rsplit('/').next()?;
        let mut answer = Response::new(self.falsified(name, content));
        if name.ends_with(".json") {
            answer.headers_mut().insert("content-type", "application/json".parse().ok()?);
        }
        Some(answer)
    }

    /// Reads a file of the release.
    pub(super) fn read(&self, name: &str) -> Option<Bytes> {
        fs::read(self.release.folder().join(name)).ok().map(|content| self.falsified(name, content))
    }

    fn falsified(&self, name: &str, mut content: Vec<u8>) -> Bytes {
        let falsified = self.falsified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, byte)) = falsified.as_ref().filter(|(file, _)| file == name) {
            content[*byte] ^= 1;
        }
        content.into()
    }
}

/// Operating system and architecture of a platform such as `linux_amd64`.
fn in_parts(platform: &str) -> Value {
    let (os, arch) = platform.split_once('_').expect("a platform has two parts");
    json!({ "os": os, "arch": arch })
}

fn in_json(answer: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.to_string()));
    response.headers_mut().insert("content-type", "application/json".parse().expect("a header"));
    response
}
