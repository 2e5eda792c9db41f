//! One task that owns a client's socket, the database's socket and the session between them.
//!
//! Every frame of a read is processed before one gathering write per direction. Ranges in an outbox point into the
//! buffer of the other peer; that buffer is refilled only when the outbox is empty, which is also the back-pressure:
//! a peer that does not read is not read for. A write never holds up a read of the other direction.

use crate::buffer::{Budget, Buffer};
use acra_engine::session::{
    Answer, Ask, ClientError, Cx, Effect, Event, Input, Output, Session, Side, Step,
};
use acra_engine::wire::outbox::Outbox;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

/// Segments in one gathering write.
const GATHER: usize = 16;

/// What a session needs from its process.
pub trait Services: Send + Sync {
    /// Opens a connection to the database; the error text is shown to the client.
    fn dial(&self) -> impl Future<Output = Result<TcpStream, String>> + Send;
    /// Answers a session's ask.
    fn answer(&self, ask: Ask) -> impl Future<Output = Answer> + Send + 'static;
    /// Takes note of an event.
    fn event(&self, event: Event);
    /// The time, if it matters to [`Services::handled`].
    fn clock(&self) -> Option<Instant> {
        None
    }
    /// Takes note that what one read brought from a side, begun at `since`, has been through the session.
    fn handled(&self, from: Side, since: Instant) {
        let _ = (from, since);
    }
}

/// How a session ended.
#[derive(Debug)]
pub enum End {
    /// By the protocol, or because a peer closed.
    Closed,
    /// The client's socket failed.
    Client(io::Error),
    /// The database's socket failed.
    Server(io::Error),
    /// The database could not be reached.
    NotDialled,
}

type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One direction: what a peer sends, and what it is turned into.
struct Direction {
    buffer: Buffer,
    /// First byte that the session has not taken.
    at: usize,
    /// Number of bytes that the session wants at once, counted from `at`.
    want: usize,
    /// Goes to the other peer.
    out: Outbox,
    /// An ask of the session that has not been answered.
    pending: Option<Pending>,
    /// The session takes nothing before the other direction has moved.
    blocked: bool,
    /// The session has not seen everything in the buffer.
    fresh: bool,
    ended: bool,
}

impl Direction {
    fn new(budget: &Budget) -> Self {
        Self {
            buffer: Buffer::new(budget.clone()),
            at: 0,
            want: 1,
            out: Outbox::new(),
            pending: None,
            blocked: false,
            fresh: false,
            ended: false,
        }
    }

    /// Whether reading more would help, and is possible.
    fn wants_bytes(&self) -> bool {
        !self.ended && !self.fresh && !self.blocked && self.pending.is_none() && self.out.is_empty()
    }

