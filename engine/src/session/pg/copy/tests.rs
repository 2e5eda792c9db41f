//! The stream against a model that reads and writes whole files.

use super::split::{Fault, Splitter};
use super::stream::{Cells, Stream};
use super::writing;
use crate::plan::{CopyFormat, Dialect};
use proptest::collection::vec;
use proptest::prelude::*;

fn dialect(format: CopyFormat) -> Dialect {
    let is_csv = format == CopyFormat::Csv;
    Dialect {
        format,
        delimiter: if is_csv { b',' } else { b'\t' },
        null: if is_csv { b"".as_slice() } else { b"\\N" }.into(),
        default: None,
        header: false,
        quote: b'"',
        escape: b'"',
        encoding: None,
    }
}

fn csv(delimiter: u8, quote: u8, escape: u8, null: &[u8]) -> Dialect {
    Dialect {
        delimiter,
        quote,
        escape,
        null: null.into(),
        ..dialect(CopyFormat::Csv)
    }
}

fn dialects() -> Vec<Dialect> {
    let text = dialect(CopyFormat::Text);
    vec![
        text.clone(),
        Dialect {
            delimiter: b'|',
            null: b"null".as_slice().into(),
            header: true,
            ..text
        },
        dialect(CopyFormat::Csv),
        csv(b';', b'\'', b'\\', b"NULL"),
        // What a sealed value is written with.
        csv(b'2', b'x', b'5', b"-"),
        dialect(CopyFormat::Binary),
    ]
}

/// Replaces the cells of one column by their length and their bytes in hexadecimal digits.
struct Marking<'a> {
    dialect: &'a Dialect,
    column: Option<usize>,
    seen: Vec<Vec<u8>>,
}

impl Cells for Marking<'_> {
    type Error = &'static str;

    fn wants(&self, column: usize) -> bool {
        self.column == Some(column)
    }

    fn cell(&mut self, _: usize, raw: &[u8], out: &mut Vec<u8>) -> Result<bool, &'static str> {
        self.seen.push(raw.to_vec());
        let value = match self.dialect.format {
            CopyFormat::Binary if raw.len() == 4 => return Ok(false),
            CopyFormat::Binary => raw[4..].to_vec(),
            _ if *raw == *self.dialect.null => return Ok(false),
            CopyFormat::Text => writing::unescape(raw).into_owned(),
            CopyFormat::Csv => writing::unquote(raw, self.dialect).into_owned(),
        };
        let hex = marked(&value);
        match self.dialect.format {
            CopyFormat::Binary => {
                out.extend_from_slice(&(hex.len() as u32).to_be_bytes());
                out.extend_from_slice(&hex);
            }
            CopyFormat::Text => {
                out.push(b'\\');
                out.extend_from_slice(&hex);
            }
            CopyFormat::Csv => {
                writing::quote(&hex, raw.contains(&self.dialect.quote), self.dialect, out)
            }
        }
        Ok(true)
    }

    fn too_long(&mut self, _: usize) -> Result<(), &'static str> {
        Err("too long")
    }

    fn fault(&mut self, fault: Fault) -> Result<(), &'static str> {
        Err(fault.0)
    }
}

fn marked(value: &[u8]) -> Vec<u8> {
    format!("\\x{}", const_hex::encode(value)).into_bytes()
}

/// What leaves of a stream that comes in pieces of these lengths, over and over, and how it ended.
fn run(
    dialect: &Dialect,
    (columns, wanted): (usize, Option<usize>),
    stream: &[u8],
    cuts: &[usize],
) -> (Vec<u8>, Result<(), &'static str>) {
    let mut cells = Marking {
        dialect,
        column: wanted,
        seen: Vec::new(),
    };
    let mut copy = Stream::new(Splitter::new(dialect, columns, true), 1 << 16);
    let (mut rest, mut left) = (stream, Vec::new());
    for cut in cuts.iter().cycle() {
        let (piece, later) = rest.split_at(rest.len().min(*cut));
        rest = later;
        let mut out = Vec::new();
        match copy.feed(piece, &mut cells, &mut out) {
            Ok(true) => left.extend(out),
            Ok(false) => {
                assert_eq!(out, b"");
                left.extend_from_slice(piece);
            }
            Err(error) => return (left, Err(error)),
        }
        if rest.is_empty() {
            break;
        }
    }
    let mut out = Vec::new();
    let end = copy.finish(&mut cells, &mut out);
    left.extend(out);
    (left, end)
}

type Row = Vec<Option<Vec<u8>>>;

