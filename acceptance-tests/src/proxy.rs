//! A server that records requests and forwards them: a proxy, or a second address of the local AWS.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A recording proxy on loopback for HTTP, CONNECT and SOCKS 5 without authentication. Requests with an absolute URL,
/// as clients send them to a proxy, and other requests go to the same server, whatever their host.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Route {
    /// Address to which requests are forwarded. Without it, the connection is closed.
    plain: Option<String>,
    tunnel: Tunnel,
    seen: Arc<Mutex<Vec<String>>>,
}

/// Destination of tunnels.
#[derive(Clone, Copy)]
enum Tunnel {
    Refused,
    /// One server, whatever the target.
    To(SocketAddr),
    /// The port of the target, on loopback.
    Loopback,
}

impl Tunnel {
    async fn open(self, target: &str) -> Option<TcpStream> {
        match self {
            Self::Refused => None,
            Self::To(server) => TcpStream::connect(server).await.ok(),
            Self::Loopback => {
                let port = target.rsplit(':').next().unwrap_or_default();
                TcpStream::connect(format!("127.0.0.1:{port}")).await.ok()
            }
        }
    }
}

impl Proxy {
    /// Starts a proxy for the local AWS at `endpoint`. Without a server in `tunnel`, it refuses tunnels.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn start(endpoint: &str, tunnel: Option<SocketAddr>) -> Self {
        let plain = endpoint.trim_start_matches("http://").to_owned();
        Self::listen(Some(plain), tunnel.map_or(Tunnel::Refused, Tunnel::To)).await
    }

    /// Starts a proxy for tunnels only, to loopback whatever their host.
    ///
    /// # Panics
    ///
    /// If loopback has no free port.
    pub async fn to_loopback() -> Self {
        Self::listen(None, Tunnel::Loopback).await
    }

    async fn listen(plain: Option<String>, tunnel: Tunnel) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port on loopback");
        let address = listener.local_addr().expect("a listener has an address");
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let route = Route { plain, tunnel, seen: Arc::clone(&seen) };
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let route = route.clone();
                // An error of one client, such as a closed connection, does not end the others.
                tokio::spawn(async move { route.serve(client).await });
            }
        });
        Self { address, seen, serving }
    }

    /// URL of an HTTP proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// URL of a SOCKS 5 proxy.
    #[must_use]
    pub fn socks(&self) -> String {
        format!("socks5://{}", self.address)
    }

    /// Method and target of all requests so far: `GET http://eks.example.com/clusters`, `CONNECT sts.example.com:443`
    /// or `SOCKS sts.example.com:443`.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Distinct targets of the requests since the last call.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let targets: BTreeSet<String> =
            seen.iter().filter_map(|line| line.split_once(' ')).map(|(_, target)| target.to_owned()).collect();
        targets.into_iter().collect()
    }

    /// Clears the recorded requests.
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
    fn note(&self, method: &str, target: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {target}"));
    }

    async fn serve(&self, mut client: TcpStream) -> Option<()> {
        // SOCKS 5 begins with its version, HTTP with a letter.
        let mut first = [0; 1];
        client.peek(&mut first).await.ok()?;
        if first == [5] {
            let target = socks_target(&mut client).await.ok()?;
            self.note("SOCKS", &target);
            let mut server = self.tunnel.open(&target).await?;
            // Success, with an unspecified bound address: clients ignore it.
            client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.ok()?;
            return copy_bidirectional(&mut client, &mut server).await.ok().map(drop);
        }
        let (head, body) = read_head(&mut client).await?;
        let (first, headers) = head.split_once("\r\n")?;
        let mut words = first.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        self.note(method, target);
        if method == "CONNECT" {
            let Some(mut server) = self.tunnel.open(target).await else {
                return client.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.ok();
            };
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
            return copy_bidirectional(&mut client, &mut server).await.ok().map(drop);
        }
        let path = target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
        let kept = headers.lines().filter(|line| !line.to_lowercase().starts_with("connection:"));
        let headers: Vec<&str> = kept.collect();
        // One request for each connection, so that the end of the response is that of the connection.
        let head = format!("{method} {path} HTTP/1.1\r\n{}\r\nConnection: close\r\n\r\n", headers.join("\r\n"));
        let length =
            headers.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut server = TcpStream::connect(self.plain.as_ref()?).await.ok()?;
        server.write_all(head.as_bytes()).await.ok()?;
        server.write_all(&body).await.ok()?;
        let rest = length.unwrap_or(0).max(body.len() as u64) - body.len() as u64;
        copy(&mut (&mut client).take(rest), &mut server).await.ok()?;
        copy(&mut server, &mut client).await.ok()?;
        client.shutdown().await.ok()
    }
}

/// Reads the head of a request, without the empty line, and the part of the body that arrived with it.
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

/// Negotiates SOCKS 5 without authentication and reads the target as `host:port`.
async fn socks_target(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut greeting = [0; 2];
    stream.read_exact(&mut greeting).await?;
    let mut methods = vec![0; usize::from(greeting[1])];
    stream.read_exact(&mut methods).await?;
    stream.write_all(&[5, 0]).await?;
    let mut request = [0; 4];
    stream.read_exact(&mut request).await?;
    let host = match request[3] {
        1 => {
            let mut address = [0; 4];
            stream.read_exact(&mut address).await?;
            std::net::Ipv4Addr::from(address).to_string()
        }
        _ => {
            let mut name = vec![0; usize::from(stream.read_u8().await?)];
            stream.read_exact(&mut name).await?;
            String::from_utf8_lossy(&name).into_owned()
        }
    };
    Ok(format!("{host}:{}", stream.read_u16().await?))
}
