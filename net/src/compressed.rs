//! A connection on which packets of MySQL are compressed.

use crate::buffer::{Budget, Buffer, POOLED};
use crate::transport::Transport;
use acra_engine::wire::mysql::compressed::{
    self, Algorithm, Codec, Fault, HEADER, Header, Numbers, Role,
};
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest piece that is compressed at once, in bytes: the window of zlib is half of it.
const PIECE: usize = POOLED;

thread_local! {
    /// A quarter of a megabyte: too much for every connection, and pieces do not depend on each other.
    static CODEC: RefCell<Codec> = RefCell::new(Codec::default());
}

/// Compresses what is written, and decompresses what is read. Nothing is held while nothing is under way.
#[derive(Debug)]
pub struct Compressed {
    inner: Transport,
    algorithm: Algorithm,
    numbers: Numbers,
    budget: Budget,
    /// Compressed packets that have been read.
    raw: Buffer,
    /// Where the next one begins in `raw`.
    raw_at: usize,
    /// What the last one held.
    plain: Vec<u8>,
    plain_at: usize,
    /// What of `plain` is charged to the budget.
    charged: usize,
    /// What is to be sent next, before compression.
    piece: Vec<u8>,
    /// Compressed packets to be written.
    out: Vec<u8>,
    out_at: usize,
}

impl Compressed {
    /// A connection from now on; `unread` has been read of it already.
    pub(crate) fn new(
        inner: Transport,
        unread: Buffer,
        algorithm: Algorithm,
        role: Role,
        budget: &Budget,
    ) -> Self {
        Self {
            inner,
            algorithm,
            numbers: Numbers::new(role),
            raw: unread,
            raw_at: 0,
            plain: Vec::new(),
            plain_at: 0,
            charged: 0,
            budget: budget.clone(),
            piece: Vec::new(),
            out: Vec::new(),
            out_at: 0,
        }
    }

    /// The connection below.
    pub(crate) fn inner(&self) -> &Transport {
        &self.inner
    }

    /// Gives of the last packet's content, and forgets it at its end.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) {
        let rest = self.plain.get(self.plain_at..).unwrap_or_default();
        let now = rest.get(..buffer.remaining()).unwrap_or(rest);
        buffer.put_slice(now);
        self.plain_at += now.len();
        if self.plain_at == self.plain.len() {
            self.forget();
        }
    }

    fn forget(&mut self) {
        self.plain = Vec::new();
        self.plain_at = 0;
        self.budget.give_back(std::mem::take(&mut self.charged));
    }

    /// Decompresses the next packet if all of it is there; else how many bytes it needs.
    fn decompress(&mut self) -> io::Result<Result<(), usize>> {
        let there = self.raw.filled().get(self.raw_at..).unwrap_or_default();
        let Some(header) = Header::read(there) else {
            return Ok(Err(HEADER));
        };
        let Some(content) = there.get(HEADER..HEADER + header.length) else {
            return Ok(Err(HEADER + header.length));
        };
        self.numbers.received(header.number).map_err(broken)?;
        let more = header.plain.max(header.length).saturating_sub(POOLED);
        if !self.budget.take(more) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.charged = more;
        let (plain, algorithm) = (&mut self.plain, self.algorithm);
        CODEC
            .with_borrow_mut(|codec| compressed::read(plain, codec, algorithm, header, content))
            .map_err(broken)?;
        self.raw_at += HEADER + header.length;
        Ok(Ok(()))
    }

    /// Reads once. False: the connection has ended.
    fn poll_fill(&mut self, want: usize, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        self.raw.consume(std::mem::take(&mut self.raw_at));
        self.raw.grow(want)?;
        let mut space = ReadBuf::new(self.raw.space());
        let outcome = Pin::new(&mut self.inner).poll_read(cx, &mut space);
        let count = space.filled().len();
        self.raw.read(count);
        self.raw.release();
        ready!(outcome)?;
        match (count, self.raw.filled().is_empty()) {
            (0, true) => Poll::Ready(Ok(false)),
            (0, false) => Poll::Ready(Err(broken(Fault::Cut))),
            _ => Poll::Ready(Ok(true)),
        }
    }

    /// Makes a compressed packet of what is at the front of these; how much that is.
    fn compress(&mut self, slices: &[IoSlice<'_>]) -> usize {
        self.piece.clear();
        for slice in slices {
            let room = PIECE - self.piece.len();
            self.piece
                .extend_from_slice(slice.get(..room).unwrap_or(slice));
        }
        if self.piece.is_empty() {
            return 0;
        }
        let (length, number) = self.numbers.send(&mut self.piece);
        let piece = self.piece.get(..length).unwrap_or_default();
        let (out, algorithm) = (&mut self.out, self.algorithm);
        CODEC.with_borrow_mut(|codec| compressed::write(out, codec, algorithm, number, piece));
        length
    }

    /// Writes what has been compressed.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = self.out.get(self.out_at..) {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out_at += written;
        }
        self.out.clear();
        self.out_at = 0;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Compressed {
    fn drop(&mut self) {
        self.forget();
    }
}