/// A file as the server would write it, from values without zero bytes.
fn write(dialect: &Dialect, rows: &[Row], end: &str) -> Vec<u8> {
    let mut out = Vec::new();
    if dialect.format == CopyFormat::Binary {
        out.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\x03ext");
        for row in rows {
            out.extend_from_slice(&(row.len() as u16).to_be_bytes());
            for cell in row {
                let length = cell.as_ref().map_or(u32::MAX, |cell| cell.len() as u32);
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(cell.as_deref().unwrap_or_default());
            }
        }
        out.extend_from_slice(&[0xff, 0xff]);
        return out;
    }
    if dialect.header {
        out.extend_from_slice(b"one|two|three");
        out.extend_from_slice(end.as_bytes());
    }
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                out.push(dialect.delimiter);
            }
            match (cell, dialect.format) {
                (None, _) => out.extend_from_slice(&dialect.null),
                (Some(value), CopyFormat::Text) => write_text(value, dialect, &mut out),
                // Quoted whenever there is a choice of how to be understood.
                (Some(value), _) => {
                    let quoted =
                        value.is_empty() || value.contains(&dialect.escape) || value == b"\\.";
                    writing::quote(value, quoted, dialect, &mut out);
                }
            }
        }
        out.extend_from_slice(end.as_bytes());
    }
    out
}

fn write_text(value: &[u8], dialect: &Dialect, out: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\015"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            7 => out.extend_from_slice(b"\\x07"),
            byte if *byte == dialect.delimiter => out.extend_from_slice(&[b'\\', *byte]),
            byte => out.push(*byte),
        }
    }
}

/// Reads a file that has all its bytes, cell by cell.
fn read(dialect: &Dialect, file: &[u8], columns: usize) -> Vec<Row> {
    let mut cells = Marking {
        dialect,
        column: None,
        seen: Vec::new(),
    };
    let mut rows = Vec::new();
    for column in 0..columns {
        cells.column = Some(column);
        cells.seen.clear();
        let mut copy = Stream::new(Splitter::new(dialect, columns, true), 1 << 20);
        copy.feed(file, &mut cells, &mut Vec::new()).unwrap();
        rows.resize(cells.seen.len(), Row::new());
        for (row, raw) in rows.iter_mut().zip(&cells.seen) {
            row.push(match dialect.format {
                CopyFormat::Binary if raw[..4] == [0xff; 4] => None,
                CopyFormat::Binary => Some(raw[4..].to_vec()),
                _ if **raw == *dialect.null => None,
                CopyFormat::Text => Some(writing::unescape(raw).into_owned()),
                CopyFormat::Csv => Some(writing::unquote(raw, dialect).into_owned()),
            });
        }
    }
    rows
}

fn value() -> impl Strategy<Value = Option<Vec<u8>>> {
    let special = proptest::sample::select(b"\\\\.xN\n\r\t|;',\"25-ab\x07".to_vec());
    let byte = prop_oneof![4 => special, 1 => 1u8..=255];
    proptest::option::weighted(0.8, vec(byte, 0..12))
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    vec(vec(value(), 3..=3), 0..8)
}

