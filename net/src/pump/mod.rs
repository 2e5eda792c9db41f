//! One task that owns a client's socket, the database's socket and the session between them.
//!
//! Every frame of a read is processed before one gathering write per direction. Ranges in an outbox point into the
//! buffer of the other peer; that buffer is refilled only when the outbox is empty, which is also the back-pressure:
//! a peer that does not read is not read for. A write never holds up a read of the other direction.

mod direction;
mod timer;

pub use timer::TimeLimits;

use crate::buffer::Budget;
use crate::compressed::Compressed;
use crate::lifecycle::{Lifecycle, Seat, State};
use crate::transport::Transport;
use acra_engine::keys::ClientId;
use acra_engine::session::{
    Activity, Answer, Ask, ClientError, Cx, Effect, Event, Input, Output, Session, Side, Step,
};
use acra_engine::wire::mysql::compressed::{Algorithm, Fault, Role};
use direction::Direction;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;
use timer::{Limit, Timer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// What a session needs from its process.
pub trait Services<S>: Send + Sync {
    /// Opens a connection to the database; `encrypted` says whether the client's is. The error text is shown to the
    /// client.
    fn dial(&self, encrypted: bool) -> impl Future<Output = Result<Transport, String>> + Send;
    /// Does the TLS handshake with the client, which has been promised it and may have sent the first bytes of it already;
    /// the error text is for the log.
    fn secure(
        &self,
        client: Transport,
        unread: Vec<u8>,
    ) -> impl Future<Output = Result<SecuredClient, String>> + Send;
    /// Does the TLS handshake with the database, which has been asked for it by the session; the error text is shown to the
    /// client.
    fn secure_server(
        &self,
        server: Transport,
    ) -> impl Future<Output = Result<Transport, String>> + Send;
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
    /// Brings a session up to date if there is something newer than `seen`.
    fn refresh(&self, session: &mut S, seen: &mut u64);
}

/// A client inside TLS.
#[derive(Debug)]
pub struct SecuredClient {
    /// Its connection.
    pub transport: Transport,
    /// The client id that its certificate stands for, if it is to have one, or what it is told instead.
    pub client_id: Result<Option<ClientId>, ClientError>,
}

/// What all pumps of a process share.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Memory for buffers.
    pub budget: Budget,
    /// Time limits of a session.
    pub limits: TimeLimits,
    /// The end of the process.
    pub lifecycle: Lifecycle,
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
    /// The TLS handshake with the client failed.
    NotSecured(String),
    /// A time limit has passed, or the process ends.
    Ended(&'static str),
}

type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How connections change in the middle of a session.
#[derive(Clone, Copy)]
enum Change {
    /// This side does a TLS handshake.
    Secure(Side),
    /// These are compressed.
    Compress {
        client: Option<Algorithm>,
        server: Option<Algorithm>,
    },
}

/// What the poll loop hands back to the async part.
enum Halt {
    Dial,
    Secure,
    SecureServer,
    Cancel(Vec<u8>),
    End(End),
}

struct Pump<S> {
    session: S,
    client: Transport,
    server: Option<Transport>,
    from_client: Direction,
    from_server: Direction,
    events: Vec<Event>,
    timer: Timer,
    lifecycle: Lifecycle,
    budget: Budget,
    seat: Option<Seat>,
    /// State of the process's configuration that the session has.
    seen: u64,
    /// A connection changes once everything is written.
    change: Option<Change>,
    /// Nothing more is taken; the connections close when what is left has been written.
    closing: Option<End>,
}

/// Runs a session until it ends. Both connections are closed on return.
pub async fn pump<S: Session>(
    client: Transport,
    session: S,
    services: &impl Services<S>,
    terms: &Terms,
) -> End {
    let mut pump = Pump {
        session,
        client,
        server: None,
        from_client: Direction::new(&terms.budget),
        from_server: Direction::new(&terms.budget),
        events: Vec::new(),
        timer: Timer::new(terms.limits),
        lifecycle: terms.lifecycle.clone(),
        budget: terms.budget.clone(),
        seat: None,
        seen: 0,
        change: None,
        closing: None,
    };
    // A session may have something to do before the client has said anything.
    pump.from_client.fresh = true;
    loop {
        match poll_fn(|cx| pump.poll(cx, services)).await {
            Halt::End(end) => return end,
            // Boxed, like what follows: a session does not carry room for what happens once, or never.
            Halt::Cancel(packet) => return Box::pin(pump.cancel(packet, services)).await,
            Halt::Dial => {
                let outcome = Box::pin(services.dial(pump.client.is_encrypted())).await;
                let outcome = outcome.map(|connection| pump.server = Some(connection));
                if outcome.is_err() {
                    pump.closing = Some(End::NotDialled);
                }
                pump.with_output(|session, out| session.server_dialled(outcome, out));
                pump.from_client.fresh = true;
            }
            Halt::Secure => {
                pump.change = None;
                let client = std::mem::replace(&mut pump.client, Transport::Gone);
                let unread = pump.from_client.take_unread(&terms.budget);
                let unread = unread.filled().to_vec();
                match Box::pin(services.secure(client, unread)).await {
                    Ok(SecuredClient {
                        transport,
                        client_id,
                    }) => {
                        pump.client = transport;
                        pump.session.client_secured(client_id);
                    }
                    Err(error) => return End::NotSecured(error),
                }
            }
            Halt::SecureServer => {
                pump.change = None;
                let outcome = match pump.server.take() {
                    // It may have been put there by somebody between us (CVE-2021-23214).
                    _ if !pump
                        .from_server
                        .take_unread(&terms.budget)
                        .filled()
                        .is_empty() =>
                    {
                        Err("it sent something before the TLS handshake".to_owned())
                    }
                    None => Err("it is gone".to_owned()),
                    Some(server) => Box::pin(services.secure_server(server)).await,
                };
                let outcome = outcome.map(|connection| pump.server = Some(connection));
                if outcome.is_err() {
                    pump.closing = Some(End::NotDialled);
                }
                pump.with_output(|session, out| session.server_secured(outcome, out));
                pump.from_client.blocked = false;
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

    fn poll(&mut self, cx: &mut Context<'_>, services: &impl Services<S>) -> Poll<Halt> {
        if self.seat.is_none() {
            self.seat = Some(self.lifecycle.enter(cx.waker()));
        }
        services.refresh(&mut self.session, &mut self.seen);
        let mut progress = false;
        loop {
            let mut moved = self.answer(cx);
            moved |= match self.run(services) {
                Ok(moved) => moved,
                Err(halt) => return Poll::Ready(halt),
            };
            moved |= match self.write(&mut progress, cx) {
                Ok(moved) => moved,
                Err(halt) => return Poll::Ready(halt),
            };
            if self.from_server.is_written() {
                if let Some(end) = self.closing.take() {
                    return Poll::Ready(Halt::End(end));
                }
                if let Some(Change::Secure(Side::Client)) = self.change {
                    return Poll::Ready(Halt::Secure);
                }
            }
            if self.from_client.is_written() {
                match self.change {
                    Some(Change::Secure(Side::Server)) => {
                        return Poll::Ready(Halt::SecureServer);
                    }
                    Some(Change::Compress { client, server }) if self.from_server.is_written() => {
                        self.compress(client, server);
                    }
                    _ => {}
                }
            }
            let read = match self.read(cx, services) {
                Ok(moved) => moved,
                Err(halt) => return Poll::Ready(halt),
            };
            let again = read
                || (moved && self.has_more_to_do())
                || match self.end_in_time(progress, cx) {
                    Ok(more) => more,
                    Err(halt) => return Poll::Ready(halt),
                };
            if !again {
                self.from_client.rest();
                self.from_server.rest();
                return Poll::Pending;
            }
        }
    }

    /// Whether another turn would find something to do after one that has read nothing: both sockets have been asked, and
    /// wake the task when they have more.
    fn has_more_to_do(&self) -> bool {
        let waits = |direction: &Direction| direction.fresh || direction.pending.is_some();
        waits(&self.from_client)
            || waits(&self.from_server)
            || self.closing.is_some()
            || self.change.is_some()
    }

    /// Writes to both sides. True: all that there was for one of them has been written.
    fn write(&mut self, progress: &mut bool, cx: &mut Context<'_>) -> Result<bool, Halt> {
        let mut moved = false;
        if let Some(server) = &mut self.server
            && !self.from_client.is_written()
        {
            match self.from_client.poll_write(server, progress, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) if self.from_server.ended => {
                    return Err(Halt::End(End::Server(error)));
                }
                // Its last words may still be readable, and are the client's due.
                Poll::Ready(Err(_)) => {
                    self.from_client.give_up();
                    moved = true;
                }
                Poll::Pending => {}
            }
        }
        if !self.from_server.is_written() {
            match self.from_server.poll_write(&mut self.client, progress, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) => return Err(Halt::End(End::Client(error))),
                Poll::Pending => {}
            }
        }
        Ok(moved)
    }

    /// Ends the session if the process does or a time limit has passed. True: there are last words to write.
    fn end_in_time(&mut self, progress: bool, cx: &mut Context<'_>) -> Result<bool, Halt> {
        let activity = self.session.activity();
        let ends = match self.lifecycle.state() {
            State::Running => false,
            State::Draining => matches!(activity, Activity::Idle | Activity::Starting),
            State::Ending => true,
        };
        if ends && self.closing.is_none() {
            let message = "terminating connection due to administrator command";
            self.last_words(ClientError::fatal("57P01", message), "the process ends");
            return Ok(true);
        }
        let limit = match activity {
            // A database may take its time, for instance with a lock in the way of a COPY.
            _ if !self.from_server.is_written() => Some(Limit::Write),
            Activity::Starting => Some(Limit::Startup),
            Activity::Idle => Some(Limit::Idle),
            Activity::IdleInTransaction | Activity::Busy => None,
        };
        match self.timer.poll(limit, progress, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Limit::Write) => Err(Halt::End(End::Ended(
                "the client does not take what is sent",
            ))),
            Poll::Ready(Limit::Startup) => {
                let error = ClientError::fatal("57014", "canceling authentication due to timeout");
                self.last_words(error, "startup took too long");
                Ok(true)
            }
            Poll::Ready(Limit::Idle) => {
                let error = ClientError::fatal(
                    "57P05",
                    "terminating connection due to idle-session timeout",
                );
                self.last_words(error, "the session was idle for too long");
                Ok(true)
            }
        }
    }

    fn last_words(&mut self, error: ClientError, why: &'static str) {
        self.with_output(|session, out| session.abort(error, out));
        self.closing = Some(End::Ended(why));
    }

    /// Reads from both sides where more bytes would help.
    fn read(&mut self, cx: &mut Context<'_>, services: &impl Services<S>) -> Result<bool, Halt> {
        let mut moved = false;
        if self.closing.is_some() || self.change.is_some() {
            return Ok(false);
        }
        if self.from_client.wants_bytes() {
            match self.from_client.poll_read(&mut self.client, cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(error)) if self.has_last_words(Side::Client, &error, services) => {
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
                Poll::Ready(Err(error)) if self.has_last_words(Side::Server, &error, services) => {
                    return Ok(true);
                }
                Poll::Ready(Err(_)) => {
                    self.from_server.ended = true;
                    moved = true;
                }
                Poll::Pending => {}
            }
        }
        if self.from_client.ended && self.from_client.is_written() {
            // Whoever has gone is not waited for; the server notices when the connection closes.
            return Err(Halt::End(End::Closed));
        }
        if self.from_server.ended && self.from_server.is_written() {
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
            self.closing = Some(End::Closed);
            moved = true;
        }
        Ok(moved)
    }

    /// Ends the session for a failure of reading that the client can be told of.
    fn has_last_words(
        &mut self,
        from: Side,
        error: &io::Error,
        services: &impl Services<S>,
    ) -> bool {
        let fault = error
            .get_ref()
            .and_then(|error| error.downcast_ref::<Fault>());
        if error.kind() == io::ErrorKind::OutOfMemory {
            let error = ClientError::fatal(
                "53200",
                "message too large for the memory that acra-server may use for buffers",
            );
            self.last_words(error, "out of memory for buffers");
        } else if let Some(fault) = fault {
            services.event(Event::Protocol {
                side: from,
                expected: fault.expected(),
            });
            let error = ClientError::malformed(from, fault.expected());
            self.last_words(error, "a compressed packet is malformed");
        } else {
            return false;
        }
        true
    }

    /// Compresses connections; what has been read of them is compressed already.
    fn compress(&mut self, client: Option<Algorithm>, server: Option<Algorithm>) {
        self.change = None;
        let budget = &self.budget;
        let wrap = |transport, direction: &mut Direction, algorithm, role| {
            let unread = direction.take_unread(budget);
            let compressed = Compressed::new(transport, unread, algorithm, role, budget);
            Transport::Compressed(Box::new(compressed))
        };
        if let Some(algorithm) = client {
            let transport = std::mem::replace(&mut self.client, Transport::Gone);
            self.client = wrap(transport, &mut self.from_client, algorithm, Role::Server);
        }
        if let (Some(algorithm), Some(server)) = (server, &mut self.server) {
            let transport = std::mem::replace(server, Transport::Gone);
            *server = wrap(transport, &mut self.from_server, algorithm, Role::Client);
        }
        // Of a side that stays as it is, the session has not seen all yet.
        self.from_server.fresh = server.is_none();
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
    fn run(&mut self, services: &impl Services<S>) -> Result<bool, Halt> {
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

    fn step(&mut self, source: Source, services: &impl Services<S>) -> Result<bool, Halt> {
        let (direction, other) = match source {
            Source::Client => (&mut self.from_client, &mut self.from_server),
            Source::Server => (&mut self.from_server, &mut self.from_client),
        };
        if !direction.fresh
            || direction.pending.is_some()
            || !direction.is_written()
            || self.closing.is_some()
            || self.change.is_some()
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
        let since = services.clock().filter(|_| !input.bytes.is_empty());
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
            Step::Do(Effect::SecureClient) => self.change = Some(Change::Secure(Side::Client)),
            Step::Do(Effect::SecureServer) => self.change = Some(Change::Secure(Side::Server)),
            Step::Do(Effect::Compress { client, server }) => {
                self.change = Some(Change::Compress { client, server });
            }
            Step::Do(Effect::Close) => self.closing = Some(End::Closed),
        }
        self.report(services);
        Ok(true)
    }

    fn report(&mut self, services: &impl Services<S>) {
        for event in self.events.drain(..) {
            services.event(event);
        }
    }

    /// Sends a CancelRequest on a connection of its own and closes ours after the server has closed it: that tells
    /// the client that the request was processed.
    async fn cancel(self, packet: Vec<u8>, services: &impl Services<S>) -> End {
        let Ok(mut socket) = services.dial(self.client.is_encrypted()).await else {
            return End::NotDialled;
        };
        let sent = async {
            socket.write_all(&packet).await?;
            socket.flush().await
        };
        if let Err(error) = sent.await {
            return End::Server(error);
        }
        match socket.read(&mut [0; 16]).await {
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
