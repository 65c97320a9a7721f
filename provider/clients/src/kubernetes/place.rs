//! The connection to a cluster during the life of the process, in which it may have to be replaced.
//!
//! An apply that replaces an EKS cluster creates another one with the same name, but another endpoint and certificate
//! authority. In addition, a client certificate from a command expires.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use http::{Request, Response, StatusCode};
use kube::client::Body;
use tower::BoxError;

use super::cluster::Cluster;
use super::token::SKEW;
use super::{Connected, connect, reconnect, retry, transport};
use crate::aws::chain;
use crate::once::Once;
use crate::{ClientError, Clients};

/// One connection.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) client: kube::Client,
    /// The EKS cluster, if it was selected by its name.
    pub(super) cluster: Option<Cluster>,
    /// The client certificate, if a command returned one.
    pub(super) certificate: Option<Certificate>,
}

/// A client certificate from a command.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) expires: Option<SystemTime>,
    /// Whether the cluster has accepted it.
    worked: Arc<AtomicBool>,
}

impl Certificate {
    pub(super) fn until(expires: Option<SystemTime>) -> Self {
        Self { expires, worked: Arc::default() }
    }
}

/// A cluster: an EKS cluster by name, or the one in the provider block.
pub(crate) struct Place {
    name: Option<String>,
    first: Once<Link, ClientError>,
    /// The connection that replaces the first one, and the number of replacements so far.
    newer: Mutex<(u32, Option<Link>)>,
    /// When it was last checked whether the connection must be replaced.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

impl Place {
    pub(crate) fn new(name: Option<String>) -> Self {
        Self { name, first: Once::default(), newer: Mutex::default(), looked: tokio::sync::Mutex::default() }
    }

    /// A cluster with this connection, for tests.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn stand_in(client: kube::Client) -> Self {
        let place = Self::new(None);
        place.put(Link { client, cluster: None, certificate: None });
        place
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// A client that always uses the newest connection. Connects if there is none yet.
    ///
    /// # Errors
    /// [`ClientError`] if the cluster does not exist, or the settings cannot be used.
    pub(crate) async fn connect(self: Arc<Self>, clients: &Clients) -> Result<Connected, ClientError> {
        let (_, link) = self.link(clients).await?;
        let arn = link.cluster.and_then(|cluster| cluster.arn);
        let clients = clients.clone();
        let send = move |request| {
            let (place, clients) = (Arc::clone(&self), clients.clone());
            async move { Box::pin(place.send(&clients, request)).await }
        };
        // The default namespace is never used: all requests contain their namespace.
        Ok(Connected { client: kube::Client::new(tower::service_fn(send), "default"), arn })
    }

    async fn link(&self, clients: &Clients) -> Result<(u32, Link), ClientError> {
        if let (number, Some(link)) = self.newest() {
            return Ok((number, link));
        }
        let first = self.first.get(|| Box::pin(connect(clients, self.name()))).await?;
        let (number, newer) = self.newest();
        // Another request may have replaced the connection in the meantime.
        Ok((number, newer.unwrap_or(first)))
    }

    fn newest(&self) -> (u32, Option<Link>) {
        self.newer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, link: Link) {
        let mut newer = self.newer.lock().unwrap_or_else(PoisonError::into_inner);
        *newer = (newer.0 + 1, Some(link));
    }

    async fn send(&self, clients: &Clients, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let began = Instant::now();
        let (mut number, mut link) = self.link(clients).await?;
        let ends = link.certificate.as_ref().and_then(|certificate| certificate.expires);
        if ends.is_some_and(|end| clients.shared.clock.now() + SKEW >= end)
            && let Some(newer) = self.another(clients, number, &link, began).await?
        {
            (number, link) = newer;
        }
        let again = transport::copy(&request);
        let answer = link.client.send(request).await;
        if let Some(certificate) = &link.certificate
            && answer.as_ref().is_ok_and(|answer| answer.status() != StatusCode::UNAUTHORIZED)
        {
            certificate.worked.store(true, Ordering::Relaxed);
        }
        if let Some(again) = again.filter(|_| link.is_in_doubt(&answer)) {
            match self.another(clients, number, &link, began).await {
                // Repeating the request is safe: it did not reach the old cluster, or was rejected as unauthorized.
                Ok(Some((_, newer))) => return newer.client.send(again).await.map_err(BoxError::from),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "could not check whether the cluster was replaced"),
            }
        }
        answer.map_err(BoxError::from)
    }