    /// Reads once. True: something has changed.
    fn poll_read(&mut self, socket: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(socket.poll_read_ready(cx))?;
        self.buffer.consume(self.at);
        self.at = 0;
        self.buffer.grow(self.want)?;
        let mut space = ReadBuf::new(self.buffer.space());
        let outcome = Pin::new(socket).poll_read(cx, &mut space);
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

    /// Gives back what is no longer needed when nothing is under way.
    fn rest(&mut self) {
        if self.out.is_empty() && !self.fresh {
            self.buffer.consume(self.at);
            self.at = 0;
            self.buffer.release();
        }
    }
}

/// Writes what `out` holds, whose ranges lie in `buffer`.
fn poll_flush(
    out: &mut Outbox,
    buffer: &Buffer,
    socket: &mut TcpStream,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !out.is_empty() {
        let mut slices = [IoSlice::new(&[]); GATHER];
        let count = out.slices(buffer.filled(), &mut slices);
        let written = match slices.get(..count) {
            Some([one]) => ready!(Pin::new(&mut *socket).poll_write(cx, one))?,
            Some(several) => ready!(Pin::new(&mut *socket).poll_write_vectored(cx, several))?,
            None => 0,
        };
        if written == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        out.advance(written);
    }
    Poll::Ready(Ok(()))
}

/// What the poll loop hands back to the async part.
enum Halt {
    Dial,
    Cancel(Vec<u8>),
    End(End),
}

struct Pump<S> {
    session: S,
    client: TcpStream,
    server: Option<TcpStream>,
    from_client: Direction,
    from_server: Direction,
    events: Vec<Event>,
    closing: bool,
}

/// Runs a session until it ends. Both sockets are closed on return.
pub async fn pump<S: Session>(
    client: TcpStream,
    session: S,
    services: &impl Services,
    budget: &Budget,
) -> End {
    let mut pump = Pump {
        session,
        client,
        server: None,
        from_client: Direction::new(budget),
        from_server: Direction::new(budget),
        events: Vec::new(),
        closing: false,
    };
    loop {
        let halt = poll_fn(|cx| pump.poll(cx, services)).await;
        match halt {
            Halt::End(end) => return end,
            Halt::Cancel(packet) => return pump.cancel(packet, services).await,
            Halt::Dial => {
                let dialled = services.dial().await;
                let outcome = dialled.map(|socket| pump.server = Some(socket));
                pump.closing = outcome.is_err();
                pump.with_output(|session, out| session.server_dialled(outcome, out));
                pump.from_client.fresh = true;
            }
        }
    }
}

impl<S: Session> Pump<S> {
    fn with_output(&mut self, call: impl FnOnce(&mut S, &mut Output<'_>)) {
        let mut out = Output {
            to_client: &mut self.from_server.out,
            to_server: &mut self.from_client.out,
        };
        call(&mut self.session, &mut out);
    }

    fn poll(&mut self, cx: &mut Context<'_>, services: &impl Services) -> Poll<Halt> {
        loop {
            let mut moved = self.answer(cx);
            moved |= match self.run(services) {
                Ok(moved) => moved,
                Err(halt) => return Poll::Ready(halt),
            };
            if let Some(server) = &mut self.server
                && !self.from_client.out.is_empty()
            {
                match poll_flush(
                    &mut self.from_client.out,
                    &self.from_client.buffer,
                    server,
                    cx,
                ) {
                    Poll::Ready(Ok(())) => moved = true,
                    // Its last words may still be readable.
                    Poll::Ready(Err(error)) if self.from_server.ended => {
                        return Poll::Ready(Halt::End(End::Server(error)));
                    }
                    Poll::Ready(Err(_)) => {
                        let waiting = self.from_client.out.len();
                        self.from_client.out.advance(waiting);
                        self.from_client.ended = true;
                        moved = true;
                    }
                    Poll::Pending => {}
                }
            }
            if !self.from_server.out.is_empty() {
                match poll_flush(
                    &mut self.from_server.out,
                    &self.from_server.buffer,
                    &mut self.client,
                    cx,
                ) {
                    Poll::Ready(Ok(())) => moved = true,
                    Poll::Ready(Err(error)) => return Poll::Ready(Halt::End(End::Client(error))),
                    Poll::Pending => {}
                }
            }
            if self.closing && self.from_server.out.is_empty() {
                let end = if self.server.is_some() {
                    End::Closed
                } else {
                    End::NotDialled
                };
                return Poll::Ready(Halt::End(end));
            }
            match self.read(cx, services) {
                Ok(read) => moved |= read,
                Err(halt) => return Poll::Ready(halt),
            }
            if !moved {
                self.from_client.rest();
                self.from_server.rest();
                return Poll::Pending;
            }
        }
    }

    /// Reads from both sides where more bytes would help.
    fn read(&mut self, cx: &mut Context<'_>, services: &impl Services) -> Result<bool, Halt> {
        let mut moved = false;
        if self.from_client.wants_bytes() && !self.closing {
            match self.from_client.poll_read(&mut self.client, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::OutOfMemory => {
                    self.out_of_memory();
                    return Ok(true);
                }
                Poll::Ready(Err(error)) => return Err(Halt::End(End::Client(error))),
                Poll::Pending => {}
            }
        }
        if let Some(server) = &mut self.server
            && self.from_server.wants_bytes()
        {
            match self.from_server.poll_read(server, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::OutOfMemory => {
                    self.out_of_memory();
                    return Ok(true);
                }
                Poll::Ready(Err(_)) => {
                    self.from_server.ended = true;
                    moved = true;
                }
                Poll::Pending => {}
            }
        }
        if self.from_client.ended && self.from_client.out.is_empty() && !self.closing {
            // Whoever has gone is not waited for; the server notices when the socket closes.
            return Err(Halt::End(End::Closed));
        }
        if self.from_server.ended && self.from_server.out.is_empty() && !self.closing {
            let (session, events) = (&mut self.session, &mut self.events);
            let mut out = Output {
                to_client: &mut self.from_server.out,
                to_server: &mut self.from_client.out,
            };
            session.server_closed(
                &mut out,
                &mut Cx {
                    rng: &mut rand::rng(),
                    events,
                },
            );
            self.report(services);
            self.closing = true;
            moved = true;
        }
        Ok(moved)
    }

    fn out_of_memory(&mut self) {
        let error = ClientError::fatal(
            "53200",
            "message too large for the memory that acra-server may use for buffers",
        );
        self.with_output(|session, out| session.abort(error, out));
        self.closing = true;
    }

    /// Lets answers that have arrived go on where they are awaited.
    fn answer(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        for direction in [&mut self.from_client, &mut self.from_server] {
            if let Some(pending) = &mut direction.pending
                && let Poll::Ready(answer) = pending.as_mut().poll(cx)
            {
                self.session.resume(answer);
                direction.pending = None;
                direction.fresh = true;
                moved = true;
            }
        }
        moved
    }

    /// Gives the session what it has not seen.
    fn run(&mut self, services: &impl Services) -> Result<bool, Halt> {
        let mut moved = false;
        // An answer of the server may be what the other side is blocked for.
        moved |= self.step(Source::Server, services)?;
        if moved && self.from_client.blocked {
            self.from_client.blocked = false;
            self.from_client.fresh = true;
        }
        moved |= self.step(Source::Client, services)?;
        Ok(moved)
    }

    fn step(&mut self, source: Source, services: &impl Services) -> Result<bool, Halt> {
        let (direction, other) = match source {
            Source::Client => (&mut self.from_client, &mut self.from_server),
            Source::Server => (&mut self.from_server, &mut self.from_client),
        };
        if !direction.fresh
            || direction.pending.is_some()
            || !direction.out.is_empty()
            || self.closing
        {
            return Ok(false);
        }
        direction.fresh = false;
        let mut input = Input {
            bytes: direction.buffer.filled_mut(),
            at: direction.at,
        };
        let mut rng = rand::rng();
        let mut cx = Cx {
            rng: &mut rng,
            events: &mut self.events,
        };
        let since = services.clock();
        let step = match source {
            Source::Client => {
                let mut out = Output {
                    to_client: &mut other.out,
                    to_server: &mut direction.out,
                };
                self.session.from_client(&mut input, &mut out, &mut cx)
            }
            Source::Server => {
                let mut out = Output {
                    to_client: &mut direction.out,
                    to_server: &mut other.out,
                };
                self.session.from_server(&mut input, &mut out, &mut cx)
            }
        };
        direction.at = input.at;
        if let Some(since) = since {
            services.handled(source.side(), since);
        }
        match step {
            Step::NeedMore { want } => direction.want = want,
            Step::Blocked => direction.blocked = true,
            Step::Ask(ask) => direction.pending = Some(Box::pin(services.answer(ask))),
            Step::Do(Effect::DialServer) => return Err(Halt::Dial),
            Step::Do(Effect::CancelUpstream(packet)) => return Err(Halt::Cancel(packet)),
            Step::Do(Effect::Close) => self.closing = true,
        }
        self.report(services);
        Ok(true)
    }

    fn report(&mut self, services: &impl Services) {
        for event in self.events.drain(..) {
            services.event(event);
        }
    }

    /// Sends a CancelRequest on a connection of its own and closes ours after the server has closed it: that tells
    /// the client that the request was processed.
    async fn cancel(self, packet: Vec<u8>, services: &impl Services) -> End {
        let Ok(mut socket) = services.dial().await else {
            return End::NotDialled;
        };
        if let Err(error) = socket.write_all(&packet).await {
            return End::Server(error);
        }
        let mut nothing = [0; 16];
        match tokio::io::AsyncReadExt::read(&mut socket, &mut nothing).await {
            Ok(_) => End::Closed,
            Err(error) => End::Server(error),
        }
    }
}

#[derive(Clone, Copy)]
enum Source {
    Client,
    Server,
}

impl Source {
    fn side(self) -> Side {
        match self {
            Self::Client => Side::Client,
            Self::Server => Side::Server,
        }
    }
}
