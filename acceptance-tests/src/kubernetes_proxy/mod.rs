//! A proxy between the provider of one test and the API server, which records requests and injects faults.

mod call;
mod fault;
mod server;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

pub use self::call::KubernetesCall;
pub use self::fault::KubernetesFault;
use self::server::{Server, Shared, acceptor, client, locked};

/// A proxy with the certificate of the API server. It runs in a thread of its own, so that it responds while the test
/// blocks, and ends when the value is dropped.
#[derive(Debug)]
pub struct KubernetesProxy {
    address: SocketAddr,
    authority: String,
    shared: Arc<Shared>,
    is_up: watch::Sender<bool>,
    _end: oneshot::Sender<()>,
}

impl KubernetesProxy {
    /// Starts it for the API server at `host`; `files` has the certificate, key and CA certificate.
    pub(crate) fn start(host: &str, files: &Path) -> Self {
        let acceptor = acceptor(files);
        let authority = fs::read_to_string(files.join("ca.crt")).expect("the cluster's authority");
        let (host, trusted) = (host.to_owned(), authority.clone());
        let shared = Arc::<Shared>::default();
        let (is_up, up) = watch::channel(true);
        let (end, ended) = oneshot::channel();
        let (bound, address) = mpsc::channel();
        let state = Arc::clone(&shared);
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let server = client(&host, &trusted);
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
                bound.send(listener.local_addr().expect("a bound socket has an address")).expect("somebody waits");
                tokio::select! {
                    () = Server { acceptor, server, shared: state, start: Instant::now() }.run(listener, up) => {}
                    _ = ended => {}
                }
            });
        };
        std::thread::Builder::new().name("kubernetes-proxy".to_owned()).spawn(serve).expect("a thread");
        let address = address.recv().expect("the proxy listens");
        Self { address, authority, shared, is_up, _end: end }
    }

    /// Its URL, for the provider block. Providers that use EKS get it from `DescribeCluster`.
    #[must_use]
    pub fn host(&self) -> String {
        format!("https://{}", self.address)
    }

    /// CA certificate of the proxy, in PEM.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A kubeconfig as JSON, which is valid YAML. `user` is the content of its user entry, such as a token or exec
    /// plugin.
    #[must_use]
    pub fn kubeconfig(&self, user: &Value) -> Value {
        let authority = base64::engine::general_purpose::STANDARD.encode(&self.authority);
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "local", "cluster": { "server": self.host(), "certificate-authority-data": authority },
            }],
            "users": [{ "name": "local", "user": user }],
            "contexts": [{ "name": "local", "context": { "cluster": "local", "user": "local" } }],
            "current-context": "local",
        })
    }

    /// Makes some of the next requests fail.
    pub fn inject(&self, fault: KubernetesFault) {
        locked(&self.shared.faults).push(fault);
    }

    /// Rejects all tokens that the proxy has received so far, as an API server does after their expiration.
    pub fn expire_tokens(&self) {
        let mut tokens = locked(&self.shared.tokens);
        tokens.expired = tokens.seen.len();
    }

    /// Resets all connections and refuses new ones, as if the API server were down.
    ///
    /// # Panics
    ///
    /// If the port still accepts connections after some seconds.
    pub async fn go_down(&self) {
        self.is_up.send(false).expect("the proxy runs");
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(self.address).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the proxy still listens");
    }

    /// Accepts connections again.
    pub fn come_back(&self) {
        self.is_up.send(true).expect("the proxy runs");
    }

    /// All requests so far, in order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<KubernetesCall> {
        locked(&self.shared.calls).clone()
    }

    /// Requests with a method (`*` for all methods) and with this text in path or query.
    #[must_use]
    pub fn calls_of(&self, method: &str, part: &str) -> Vec<KubernetesCall> {
        let is_one = |call: &KubernetesCall| {
            (method == "*" || call.method == method) && format!("{}?{}", call.path, call.query).contains(part)
        };
        self.calls().into_iter().filter(is_one).collect()
    }

    /// Requests that changed something, in order and in short form.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        self.calls().iter().filter(|call| call.is_change()).map(KubernetesCall::short).collect()
    }

    /// Clears faults and calls.
    pub fn forget(&self) {
        locked(&self.shared.faults).clear();
        locked(&self.shared.calls).clear();
    }
}
