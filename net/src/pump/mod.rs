//! One task that owns a client's socket, the database's socket and the session between them.
//!
//! Every frame of a read is processed before one gathering write per direction. Ranges in an outbox point into the
//! buffer of the other peer; that buffer is refilled only when the outbox is empty, which is also the back-pressure:
//! a peer that does not read is not read for. A write never holds up a read of the other direction.
//!
//! `change` makes connections and changes them in the middle of a session, `ending` ends one from outside.

mod change;
mod direction;
mod ending;
mod services;
mod timer;

pub use services::{End, SecuredClient, Services, Terms};
pub use timer::TimeLimits;

use crate::buffer::Budget;
use crate::lifecycle::{Lifecycle, Seat};
use crate::transport::Transport;
use acra_engine::session::{Answer, Cx, Effect, Event, Input, Output, Session, Side, Step};
use change::Change;
use direction::Direction;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use timer::Timer;

type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// What the poll loop hands back to the async part.
enum Halt {
    Dial,
    SecureClient,
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
            Halt::Dial => Box::pin(pump.dial(services)).await,
            Halt::SecureClient => {
                let secured = Box::pin(pump.secure_client(services)).await;
                if let Err(error) = secured {
                    return End::NotSecured(error);
                }
            }
            Halt::SecureServer => Box::pin(pump.secure_server(services)).await,
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
                    return Poll::Ready(Halt::SecureClient);
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
        moved |= self.step(Side::Server, services)?;
        if moved && self.from_client.blocked {
            self.from_client.blocked = false;
            self.from_client.fresh = true;
        }
        moved |= self.step(Side::Client, services)?;
        Ok(moved)
    }

    fn step(&mut self, side: Side, services: &impl Services<S>) -> Result<bool, Halt> {
        let (direction, other) = match side {
            Side::Client => (&mut self.from_client, &mut self.from_server),
            Side::Server => (&mut self.from_server, &mut self.from_client),
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
        let step = match side {
            Side::Client => {
                let mut out = Output {
                    to_client: &mut other.out,
                    to_server: &mut direction.out,
                };
                self.session.from_client(&mut input, &mut out, &mut cx)
            }
            Side::Server => {
                let mut out = Output {
                    to_client: &mut direction.out,
                    to_server: &mut other.out,
                };
                self.session.from_server(&mut input, &mut out, &mut cx)
            }
        };
        direction.at = input.at;
        if let Some(since) = since {
            services.handled(side, since);
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
}
