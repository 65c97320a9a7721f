//! A way to AWS that remembers who came along: a proxy, or a second address of the local AWS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A recorder on loopback. Requests that name a host, as a proxy gets them, and those that do not all go to the local
/// AWS, whatever the host; tunnels go to one server, whatever they are for.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Route {
    plain: String,
    tunnel: Option<SocketAddr>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// In front of the local AWS at `endpoint`; tunnels are refused unless there is a server for them.
    ///
    /// # Panics
    ///
    /// When loopback has no port left.
    pub async fn start(endpoint: &str, tunnel: Option<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let route = Route { plain: endpoint.trim_start_matches("http://").to_owned(), tunnel, seen: Arc::clone(&seen) };
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let route = route.clone();
                // A client that goes away in the middle is its own business.
                tokio::spawn(async move { route.serve(client).await });
            }
        });
        Self { address, seen, serving }
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Method and target of every request so far: `GET http://eks.example.com/clusters`, `CONNECT sts.example.com:443`.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets them.
    pub fn forget(&self) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Route {
    async fn serve(&self, mut client: TcpStream) -> Option<()> {
        let (head, body) = read_head(&mut client).await?;
        let (first, headers) = head.split_once("\r\n")?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {target}"));
        if method == "CONNECT" {
            let Some(server) = self.tunnel else {
                return client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.ok();
            };
            let mut server = TcpStream::connect(server).await.ok()?;
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
            return copy_bidirectional(&mut client, &mut server).await.ok().map(drop);
        }
        let path = target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let kept = headers.lines().filter(|line| !line.to_lowercase().starts_with("connection:"));
        let headers: Vec<&str> = kept.collect();
        // One request for each connection, so that its end is that of the connection.
        let head = format!("{method} {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", headers.join("\r\n"));
        let length =
            headers.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut server = TcpStream::connect(&self.plain).await.ok()?;
        server.write_all(head.as_bytes()).await.ok()?;
        server.write_all(&body).await.ok()?;
        let rest = length.unwrap_or(0).max(body.len() as u64) - body.len() as u64;
        copy(&mut (&mut client).take(rest), &mut server).await.ok()?;
        copy(&mut server, &mut client).await.ok()?;
        client.shutdown().await.ok()
    }
}

/// The head of a request without its last line break, and what came with it of the body.
async fn read_head(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut read = Vec::new();
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let body = read.split_off(end + 4);
            read.truncate(end);
            return Some((String::from_utf8(read).ok()?, body));
        }
        if client.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
}
