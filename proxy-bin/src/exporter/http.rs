//! As much of HTTP/1.1 as `GET /metrics` takes: one request per connection, no bodies.

use acra_telemetry::metrics::CONTENT_TYPE;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Longest request, up to the empty line.
const MAX_HEAD: usize = 8 << 10;

/// Longest wait for all of it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

const PLAIN: &str = "text/plain; charset=utf-8";

/// What a request is answered with.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// The page; its head alone for `HEAD`.
    Page {
        with_body: bool,
    },
    NotFound,
    MethodNotAllowed,
    Malformed,
    TooLarge,
}

/// Reads one request and answers it. `page` makes the page when it is asked for.
pub(super) async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: S,
    page: impl FnOnce() -> String,
) -> io::Result<()> {
    let head = match tokio::time::timeout(HEAD_TIMEOUT, read_head(&mut socket)).await {
        Ok(head) => head?,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    let answer = head.map_or(Answer::TooLarge, |head| judge(&head));
    let response = match answer {
        Answer::Page { with_body } => {
            let body = page();
            let mut response = headers("200 OK", CONTENT_TYPE, body.len());
            if with_body {
                response.push_str(&body);
            }
            response
        }
        Answer::NotFound => short("404 Not Found", "only /metrics is here\n"),
        Answer::MethodNotAllowed => short("405 Method Not Allowed\r\nAllow: GET, HEAD", ""),
        Answer::Malformed => short("400 Bad Request", "not an HTTP/1 request\n"),
        Answer::TooLarge => short("431 Request Header Fields Too Large", ""),
    };
    socket.write_all(response.as_bytes()).await?;
    socket.shutdown().await
}

/// What precedes the empty line; `None` if that is too long to be read.
async fn read_head(socket: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(1024);
    while head.len() < MAX_HEAD {
        let left = (MAX_HEAD - head.len()) as u64;
        if (&mut *socket).take(left).read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            head.truncate(end);
            return Ok(Some(head));
        }
    }
    Ok(None)
}

fn judge(head: &[u8]) -> Answer {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Answer::Malformed;
    };
    if !version.starts_with("HTTP/1.") {
        return Answer::Malformed;
    }
    let path = target.split('?').next().unwrap_or_default();
    match (path, method) {
        ("/metrics", "GET") => Answer::Page { with_body: true },
        ("/metrics", "HEAD") => Answer::Page { with_body: false },
        ("/metrics", _) => Answer::MethodNotAllowed,
        _ => Answer::NotFound,
    }
}

fn headers(status: &str, content_type: &str, length: usize) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

fn short(status: &str, body: &str) -> String {
    headers(status, PLAIN, body.len()) + body
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes back for these bytes.
    fn ask(request: &[u8]) -> io::Result<String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()?;
        runtime.block_on(async {
            let (mut client, server) = tokio::io::duplex(64 << 10);
            client.write_all(request).await?;
            answer(server, || "x 1\n".to_owned()).await?;
            let mut text = String::new();
            client.read_to_string(&mut text).await?;
            Ok(text)
        })
    }

    #[test]
    fn requests() {
        for (request, status, body) in [
            (
                "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
                "200 OK",
                "x 1\n",
            ),
            ("GET /metrics?a=b HTTP/1.0\r\n\r\n", "200 OK", "x 1\n"),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", ""),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method", ""),
            (
                "GET / HTTP/1.1\r\n\r\n",
                "404 Not Found",
                "only /metrics is here\n",
            ),
            (
                "GET /metrics/ HTTP/1.1\r\n\r\n",
                "404 Not Found",
                "only /metrics is here\n",
            ),
            ("GET /metrics\r\n\r\n", "400 Bad", "not an HTTP/1 request\n"),
            (
                "PRI * HTTP/2.0\r\n\r\n",
                "400 Bad",
                "not an HTTP/1 request\n",
            ),
            ("\r\n\r\n", "400 Bad", "not an HTTP/1 request\n"),
        ] {
            let text = ask(request.as_bytes()).unwrap();
            assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
            let (_, found) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(found, body, "{request}");
        }
        let text = ask(b"HEAD /metrics HTTP/1.1\r\n\r\n").unwrap();
        assert!(text.contains("Content-Length: 4\r\n") && text.contains(CONTENT_TYPE));
    }

    #[test]
    fn requests_have_limits() {
        let text = ask(&[b'a'; MAX_HEAD]).unwrap();
        assert!(text.starts_with("HTTP/1.1 431 "), "{text}");
        // The clock runs by itself where everybody waits.
        let error = ask(b"GET /metrics HT").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
