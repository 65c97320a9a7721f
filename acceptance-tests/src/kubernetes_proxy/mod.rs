//! Between one test's provider and the API server: sees every request, and lets faults happen.

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

/// An API server to all who look at it: the same certificate, the real one behind it. It runs on a thread of its own, so
/// that it answers whatever the test is doing, and ends with the value.
#[derive(Debug)]
pub struct KubernetesProxy {
    address: SocketAddr,
    authority: String,
    shared: Arc<Shared>,
    is_up: watch::Sender<bool>,
    _end: oneshot::Sender<()>,
}

impl KubernetesProxy {
    /// Before the API server at `host`, whose certificate, key and authority are in this folder.
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

    /// Its URL, for providers that are told where the cluster is; EKS says so by itself.
    #[must_use]
    pub fn host(&self) -> String {
        format!("https://{}", self.address)
    }

    /// PEM of whom to trust there.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A kubeconfig as data, JSON being YAML; `user` is what it says of its one user: a token, an exec plugin.
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

    /// Lets some of the next requests fail.
    pub fn inject(&self, fault: KubernetesFault) {
        locked(&self.shared.faults).push(fault);
    }

    /// Takes no token any more that was ever seen here, as an API server does when their time is over.
    pub fn expire_tokens(&self) {
        let mut tokens = locked(&self.shared.tokens);
        tokens.expired = tokens.seen.len();
    }

    /// Breaks every connection, and takes no new ones: the API server is down.
    ///
    /// # Panics
    ///
    /// When it does not end.
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

    /// The API server is there again.
    pub fn come_back(&self) {
        self.is_up.send(true).expect("the proxy runs");
    }

    /// Every request so far, in the order in which they came.
    #[must_use]
    pub fn calls(&self) -> Vec<KubernetesCall> {
        locked(&self.shared.calls).clone()
    }

    /// The requests of one method, `*` for any, with this in path or query.
    #[must_use]
    pub fn calls_of(&self, method: &str, part: &str) -> Vec<KubernetesCall> {
        let is_one = |call: &KubernetesCall| {
            (method == "*" || call.method == method) && format!("{}?{}", call.path, call.query).contains(part)
        };
        self.calls().into_iter().filter(is_one).collect()
    }

    /// What changed something, in order, in short.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        self.calls().iter().filter(|call| call.is_change()).map(KubernetesCall::short).collect()
    }

    /// Forgets faults and calls.
    pub fn forget(&self) {
        locked(&self.shared.faults).clear();
        locked(&self.shared.calls).clear();
    }
}
