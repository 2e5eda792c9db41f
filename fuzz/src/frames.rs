//! Frames and the views of PostgreSQL's messages: the same frames whatever the cutting, no view reads past its message,
//! and what is read and written again is the same.

use crate::fixture::pieces;
use acra_engine::wire::pg::frame::HEADER;
use acra_engine::wire::pg::{Bind, Frame, Parse, Scan, Startup, data_row, error, row_description};
use acra_engine::wire::pg::{scan, startup};
use arbitrary::{Arbitrary, Unstructured};

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    cuts: Vec<u8>,
    stream: &'a [u8],
}

/// The target.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let whole = frames(std::iter::once(input.stream));
    assert_eq!(whole, frames(pieces(input.stream, &input.cuts)));
    for (tag, frame) in &whole {
        view(*tag, frame);
    }
    packet(input.stream);
}

/// The frames of a stream that arrives in pieces.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<(u8, Vec<u8>)> {
    let (mut buffer, mut at, mut found) = (Vec::new(), 0, Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match scan(&buffer, at) {
                Scan::Frame(frame) if frame.range.end <= buffer.len() => {
                    assert!(frame.range.start == at && frame.range.len() >= HEADER);
                    found.push((frame.tag, buffer[frame.range.clone()].to_vec()));
                    at = frame.range.end;
                }
                Scan::Incomplete => {
                    assert!(buffer.len() - at < HEADER);
                    break;
                }
                Scan::Frame(_) | Scan::BadLength(_) => break,
            }
        }
    }
    found
}

fn view(tag: u8, bytes: &[u8]) {
    let frame = Frame {
        tag,
        range: 0..bytes.len(),
    };
    let body = frame.body(bytes);
    match tag {
        b'P' => {
            if let Ok(parse) = Parse::read(body) {
                assert!(parse.name.len() + parse.text.len() + parse.types.len() + 4 == body.len());
            }
        }
        b'B' => {
            if let Ok(bind) = Bind::read(body) {
                let mut again = Vec::new();
                bind.write_with(&mut again, &[]);
                assert_eq!(again, bytes, "a Bind written again");
            }
        }
        b'D' => cells(bytes, &frame),
        b'T' => {
            if let Ok(fields) = row_description::read(body) {
                assert!(fields.len() * 19 <= body.len());
            }
        }
        b'E' | b'N' => {
            let _ = error::ends_connection(body);
            if let Some(longer) = error::with_hint(body, "a hint") {
                assert_eq!(error::sqlstate(&longer[HEADER..]), error::sqlstate(body));
                assert!(memchr::memmem::find(&longer, b"Ha hint\0").is_some());
            }
        }
        _ => {}
    }
}

fn cells(bytes: &[u8], frame: &Frame) {
    let Ok(mut cells) = data_row::Cells::new(bytes, &frame.range) else {
        return;
    };
    let mut end = HEADER + 2;
    while cells.left() > 0 {
        match cells.next(bytes) {
            Err(_) => return,
            Ok(None) => end += 4,
            Ok(Some(range)) => {
                assert_eq!(range.start, end + 4);
                end = range.end;
            }
        }
    }
    assert!(end <= bytes.len());
    assert_eq!(cells.finish().is_ok(), end == bytes.len());
}

fn packet(bytes: &[u8]) {
    let Some(Ok(length)) = startup::packet_length(bytes) else {
        return;
    };
    if let Some(packet) = bytes.get(..length)
        && Startup::read(packet) == Ok(Startup::Session)
    {
        for name in [&b"user"[..], b"database", b"replication"] {
            let _ = startup::parameter(packet, name);
        }
    }
}
