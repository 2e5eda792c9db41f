//! A connection of any kind: TCP, UNIX socket, either of them inside TLS, any of them compressed.

use crate::compressed::Compressed;
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// When a silent peer is asked for a sign of life, and how often before it counts as gone.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(60))
    .with_interval(Duration::from_secs(10))
    .with_retries(6);

/// An encrypted connection, whatever is below it.
pub trait Encrypted: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Encrypted for T {}

/// A connection.
pub enum Transport {
    /// In clear over TCP.
    Tcp(TcpStream),
    /// In clear over a UNIX socket.
    Unix(UnixStream),
    /// Inside TLS.
    Tls(Box<dyn Encrypted>),
    /// Compressed, over any other.
    Compressed(Box<Compressed>),
    /// Taken away; reads as ended.
    Gone,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp(_) => "Tcp",
            Self::Unix(_) => "Unix",
            Self::Tls(_) => "Tls",
            Self::Compressed(_) => "Compressed",
            Self::Gone => "Gone",
        })
    }
}

impl Transport {
    /// A TCP connection without delay of small packets, on which a peer that is gone is noticed: a silent one by probes,
    /// one that is sent to when it has acknowledged nothing for `patience`.
    ///
    /// # Errors
    ///
    /// Those of the system calls.
    pub fn tcp(stream: TcpStream, patience: Option<Duration>) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        socket.set_tcp_keepalive(&KEEPALIVE)?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(patience)?;
        Ok(Self::Tcp(stream))
    }

    /// Whether the first byte that the peer sends is that of a TLS handshake. The byte stays unread. Over a UNIX socket
    /// there is no TLS, as with PostgreSQL.
    pub async fn begins_with_tls(&self) -> bool {
        const HANDSHAKE: u8 = 0x16;
        let mut first = [0];
        match self {
            Self::Tcp(stream) => {
                matches!(stream.peek(&mut first).await, Ok(1)) && first == [HANDSHAKE]
            }
            Self::Unix(_) | Self::Tls(_) | Self::Compressed(_) | Self::Gone => false,
        }
    }

    /// Whether it does not leave this machine by its nature.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Compressed(connection) => connection.inner().is_local(),
            Self::Tcp(_) | Self::Tls(_) | Self::Gone => false,
            Self::Unix(_) => true,
        }
    }

    /// Whether it is inside TLS.
    pub fn is_encrypted(&self) -> bool {
        match self {
            Self::Compressed(connection) => connection.inner().is_encrypted(),
            Self::Tcp(_) | Self::Unix(_) | Self::Gone => false,
            Self::Tls(_) => true,
        }
    }

    /// Whether it may hold bytes that were written until it is flushed.
    pub(crate) fn holds_bytes(&self) -> bool {
        matches!(self, Self::Tls(_) | Self::Compressed(_))
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Compressed(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Compressed(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Unix(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Compressed(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Compressed(stream) => Pin::new(stream).poll_flush(cx),
            // The kernel has it.
            Self::Tcp(_) | Self::Unix(_) | Self::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Compressed(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Gone => Poll::Ready(Ok(())),
        }
    }
}
