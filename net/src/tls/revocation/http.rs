//! One HTTP/1.1 exchange (RFC 9112) over a connection of its own. Redirects are not followed.

use super::url::HttpUrl;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::net::TcpStream;

/// Most bytes of status line and headers, and of a chunk's line.
const MAX_HEAD: u64 = 32 << 10;
const MAX_CHUNK_LINE: u64 = 4 << 10;
/// Most interim answers (1xx) before the real one.
const MAX_INTERIM: usize = 4;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Request<'a> {
    /// Whether something is there.
    Head,
    /// A document, of one of these types.
    Get { accept: &'static str },
    /// An answer to a document.
    Post {
        accept: &'static str,
        kind: &'static str,
        body: &'a [u8],
    },
}

/// Status code and body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

type Source = BufReader<TcpStream>;

enum Length {
    Known(u64),
    Chunked,
    UntilEnd,
}

/// Asks. Sets no time limit. A body above `limit` bytes is an error.
pub(crate) async fn ask(
    url: &HttpUrl,
    request: Request<'_>,
    limit: usize,
) -> Result<Answer, String> {
    let mut stream = TcpStream::connect((&*url.host, url.port))
        .await
        .map_err(|fault| format!("cannot connect to {}: {fault}", url.authority))?;
    let broken = |fault: std::io::Error| format!("the connection broke: {fault}");
    let (head, body) = head(url, request);
    stream.write_all(head.as_bytes()).await.map_err(broken)?;
    stream.write_all(body).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut source = BufReader::new(stream);
    let mut interim = 0;
    loop {
        let (status, length) = read_head(&mut source).await?;
        if (100..200).contains(&status) {
            interim += 1;
            if status == 101 || interim > MAX_INTERIM {
                return Err(format!("unexpected status {status}"));
            }
            continue;
        }
        let is_empty = matches!(request, Request::Head) || status == 204 || status == 304;
        let body = match length {
            _ if is_empty => Vec::new(),
            Length::Known(length) => {
                let body = read_some(&mut source, length, limit).await?;
                if body.len() as u64 != length {
                    return Err("the answer was cut short".to_owned());
                }
                body
            }
            Length::UntilEnd => read_some(&mut source, u64::MAX, limit).await?,
            Length::Chunked => read_chunks(&mut source, limit).await?,
        };
        return Ok(Answer { status, body });
    }
}

fn head<'a>(url: &HttpUrl, request: Request<'a>) -> (String, &'a [u8]) {
    let (method, accept, body) = match request {
        Request::Head => ("HEAD", "*/*", None),
        Request::Get { accept } => ("GET", accept, None),
        Request::Post { accept, kind, body } => ("POST", accept, Some((kind, body))),
    };
    let mut head = format!(
        "{method} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: acra\r\nAccept: {accept}\r\nConnection: close\r\n",
        url.target, url.authority
    );
    if let Some((kind, body)) = body {
        head += &format!("Content-Type: {kind}\r\nContent-Length: {}\r\n", body.len());
    }
    head += "\r\n";
    (head, body.map_or(&[], |(_, body)| body))
}

/// A line without its end, of at most `left` bytes, which shrinks by it.
async fn line(source: &mut Source, left: &mut u64) -> Result<String, String> {
    let mut line = Vec::new();
    let read = source
        .take(*left)
        .read_until(b'\n', &mut line)
        .await
        .map_err(|fault| format!("the connection broke: {fault}"))?;
    *left = left.saturating_sub(read as u64);
    if line.pop() != Some(b'\n') {
        return Err(if *left == 0 {
            "the answer's header is too long".to_owned()
        } else {
            "the answer was cut short".to_owned()
        });
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map_err(|_| "the answer is not HTTP".to_owned())
}

async fn read_head(source: &mut Source) -> Result<(u16, Length), String> {
    let mut left = MAX_HEAD;
    let first = line(source, &mut left).await?;
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .filter(|status| status.len() == 3)
        .and_then(|status| status.parse().ok())
        .ok_or("the answer is not HTTP/1.1")?;
    let mut length = None;
    let mut is_chunked = false;
    loop {
        let header = line(source, &mut left).await?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or("the answer is not HTTP")?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let value = value.parse().map_err(|_| "the answer's length is none")?;
            if length.is_some_and(|length: u64| length != value) {
                return Err("the answer has two lengths".to_owned());
            }
            length = Some(value);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(format!("unsupported transfer encoding {value}"));
            }
            is_chunked = true;
        }
    }
    let length = match length {
        _ if is_chunked => Length::Chunked,
        Some(length) => Length::Known(length),
        None => Length::UntilEnd,
    };
    Ok((status, length))
}

/// Up to `length` bytes, or fewer if the source ends.
async fn read_some(
    source: &mut (impl AsyncRead + Unpin + Send),
    length: u64,
    limit: usize,
) -> Result<Vec<u8>, String> {
    let too_long = || format!("the answer has more than {limit} bytes");
    if length != u64::MAX && length > limit as u64 {
        return Err(too_long());
    }
    let mut body = Vec::new();
    source
        .take(length.min(limit as u64 + 1))
        .read_to_end(&mut body)
        .await
        .map_err(|fault| format!("the connection broke: {fault}"))?;
    if body.len() > limit {
        return Err(too_long());
    }
    Ok(body)
}

async fn read_chunks(source: &mut Source, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let size = line(source, &mut { MAX_CHUNK_LINE }).await?;
        let size = size.split(';').next().unwrap_or_default().trim();
        // The sign that `from_str_radix` takes is none of HTTP's.
        let size = u64::from_str_radix(size, 16)
            .ok()
            .filter(|_| !size.starts_with('+'))
            .ok_or("the answer's chunks are malformed")?;
        if size == 0 {
            // What trails does not matter: the connection is closed.
            return Ok(body);
        }
        let chunk = read_some(source, size, limit - body.len()).await?;
        if chunk.len() as u64 != size || !line(source, &mut { 2 }).await?.is_empty() {
            return Err("the answer was cut short".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
}
