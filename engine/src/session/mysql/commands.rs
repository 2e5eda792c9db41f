//! What the client sends once it has been let in (mysql.md 6).

use super::MySqlSession;
use super::auth::{Auth, MAX_AUTH, Purpose};
use super::connect::{out_of_order, whole};
use super::ledger::{Awaited, PrepareStep, ResultStep, Results};
use super::packets::{Numbers, Progress, forward};
use super::statements::{Judged, Payload, too_many_statements};
use crate::session::ending::Ending;
use crate::session::stop::Stop;
use crate::session::{ClientError, Cx, Event, Input, Output, Side, Step};
use crate::wire::mysql::bulk;
use crate::wire::mysql::packet::{HEADER, Header};
use crate::wire::mysql::row::RowFormat;
use crate::wire::mysql::{Command, Message, Scan, change_user, scan, write_message};

/// First byte of a message by which a replica says what it has (MySQL documentation, "Semisynchronous Replication").
const REPLICA_ACK: u8 = 0xef;

/// The command's byte, the number of a statement, and the flags of an execution in bulk.
const STATEMENT_HEAD: usize = 7;

impl MySqlSession {
    pub(super) fn client_messages(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Step {
        loop {
            match self.pass_command(input, out) {
                Progress::Done => self.local_errors(out),
                Progress::Wants(want) => return Step::NeedMore { want },
                Progress::OutOfOrder => return self.close(out_of_order(), out),
            }
            if self.ledger.len() >= self.context.limits.max_in_flight {
                return Step::Blocked;
            }
            let step = match self.ledger.head().map(|entry| &entry.awaited) {
                Some(Awaited::Auth(_)) => self.auth_answer(input, out, cx),
                Some(Awaited::Results(Results {
                    step: ResultStep::File,
                    ..
                })) => self.file_data(input, out, cx),
                _ => self.command(input, out, cx),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Passes the message that the client is sending, and keeps count of its packets.
    fn pass_command(&mut self, input: &mut Input<'_>, out: &mut Output<'_>) -> Progress {
        if !self.from_client.is_under_way() {
            return Progress::Done;
        }
        // The client's own count is that of the next packet to it, too.
        let numbers = match self.ledger.last() {
            Some(entry) if self.from_client.is_answered() => &mut entry.numbers,
            _ => &mut self.command,
        };
        let Numbers { client, server } = numbers;
        let strict = self.compressed.counts_packets();
        self.from_client
            .go_on(input, out.to_server, client, server, strict)
    }

    /// A piece of the file that the server has asked for; an empty one ends it.
    fn file_data(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        if self.loads() {
            return self.load_data(input, out, cx);
        }
        let Some(header) = Header::read(input.bytes, input.at) else {
            return Some(Step::NeedMore { want: HEADER });
        };
        if header.length == 0
            && let Some(entry) = self.ledger.head()
            && let Awaited::Results(results) = &mut entry.awaited
        {
            results.step = ResultStep::Head;
        }
        self.from_client.pass(true);
        None
    }

    /// Takes the start of a command; the rest of it passes.
    fn command(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let Some(header) = Header::read(input.bytes, input.at) else {
            return Some(Step::NeedMore { want: HEADER });
        };
        if header.sequence != 0 && self.compressed.counts_packets() && !self.is_replica() {
            return Some(self.close(out_of_order(), out));
        }
        let there = input.bytes.get(input.at + HEADER..).unwrap_or_default();
        let head = header.length.min(STATEMENT_HEAD);
        let Some(start) = there.get(..head) else {
            return Some(Step::NeedMore {
                want: HEADER + head,
            });
        };
        let command = start.first().copied();
        if self.ledger.has_barrier() && command != Some(0x01) {
            if self.is_replica() && command == Some(REPLICA_ACK) {
                self.send(None, header.sequence);
                return None;
            }
            return Some(Step::Blocked);
        }
        let command = command.and_then(Command::from_byte);
        let reads = self.protects() || self.context.client_id_variable.is_some();
        if reads && command.is_some_and(has_values) {
            return self.judged(command?, input, out, cx);
        }
        let mut text = None;
        if let Some(command) = command
            && self.may_be_told(command, header.length)
        {
            let Some(payload) = there.get(..header.length) else {
                return Some(Step::NeedMore {
                    want: HEADER + header.length,
                });
            };
            text = self.kept_text(command, payload);
        }
        match self.awaited(command, start) {
            Expects::Answer(awaited) => {
                self.send(Some(awaited), 0);
                if let Some(entry) = self.ledger.last() {
                    entry.text = text;
                }
            }
            Expects::Nothing => self.send(None, 0),
            Expects::Auth => return self.change_user(input, out, cx),
            Expects::Refuse(code, error) => self.refuse(code, error, cx),
        }
        None
    }

    /// Takes a command that may have values for protected columns, all of which is needed.
    fn judged(
        &mut self,
        command: Command,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let message = match whole(input, self.context.limits.max_message) {
            Ok(message) => message,
            Err(Some(want)) => return Some(Step::NeedMore { want }),
            Err(None) => return Some(self.close(too_long_or_out_of_order(input), out)),
        };
        let payload = message.payload(input.bytes);
        let text = self.kept_text(command, &payload);
        let mut outcome = self.outcome(command, &payload, cx);
        if let Err(stop) = &outcome
            && self.measures_again(stop)
        {
            outcome = self.outcome(command, &payload, cx);
        }
        match outcome {
            Ok(judged) => self.send_judged(judged, text, &message, input, out),
            Err(Stop::Ask(ask)) => return Some(Step::Ask(ask)),
            Err(Stop::Wait) => {
                if let Some(question) = self.asks.take() {
                    self.ask_database(question, out);
                }
                return Some(Step::Blocked);
            }
            Err(Stop::Malformed(expected)) => {
                return Some(self.violation(Side::Client, expected, out, cx));
            }
            Err(Stop::Refuse(code, error)) => self.refuse(code, error, cx),
        }
        self.openings.tokens = None;
        self.measuring = false;
        None
    }

    /// What becomes of a command that is planned.
    fn outcome(
        &mut self,
        command: Command,
        payload: &[u8],
        cx: &mut Cx<'_>,
    ) -> Result<Judged, Stop> {
        if self.measuring {
            // A statement that was prepared before is not planned again.
            self.knows_schema()?;
        }
        match command {
            Command::StmtPrepare if !self.registry.has_room(self.context.limits.max_registry) => {
                Err(Stop::Refuse("too-many-names", too_many_statements()))
            }
            Command::StmtPrepare => self.prepare(payload, cx),
            Command::StmtExecute => self.execute(payload, cx),
            Command::StmtBulkExecute => self.bulk(payload, cx),
            Command::StmtSendLongData => self.long_data(payload),
            _ => self.query(payload, cx),
        }
    }

    /// Sends what has become of a command, all of which is there.
    fn send_judged(
        &mut self,
        judged: Judged,
        text: Option<Box<[u8]>>,
        message: &Message,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
    ) {
        let mut number = 0;
        match judged.payload {
            Payload::Same => forward(message, input, out.to_server, &mut number),
            Payload::New(payload) => {
                let mut packets = Vec::with_capacity(payload.len() + HEADER);
                write_message(&mut packets, &mut number, &payload);
                out.to_server.push(packets);
            }
            Payload::Dropped => {}
        }
        input.at = message.range.end;
        if let Some(awaited) = judged.awaited {
            let numbers = Numbers {
                client: message.next_number(),
                server: number,
            };
            self.ledger.push(awaited, numbers);
            self.ledger.note(|entry| {
                entry.redefines = judged.redefines;
                entry.choices = judged.choices;
                entry.names = judged.names;
                entry.stored = judged.stored;
                entry.text = text;
            });
        }
    }

    /// The message at the front of the input passes; its first packet has this number.
    fn send(&mut self, awaited: Option<Awaited>, number: u8) {
        let numbers = Numbers {
            client: number,
            server: number,
        };
        self.from_client.pass(awaited.is_some());
        match awaited {
            Some(awaited) => self.ledger.push(awaited, numbers),
            None => self.command = numbers,
        }
    }

    /// The message at the front of the input is dropped, and the client gets this error when it is its turn; the code is the
    /// anchor in docs/errors.md.
    fn refuse(&mut self, code: &'static str, error: ClientError, cx: &mut Cx<'_>) {
        cx.events.push(Event::refused(code, &error));
        self.from_client.drop();
        self.ledger
            .push(Awaited::Local(Box::new(error)), Numbers::default());
    }

    /// Another user: authentication begins anew.
    fn change_user(
        &mut self,
        input: &mut Input<'_>,
        out: &mut Output<'_>,
        cx: &mut Cx<'_>,
    ) -> Option<Step> {
        let message = match whole(input, MAX_AUTH) {
            Ok(message) => message,
            Err(Some(want)) => return Some(Step::NeedMore { want }),
            Err(None) => return Some(self.violation(Side::Client, "COM_CHANGE_USER", out, cx)),
        };
        let payload = message.payload(input.bytes);
        let plugin = match change_user::plugin(&payload, self.capabilities) {
            Ok(plugin) => plugin.unwrap_or_default().to_vec(),
            Err(malformed) => return Some(self.violation(Side::Client, malformed.0, out, cx)),
        };
        let user = change_user::user(&payload).unwrap_or_default().into();
        self.settings_changed();
        // Servers send another scramble; should one not, it means the one before.
        let auth = Auth::new(
            Purpose::ChangeUser,
            user,
            plugin,
            self.scramble.to_vec(),
            self.leg(),
        );
        self.send(Some(Awaited::Auth(Box::new(auth))), 0);
        None
    }

    /// Whether the server tells the client of its changes.
    fn is_replica(&mut self) -> bool {
        let head = self.ledger.head();
        head.is_some_and(|entry| matches!(entry.awaited, Awaited::Binlog))
    }

    /// What a command is answered by.
    fn awaited(&mut self, command: Option<Command>, start: &[u8]) -> Expects {
        let results = |format, statement, step| {
            Expects::Answer(Awaited::Results(Results {
                counts_rows: command == Some(Command::StmtBulkExecute) && bulk::counts_rows(start),
                ..Results::new(format, statement, step)
            }))
        };
        match command {
            None => Expects::Refuse("unknown-command", unknown_command()),
            Some(Command::Quit) => {
                self.ending = true;
                Expects::Nothing
            }
            Some(Command::StmtReset) => {
                if let Some(number) = statement(start) {
                    self.reset_statement(number);
                }
                Expects::Answer(Awaited::Simple)
            }
            Some(Command::Simple) => Expects::Answer(Awaited::Simple),
            Some(Command::InitDb) => {
                self.settings_changed();
                Expects::Answer(Awaited::Simple)
            }
            Some(Command::ResetConnection) => {
                self.settings_changed();
                Expects::Answer(Awaited::Reset)
            }
            Some(Command::Statistics) => Expects::Answer(Awaited::Line),
            Some(Command::FieldList) => Expects::Answer(Awaited::FieldList),
            Some(Command::Query | Command::ProcessInfo) => {
                results(RowFormat::Text, None, ResultStep::Head)
            }
            Some(Command::StmtPrepare)
                if !self.registry.has_room(self.context.limits.max_registry) =>
            {
                Expects::Refuse("too-many-names", too_many_statements())
            }
            Some(Command::StmtPrepare) => {
                let plan = self.planning.planner().passing();
                Expects::Answer(Awaited::Prepare(PrepareStep::Head, plan))
            }
            Some(Command::StmtExecute | Command::StmtBulkExecute) => {
                results(RowFormat::Binary, statement(start), ResultStep::Head)
            }
            Some(Command::StmtFetch) => {
                results(RowFormat::Binary, statement(start), ResultStep::Rows(None))
            }
            Some(Command::StmtSendLongData) => Expects::Nothing,
            Some(Command::StmtClose) => {
                if let Some(number) = statement(start) {
                    self.registry.remove(number);
                }
                Expects::Nothing
            }
            Some(Command::ChangeUser) => Expects::Auth,
            Some(Command::BinlogDump) => Expects::Answer(Awaited::Binlog),
        }
    }
}

/// Whether a command may have values for protected columns, or choose a client.
fn has_values(command: Command) -> bool {
    matches!(
        command,
        Command::Query
            | Command::StmtPrepare
            | Command::StmtExecute
            | Command::StmtBulkExecute
            | Command::StmtSendLongData
    )
}

/// What becomes of a command.
enum Expects {
    /// It passes, and is answered.
    Answer(Awaited),
    /// It passes, and is not.
    Nothing,
    /// It passes, and authentication begins.
    Auth,
    /// It does not.
    Refuse(&'static str, ClientError),
}

/// The number of the statement that a command is about; `None`: it is too short, which the server will say.
fn statement(start: &[u8]) -> Option<u32> {
    let number = start.get(1..)?.first_chunk()?;
    Some(u32::from_le_bytes(*number))
}

/// In the words of the server.
fn unknown_command() -> ClientError {
    ClientError::error("42601", "Unknown command")
}

fn too_long_or_out_of_order(input: &Input<'_>) -> ClientError {
    match scan(input.bytes, input.at) {
        Scan::OutOfOrder => out_of_order(),
        _ => ClientError::fatal(
            "54000",
            "a command is longer than the limit of acra-server for one message",
        ),
    }
}
