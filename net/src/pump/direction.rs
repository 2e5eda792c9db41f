//! One direction of a session: what a peer sends, and what it is turned into.

use super::Pending;
use crate::buffer::{Budget, Buffer};
use crate::transport::Transport;
use acra_engine::wire::outbox::Outbox;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Segments in one gathering write.
const GATHER: usize = 16;

pub(super) struct Direction {
    pub(super) buffer: Buffer,
    /// First byte that the session has not taken.
    pub(super) at: usize,
    /// Number of bytes that the session wants at once, counted from `at`.
    pub(super) want: usize,
    /// Goes to the other peer.
    pub(super) out: Outbox,
    /// The connection holds bytes of `out` that were not sent yet.
    unsent: bool,
    /// An ask of the session that has not been answered.
    pub(super) pending: Option<Pending>,
    /// The session takes nothing before the other direction has moved.
    pub(super) blocked: bool,
    /// The session has not seen everything in the buffer.
    pub(super) fresh: bool,
    /// The peer has closed.
    pub(super) ended: bool,
    /// The other peer takes nothing more.
    pub(super) deaf: bool,
}

impl Direction {
    pub(super) fn new(budget: &Budget) -> Self {
        Self {
            buffer: Buffer::new(budget.clone()),
            at: 0,
            want: 1,
            out: Outbox::new(),
            unsent: false,
            pending: None,
            blocked: false,
            fresh: false,
            ended: false,
            deaf: false,
        }
    }

    /// Whether reading more would help, and is possible.
    pub(super) fn wants_bytes(&self) -> bool {
        !(self.ended || self.deaf || self.fresh || self.blocked)
            && self.pending.is_none()
            && self.is_written()
    }

    /// Whether everything has been handed to the kernel.
    pub(super) fn is_written(&self) -> bool {
        self.out.is_empty() && !self.unsent
    }

    /// Drops what cannot be written any more, and takes no more of it.
    pub(super) fn give_up(&mut self) {
        let waiting = self.out.len();
        self.out.advance(waiting);
        self.unsent = false;
        self.deaf = true;
    }

    /// Reads once. An idle connection is left without a buffer.
    pub(super) fn poll_read(
        &mut self,
        peer: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.buffer.consume(self.at);
        self.at = 0;
        self.buffer.grow(self.want)?;
        let mut space = ReadBuf::new(self.buffer.space());
        let outcome = Pin::new(peer).poll_read(cx, &mut space);
        let count = space.filled().len();
        match outcome {
            Poll::Ready(Ok(())) if count == 0 => self.ended = true,
            Poll::Ready(Ok(())) => {
                self.buffer.read(count);
                self.fresh = true;
            }
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => {
                self.buffer.release();
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what `out` holds, whose ranges lie in the buffer, and what the connection still holds. `progress` becomes true when
    /// the peer took anything.
    pub(super) fn poll_write(
        &mut self,
        peer: &mut Transport,
        progress: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.out.is_empty() {
            let mut slices = [IoSlice::new(&[]); GATHER];
            let count = self.out.slices(self.buffer.filled(), &mut slices);
            let written = match slices.get(..count) {
                Some([one]) => ready!(Pin::new(&mut *peer).poll_write(cx, one))?,
                Some(several) => ready!(Pin::new(&mut *peer).poll_write_vectored(cx, several))?,
                None => 0,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *progress = true;
            self.unsent = peer.holds_bytes();
            self.out.advance(written);
        }
        if self.unsent {
            ready!(Pin::new(peer).poll_flush(cx))?;
            self.unsent = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Takes out what has been read and the session has not taken.
    pub(super) fn take_unread(&mut self, budget: &Budget) -> Buffer {
        self.buffer.consume(self.at);
        self.at = 0;
        self.want = 1;
        self.fresh = false;
        std::mem::replace(&mut self.buffer, Buffer::new(budget.clone()))
    }

    /// Gives back what is no longer needed when nothing is under way.
    pub(super) fn rest(&mut self) {
        if self.out.is_empty() && !self.fresh {
            self.buffer.consume(self.at);
            self.at = 0;
            self.buffer.release();
        }
    }
}