proptest! {
    #[test]
    fn one_column_is_replaced_and_the_rest_stays(
        rows in rows(), wanted in 0usize..3, cuts in vec(1usize..40, 1..8), end in "\n|\r\n|\r",
    ) {
        for dialect in dialects() {
            // The null string cannot be told from an equal value.
            let rows: Vec<Row> = rows
                .iter()
                .map(|row| row.iter().cloned().map(|cell| cell.filter(|cell| **cell != *dialect.null)).collect())
                .collect();
            let file = write(&dialect, &rows, &end);
            prop_assert_eq!(&read(&dialect, &file, 3), &rows);
            let (left, ended) = run(&dialect, (3, Some(wanted)), &file, &cuts);
            prop_assert_eq!(ended, Ok(()));
            let empty_binary = |cell: &Vec<u8>| dialect.format == CopyFormat::Binary && cell.is_empty();
            let expected: Vec<Row> = rows
                .iter()
                .cloned()
                .map(|mut row| {
                    row[wanted] = row[wanted].take().map(|cell| if empty_binary(&cell) { cell } else { marked(&cell) });
                    row
                })
                .collect();
            prop_assert_eq!(read(&dialect, &left, 3), expected);
            let (left, ended) = run(&dialect, (3, None), &file, &cuts);
            prop_assert_eq!(ended, Ok(()));
            prop_assert!(left == file);
        }
    }

    #[test]
    fn any_cutting_of_any_bytes_gives_the_same(
        bytes in vec(prop_oneof![proptest::sample::select(b"\\.\n\r\t|;',\"x25ab".to_vec()), any::<u8>()], 0..120),
        cuts in vec(1usize..9, 1..8),
        columns in 1usize..4,
        binary in any::<bool>(),
    ) {
        for dialect in dialects() {
            let mut bytes = bytes.clone();
            if binary && dialect.format == CopyFormat::Binary {
                bytes.splice(..0, *b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0");
            }
            let (whole, end) = run(&dialect, (columns, Some(0)), &bytes, &[usize::MAX]);
            let (cut, cut_end) = run(&dialect, (columns, Some(0)), &bytes, &cuts);
            prop_assert_eq!(end, cut_end);
            if end.is_ok() {
                prop_assert!(whole == cut);
            }
        }
    }
}

fn ended(format: CopyFormat, stream: &[u8]) -> (Vec<u8>, Result<(), &'static str>) {
    run(&dialect(format), (2, Some(1)), stream, &[usize::MAX])
}

#[test]
fn the_marker_ends_the_data() {
    let text = |stream| ended(CopyFormat::Text, stream);
    assert_eq!(
        text(b"1\ta\n\\.\n2\tleft out\n"),
        (b"1\t\\\\x61\n\\.\n".to_vec(), Ok(()))
    );
    assert_eq!(
        text(b"1\ta\r\n\\.\r\nx"),
        (b"1\t\\\\x61\r\n\\.\r\n".to_vec(), Ok(()))
    );
    assert_eq!(text(b"\\."), (b"\\.".to_vec(), Ok(())));
    assert_eq!(
        text(b"1\ta\\.\n").1,
        Err("end-of-copy marker is not alone on its line")
    );
    assert_eq!(text(b"\\.x\n").1, Err("end-of-copy marker corrupt"));
    assert_eq!(text(b"\\.\tx\n").1, Err("end-of-copy marker corrupt"));
    assert_eq!(text(b"1\ta\n\\.\rb").0, b"1\t\\\\x61\n\\.\r");
    let csv = |stream| ended(CopyFormat::Csv, stream);
    assert_eq!(csv(b"1,a\n\\.\n2,b"), (b"1,\\x61\n\\.\n".to_vec(), Ok(())));
    assert_eq!(csv(b"\\.,a\n"), (b"\\.,\\x61\n".to_vec(), Ok(())));
    assert_eq!(
        csv(b"\"\\.\"\n2,b\n"),
        (b"\"\\.\"\n2,\\x62\n".to_vec(), Ok(()))
    );
    // Servers from version 18 on take it for a value.
    let dialect = dialect(CopyFormat::Csv);
    let mut cells = Marking {
        dialect: &dialect,
        column: Some(0),
        seen: Vec::new(),
    };
    let mut copy = Stream::new(Splitter::new(&dialect, 1, false), 99);
    let mut out = Vec::new();
    copy.feed(b"\\.\n", &mut cells, &mut out).unwrap();
    assert_eq!(out, b"\\x5c2e\n");
}

#[test]
fn data_that_are_not_of_the_format_are_an_error() {
    for (format, stream, error) in [
        (
            CopyFormat::Text,
            &b"1\ta\tb\n"[..],
            "extra data after last expected column",
        ),
        (
            CopyFormat::Csv,
            b"1,a,b\n",
            "extra data after last expected column",
        ),
        (CopyFormat::Csv, b"1,\"a\n", "unterminated CSV quoted field"),
        (
            CopyFormat::Binary,
            b"1\ta\n",
            "COPY file signature not recognized",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n\xff\r\n\0\0\x01\0\0\0\0\0\0",
            "unrecognized critical flags in COPY file header",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\x80\0\0\0",
            "invalid COPY file header (wrong length)",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x03",
            "row field count is not the number of columns",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\xff\xff\xff\xfe",
            "invalid field size",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\0\x02\0\0",
            "unexpected EOF in COPY data",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0\xff\xff\0",
            "received copy data after EOF marker",
        ),
        (
            CopyFormat::Binary,
            b"PGCOPY\n",
            "invalid COPY file header (missing)",
        ),
    ] {
        assert_eq!(ended(format, stream).1, Err(error));
    }
    let long = [b"1\t".to_vec(), vec![b'x'; 70_000]].concat();
    assert_eq!(ended(CopyFormat::Text, &long).1, Err("too long"));
}

#[test]
fn escapes_are_those_of_the_server() {
    for (raw, value) in [
        (&br"plain"[..], &b"plain"[..]),
        (br"\\x00ff", br"\x00ff"),
        (br"\\x00\\", br"\x00\"),
        (br"\b\f\n\r\t\v\\\q", b"\x08\x0c\n\r\t\x0b\\q"),
        (br"\1\12\101\777\8", b"\x01\nA\xff8"),
        (br"\x\x4\x41\xg1\x414", b"x\x04Axg1A4"),
        (b"a\\\nb\\", b"a\nb"),
    ] {
        assert_eq!(writing::unescape(raw), value, "{}", raw.escape_ascii());
    }
    let backslash = csv(b',', b'"', b'\\', b"");
    for (raw, value, dialect) in [
        (
            &b"a\"b,\"\"c\"d\"\"\"e"[..],
            &b"ab,\"cd\"e"[..],
            &dialect(CopyFormat::Csv),
        ),
        (br#""a\"b\\c\d""#, br#"a"b\c\d"#, &backslash),
        (br"\a", br"\a", &backslash),
    ] {
        assert_eq!(
            writing::unquote(raw, dialect),
            value,
            "{}",
            raw.escape_ascii()
        );
    }
}
