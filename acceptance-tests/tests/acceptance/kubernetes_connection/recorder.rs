//! Proxies that write down where they were asked to lead.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A proxy to this machine, by whatever name it is asked for.
#[derive(Clone)]
pub(super) struct Recorder {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// One that knows CONNECT, and SOCKS 5 without passwords.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let recorder = Self { address: listener.local_addr().unwrap().to_string(), asked: Arc::default() };
        let asked = Arc::clone(&recorder.asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let asked = Arc::clone(&asked);
                tokio::spawn(async move { lead(stream, &asked).await });
            }
        });
        recorder
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn socks(&self) -> String {
        format!("socks5://{}", self.address)
    }

    /// Where it was asked to lead since the last time, each once.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.sort();
        asked.dedup();
        asked
    }
}

async fn lead(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut first = [0; 1];
    stream.peek(&mut first).await?;
    let target = if first == [5] { socks_target(&mut stream).await? } else { http_target(&mut stream).await? };
    asked.lock().unwrap().push(target.clone());
    let port = target.rsplit(':').next().unwrap_or_default();
    let mut there = TcpStream::connect(format!("127.0.0.1:{port}")).await?;
    let welcome: &[u8] =
        if first == [5] { &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0] } else { b"HTTP/1.1 200 Connection established\r\n\r\n" };
    stream.write_all(welcome).await?;
    copy_bidirectional(&mut stream, &mut there).await.map(drop)
}

/// `CONNECT host:port`, or whatever else begins a request: of a request for a whole URL, the URL.
async fn http_target(stream: &mut TcpStream) -> std::io::Result<String> {
    // One byte at a time: what follows the head is not ours.
    let mut reader = BufReader::with_capacity(1, stream);
    let mut target = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await?;
        if target.is_empty() {
            target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        }
        if line.trim().is_empty() {
            return Ok(target);
        }
    }
}

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