fn broken(fault: Fault) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

impl AsyncRead for Compressed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.plain_at < self.plain.len() {
                self.give(buffer);
                return Poll::Ready(Ok(()));
            }
            match self.decompress()? {
                Ok(()) => {}
                Err(want) if !ready!(self.poll_fill(want, cx))? => return Poll::Ready(Ok(())),
                Err(_) => {}
            }
        }
    }
}

impl AsyncWrite for Compressed {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let taken = self.compress(slices);
        match self.poll_drain(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // What is left is written when it is flushed.
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(taken)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        self.out = Vec::new();
        self.piece = Vec::new();
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;

    fn pair(algorithm: Algorithm, budget: usize) -> (Compressed, Compressed) {
        let (near, far) = UnixStream::pair().unwrap();
        let budget = Budget::new(budget);
        let end = |socket, role| {
            let unread = Buffer::new(budget.clone());
            Compressed::new(Transport::Unix(socket), unread, algorithm, role, &budget)
        };
        (end(near, Role::Client), end(far, Role::Server))
    }

    async fn pass(from: &mut Compressed, to: &mut Compressed, sent: &[u8], expected: &[u8]) {
        let (mut read, write) = (vec![0; expected.len()], async {
            from.write_all(sent).await.unwrap();
            from.flush().await.unwrap();
        });
        let (_, outcome) = tokio::join!(write, to.read_exact(&mut read));
        outcome.unwrap();
        assert!(read == expected);
    }

    #[tokio::test]
    async fn what_is_written_is_read_in_both_directions() {
        for algorithm in [Algorithm::Zlib, Algorithm::Zstd] {
            let (mut client, mut server) = pair(algorithm, 1 << 20);
            for length in [1, 60, 4096, 300_000] {
                let mut command = Vec::new();
                let content: Vec<u8> = (0..length).map(|n| (n / 7 % 256) as u8).collect();
                acra_engine::wire::mysql::write_message(&mut command, &mut 0, &content);
                pass(&mut client, &mut server, &command, &command).await;
                // Whatever its number was, it gets that which follows the command's last compressed packet.
                let (mut answer, mut expected) = (Vec::new(), Vec::new());
                let pieces = command.len().div_ceil(PIECE) as u8;
                acra_engine::wire::mysql::write_message(&mut answer, &mut 77, &content);
                acra_engine::wire::mysql::write_message(&mut expected, &mut { pieces }, &content);
                pass(&mut server, &mut client, &answer, &expected).await;
            }
        }
    }

    /// A packet of a few bytes that becomes 16 MiB is charged to the memory for buffers before there is any.
    #[tokio::test]
    async fn a_bomb_is_stopped_by_the_budget() {
        let (mut client, mut server) = pair(Algorithm::Zlib, 1 << 20);
        let mut bomb = Vec::new();
        let zeros = vec![0; compressed::MAX_PIECE];
        let mut codec = Codec::default();
        compressed::write(&mut bomb, &mut codec, Algorithm::Zlib, 0, &zeros);
        assert!(bomb.len() < POOLED);
        client.inner.write_all(&bomb).await.unwrap();
        let error = server.read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
    }

    #[tokio::test]
    async fn what_is_no_compressed_packet_is_told() {
        let cases: [(&[u8], Fault); 4] = [
            (&[1, 0, 0, 3, 0, 0, 0, 9], Fault::OutOfOrder),
            (&[0, 0, 0, 0, 0, 0, 0], Fault::Empty),
            (&[2, 0, 0, 0, 9, 0, 0, 1, 2], Fault::Damaged),
            (&[9, 0, 0, 0, 0, 0, 0, 1], Fault::Cut),
        ];
        for (bytes, fault) in cases {
            let (mut client, mut server) = pair(Algorithm::Zlib, 0);
            client.inner.write_all(bytes).await.unwrap();
            client.inner.shutdown().await.unwrap();
            let error = server.read_u8().await.unwrap_err();
            let told = error.get_ref().and_then(|error| error.downcast_ref());
            assert_eq!(told, Some(&fault));
        }
    }
}
