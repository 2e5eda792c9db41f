//! A connection of which something has been read already that is still to be read.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Reads these bytes first, then those of the connection.
#[derive(Debug)]
pub struct Rewound<S> {
    unread: Vec<u8>,
    at: usize,
    inner: S,
}

impl<S> Rewound<S> {
    /// Puts bytes back in front of a connection.
    pub fn new(unread: Vec<u8>, inner: S) -> Self {
        Self {
            unread,
            at: 0,
            inner,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewound<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let unread = self.unread.get(self.at..).unwrap_or_default();
        if unread.is_empty() {
            return Pin::new(&mut self.inner).poll_read(cx, buffer);
        }
        let now = unread.get(..buffer.remaining()).unwrap_or(unread);
        buffer.put_slice(now);
        self.at += now.len();
        if self.at == self.unread.len() {
            self.unread = Vec::new();
            self.at = 0;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewound<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::Rewound;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn what_was_put_back_comes_first() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut rewound = Rewound::new(b"first ".to_vec(), near);
        far.write_all(b"second").await.unwrap();
        drop(far);
        let mut start = [0; 4];
        rewound.read_exact(&mut start).await.unwrap();
        let mut rest = Vec::new();
        rewound.read_to_end(&mut rest).await.unwrap();
        assert_eq!([&start[..], &rest].concat(), b"first second");
    }
}
