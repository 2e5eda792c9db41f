//! The bytes of a connection, which may be compressed from the end of the login on.

use crate::{Error, Result};
use acra_engine::wire::mysql::compressed::{self, Algorithm, Codec, HEADER, Header, Numbers, Role};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// Longest piece that is compressed at once, as with MySQL's clients.
const PIECE: usize = 16 << 10;

/// A connection's bytes.
#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    compressed: Option<Compressed>,
}

#[derive(Debug)]
struct Compressed {
    algorithm: Algorithm,
    numbers: Numbers,
    codec: Codec,
    raw: Vec<u8>,
}

impl Link {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            compressed: None,
        }
    }

    /// Compresses what follows.
    pub(super) fn compress(&mut self, algorithm: Algorithm) {
        self.compressed = Some(Compressed {
            algorithm,
            numbers: Numbers::new(Role::Client),
            codec: Codec::default(),
            raw: Vec::new(),
        });
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed.is_some()
    }

    pub(super) fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(compressed) = &mut self.compressed else {
            return Ok(self.stream.write_all(bytes)?);
        };
        let (mut out, mut bytes) = (Vec::new(), bytes.to_vec());
        let mut bytes = &mut bytes[..];
        while !bytes.is_empty() {
            let next = bytes.len().min(PIECE);
            let (length, number) = compressed.numbers.send(&mut bytes[..next]);
            let (piece, rest) = bytes.split_at_mut(length);
            compressed::write(
                &mut out,
                &mut compressed.codec,
                compressed.algorithm,
                number,
                piece,
            );
            bytes = rest;
        }
        Ok(self.stream.write_all(&out)?)
    }

    /// The same, where a connection that is reset has ended too.
    pub(super) fn receive_to_end(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        match self.stream.peek(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(false),
            _ => self.receive(buffer),
        }
    }

    /// Reads once, and appends what has come. False: the connection has ended.
    pub(super) fn receive(&mut self, buffer: &mut Vec<u8>) -> Result<bool> {
        let mut piece = vec![0; 1 << 16];
        let count = self.stream.read(&mut piece)?;
        let piece = &piece[..count];
        let Some(compressed) = &mut self.compressed else {
            buffer.extend_from_slice(piece);
            return Ok(count > 0);
        };
        compressed.raw.extend_from_slice(piece);
        compressed.take(buffer)?;
        Ok(count > 0)
    }
}

impl Compressed {
    fn take(&mut self, buffer: &mut Vec<u8>) -> Result<()> {
        let mut at = 0;
        while let Some(header) = Header::read(&self.raw[at..]) {
            let Some(content) = self.raw[at + HEADER..].get(..header.length) else {
                break;
            };
            let told = |fault: compressed::Fault| Error::new(format!("{header:?}: {fault}"));
            self.numbers.received(header.number).map_err(told)?;
            compressed::read(buffer, &mut self.codec, self.algorithm, header, content)
                .map_err(told)?;
            at += HEADER + header.length;
        }
        self.raw.drain(..at);
        Ok(())
    }
}