    /// The connection that replaces this one. `None` if this one is current. Of concurrent failures, only the first
    /// checks it.
    async fn another(
        &self,
        clients: &Clients,
        number: u32,
        link: &Link,
        began: Instant,
    ) -> Result<Option<(u32, Link)>, ClientError> {
        // The lock is held during the check, so that concurrent requests wait for its result.
        let mut looked = self.looked.lock().await;
        if let (newest, Some(newer)) = self.newest()
            && newest != number
        {
            return Ok(Some((newest, newer)));
        }
        // A check that ended after this request began found the same cluster.
        if looked.is_some_and(|looked| looked > began) {
            return Ok(None);
        }
        let newer = Box::pin(reconnect(clients, self.name(), link)).await?;
        *looked = Some(Instant::now());
        let Some(newer) = newer else { return Ok(None) };
        tracing::info!(cluster = self.name(), "connected to the cluster again");
        self.put(newer.clone());
        Ok(Some((self.newest().0, newer)))
    }
}

impl Link {
    /// Whether the cause of a failure may be that the cluster was replaced, or that the certificate is no longer
    /// accepted.
    fn is_in_doubt(&self, answer: &Result<Response<Body>, kube::Error>) -> bool {
        let is_refused = answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::UNAUTHORIZED);
        let worked = |certificate: &Certificate| certificate.worked.load(Ordering::Relaxed);
        // Only a certificate that was accepted before can have expired. A new one that is rejected is not renewed
        // again.
        if self.certificate.as_ref().is_some_and(worked) {
            return is_refused;
        }
        let is_silent = answer
            .as_ref()
            .is_err_and(|error| retry::is_unconnected(error) || chain(error).any(|cause| cause.is::<rustls::Error>()));
        self.cluster.is_some() && (is_refused || is_silent)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::{Value, json};
    use tokio_util::sync::CancellationToken;

    use super::super::scripted::{Answer, Cluster as Server};
    use super::super::{Exec, KubernetesSettings, ObjectRef, get};
    use super::*;
    use crate::clock::testing::ManualClock;
    use crate::scripted::{Answer as AwsAnswer, Script};
    use crate::{Environment, Settings};

    fn clients(script: &Script, kubernetes: KubernetesSettings) -> (Clients, Arc<ManualClock>) {
        let settings =
            Settings { aws: script.settings(), kubernetes, environment: Environment::fixed([]), ..Settings::default() };
        let clock = Arc::new(ManualClock::at(SystemTime::UNIX_EPOCH));
        (Clients::with_clock(settings, clock.clone()), clock)
    }

    fn at(endpoint: &str, authority: &str, created: u32) -> AwsAnswer {
        let cluster = json!({
            "name": "prod", "status": "ACTIVE", "endpoint": endpoint, "createdAt": created,
            "certificateAuthority": { "data": STANDARD.encode(authority) },
        });
        AwsAnswer::Http(200, json!({ "cluster": cluster }).to_string())
    }

