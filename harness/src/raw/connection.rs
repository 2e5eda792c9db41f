//! A connection that keeps every answer.

use super::message::{Message, Reply};
use super::{frontend, pattern};
use crate::{Context, Error, Result};
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long to wait for an answer: longer than any statement of a test takes, also on a busy machine.
const ANSWER: Duration = Duration::from_secs(300);

/// A connection to a server, or to what stands before one.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
    transcript: Vec<Reply>,
}

impl Connection {
    /// Connects, and sends nothing.
    pub fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(Self {
            address,
            stream: BufReader::new(stream),
            transcript: Vec::new(),
        })
    }

    /// Where it goes.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every answer so far.
    pub fn transcript(&self) -> &[Reply] {
        &self.transcript
    }

    /// Forgets the answers so far, and gives them.
    pub fn take_transcript(&mut self) -> Vec<Reply> {
        std::mem::take(&mut self.transcript)
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream
            .get_mut()
            .write_all(bytes)
            .context(|| "sending".into())
    }

    /// Sends several messages at once.
    pub fn send_all(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        self.send(&messages.concat())
    }

    /// Sends several messages at once, and reads up to one ReadyForQuery per Sync among them.
    pub fn pipeline(&mut self, messages: &[Vec<u8>]) -> Result<()> {
        self.send_all(messages)?;
        for _ in messages
            .iter()
            .filter(|message| message[..] == frontend::sync())
        {
            self.ready()?;
        }
        Ok(())
    }

    /// Reads the next message.
    pub fn message(&mut self) -> Result<Message> {
        match self.reply()? {
            Reply::Message(message) => Ok(message),
            other => Err(self.unexpected("a message", &other)),
        }
    }

    /// Reads the next message, or the end of the connection.
    pub fn reply(&mut self) -> Result<Reply> {
        let mut head = [0; 5];
        let reply = match self.read(&mut head)? {
            false => Reply::End,
            true => {
                let [tag, length @ ..] = head;
                let length = u32::from_be_bytes(length) as usize;
                let mut body = vec![
                    0;
                    length.checked_sub(4).ok_or_else(|| {
                        Error::new(format!("a message of length {length}, which cannot be"))
                    })?
                ];
                if !self.read(&mut body)? && !body.is_empty() {
                    return Err(Error::new("the connection ended within a message"));
                }
                Reply::Message(Message { tag, body })
            }
        };
        self.transcript.push(reply.clone());
        Ok(reply)
    }

    /// Reads the answer to SSLRequest or GSSENCRequest.
    pub fn byte(&mut self) -> Result<u8> {
        let mut byte = [0];
        let reply = match self.read(&mut byte)? {
            true => Reply::Bytes(byte.to_vec()),
            false => Reply::End,
        };
        self.transcript.push(reply.clone());
        match reply {
            Reply::Bytes(_) => Ok(byte[0]),
            other => Err(self.unexpected("a byte", &other)),
        }
    }

    /// Fills a buffer; `false` if the connection ended before the first byte, orderly or not.
    fn read(&mut self, buffer: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.stream.read(&mut buffer[filled..]) {
                Ok(0) if filled == 0 => return Ok(false),
                Ok(0) => return Err(Error::new("the connection ended within a message")),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset && filled == 0 => {
                    return Ok(false);
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    let last = self.transcript.last().map(ToString::to_string);
                    return Err(Error::new(format!(
                        "no answer within {ANSWER:?}; the last one was: {}",
                        last.unwrap_or_else(|| "none".into())
                    )));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(true)
    }

    /// Reads messages up to one of this type, and gives all of them.
    pub fn until(&mut self, tag: u8) -> Result<Vec<Message>> {
        let mut messages = Vec::new();
        loop {
            let message = self.message()?;
            let found = message.tag == tag;
            messages.push(message);
            if found {
                return Ok(messages);
            }
        }
    }

    /// Reads up to the next ReadyForQuery.
    pub fn ready(&mut self) -> Result<Vec<Message>> {
        self.until(b'Z')
    }

    /// Reads to the end of the connection.
    pub fn end(&mut self) -> Result<()> {
        while self.reply()? != Reply::End {}
        Ok(())
    }

    /// Reads to the end of the connection whatever does not have the form of messages.
    pub fn raw_end(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut byte = [0];
        while self.read(&mut byte)? {
            bytes.extend(byte);
        }
        self.transcript.push(Reply::Bytes(bytes.clone()));
        self.transcript.push(Reply::End);
        Ok(bytes)
    }

    /// Sends a Query, and reads up to ReadyForQuery.
    pub fn query(&mut self, sql: &str) -> Result<Vec<Message>> {
        self.send(&frontend::query(sql))?;
        self.ready()
    }

    /// The same for SQL that must not fail.
    pub fn run(&mut self, sql: &str) -> Result<()> {
        let answer = self.query(sql)?;
        match answer.iter().find(|message| message.tag == b'E') {
            Some(error) => Err(Error::new(format!("{sql}: {error}"))),
            None => Ok(()),
        }
    }

    /// The last BackendKeyData: process and key, as a CancelRequest takes them.
    pub fn key_data(&self) -> Result<(u32, Vec<u8>)> {
        let found = self.transcript.iter().rev().find_map(|reply| match reply {
            Reply::Message(message) => message.key_data(),
            _ => None,
        });
        let (process, key) = found.ok_or_else(|| Error::new("there was no BackendKeyData"))?;
        Ok((process, key.to_vec()))
    }

    /// Reads one reply per pattern. A pattern is the reply's text (see its `Display`), where `*` is anything.
    pub fn expect(&mut self, patterns: &[&str]) -> Result<()> {
        for pattern in patterns {
            let reply = self.reply()?;
            if !pattern::matches(pattern, &reply.to_string()) {
                return Err(self.unexpected(pattern, &reply));
            }
        }
        Ok(())
    }

    fn unexpected(&self, expected: &str, reply: &Reply) -> Error {
        let before = self.transcript.len().saturating_sub(1);
        let shown = before.saturating_sub(5);
        let before: String = self.transcript[shown..before]
            .iter()
            .map(|reply| format!("\n  {reply}"))
            .collect();
        Error::new(format!(
            "expected {expected}, got {reply}; before it:{before}"
        ))
    }
}