    fn pem() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["kubernetes".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    fn unauthorized() -> Answer {
        Answer::status(401, "Unauthorized", "Unauthorized", Value::Null)
    }

    fn namespace() -> Answer {
        Answer::Json(200, json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "ci" } }))
    }

    async fn look(client: &kube::Client) -> Result<(), String> {
        let place =
            ObjectRef { api_version: "v1".into(), kind: "Namespace".into(), namespace: None, name: "ci".into() };
        get(client, &place).await.map(drop).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn replaced_cluster_is_resolved_again() {
        let authority = pem().0;
        let new = Server::listen([namespace(), namespace(), namespace()]).await;
        let no_server = "http://127.0.0.1:1";
        let script = Script::new([at(no_server, &authority, 1), at(&new.url, &authority, 2)]);
        let (clients, _) = clients(&script, KubernetesSettings::default());
        let client = clients.kubernetes(Some("prod")).await.unwrap().client;
        assert_eq!(tokio::join!(look(&client), look(&client)), (Ok(()), Ok(())));
        // Connections of other operations use the new cluster as well.
        let client = clients.until(&CancellationToken::new()).kubernetes(Some("prod")).await.unwrap().client;
        assert_eq!(look(&client).await, Ok(()));
        assert_eq!((script.requests().len(), new.requests().len()), (2, 3));
    }

    #[tokio::test]
    async fn unauthorized_checks_whether_the_cluster_was_replaced() {
        let authority = pem().0;
        let server =
            Server::listen([unauthorized(), unauthorized(), namespace(), unauthorized(), unauthorized()]).await;
        let described = [1, 2, 2].map(|created| at(&server.url, &authority, created));
        let script = Script::new(described);
        let (clients, _) = clients(&script, KubernetesSettings::default());
        let client = clients.kubernetes(Some("prod")).await.unwrap().client;
        assert_eq!(look(&client).await, Ok(()));
        // The cluster was not replaced, so the response is final.
        assert!(look(&client).await.unwrap_err().contains("401 Unauthorized"));
        assert_eq!((script.requests().len(), server.requests().len()), (3, 5));
    }

    /// A command that returns a certificate for one hour, and records each call in a file.
    fn certificates(folder: &std::path::Path) -> Exec {
        let (certificate, key) = pem();
        let status = json!({
            "clientCertificateData": certificate, "clientKeyData": key, "expirationTimestamp": "1970-01-01T01:00:00Z",
        });
        std::fs::write(folder.join("credential"), json!({ "status": status }).to_string()).unwrap();
        let script = format!("cd {}; echo called >>calls; cat credential", folder.display());
        Exec {
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script],
            ..Exec::default()
        }
    }

    fn calls(folder: &std::path::Path) -> usize {
        std::fs::read_to_string(folder.join("calls")).unwrap().lines().count()
    }

    #[tokio::test]
    async fn client_certificate_of_a_command_is_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let answers = [namespace(), namespace(), unauthorized(), namespace(), unauthorized()];
        let server = Server::listen(answers).await;
        let settings = KubernetesSettings { exec: Some(certificates(folder.path())), ..server.settings() };
        let (clients, clock) = clients(&Script::default(), settings);
        let client = clients.kubernetes(None).await.unwrap().client;
        assert_eq!(look(&client).await, Ok(()));
        assert_eq!(calls(folder.path()), 1);
        // Renewed before it expires.
        clock.advance(Duration::from_mins(59));
        let credential = folder.path().join("credential");
        let later = std::fs::read_to_string(&credential).unwrap().replace("1970", "2970");
        std::fs::write(&credential, later).unwrap();
        assert_eq!(look(&client).await, Ok(()));
        assert_eq!(calls(folder.path()), 2);
        // Renewed when it is no longer accepted.
        assert_eq!(look(&client).await, Ok(()));
        assert_eq!(calls(folder.path()), 3);
        assert!(look(&client).await.unwrap_err().contains("401 Unauthorized"));
        assert_eq!(calls(folder.path()), 3);
    }

    #[tokio::test]
    async fn failed_command_is_not_run_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut exec = certificates(folder.path());
        exec.args[1] += "; exit 3";
        let (clients, _) = clients(
            &Script::default(),
            KubernetesSettings { host: Some("http://127.0.0.1:1".to_owned()), exec: Some(exec), ..Default::default() },
        );
        let connect = async || clients.kubernetes(None).await.map(drop).map_err(|error| error.to_string());
        let (first, second) = tokio::join!(connect(), connect());
        assert!(first.clone().unwrap_err().contains("exit status: 3"));
        assert_eq!((second, connect().await), (first.clone(), first));
        assert_eq!(calls(folder.path()), 1);
    }

    #[tokio::test]
    async fn interrupt_ends_a_waiting_command() {
        let folder = tempfile::tempdir().unwrap();
        let exec = Exec { args: vec!["-c".to_owned(), "exec sleep 600".to_owned()], ..certificates(folder.path()) };
        let settings =
            KubernetesSettings { host: Some("http://127.0.0.1:1".to_owned()), exec: Some(exec), ..Default::default() };
        let (clients, _) = clients(&Script::default(), settings);
        let token = CancellationToken::new();
        let stopping = clients.until(&token);
        let stop = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            token.cancel();
        };
        let (connected, ()) = tokio::join!(stopping.kubernetes(None), stop);
        assert!(matches!(connected, Err(ClientError::Stopped)), "{connected:?}");
    }
}
