//! Lines byte for byte.

use super::*;

const WRITER: Writer = Writer {
    product: "acra-server",
    version: "0.96.0",
};

fn line(format: Format, level: Level, message: &str, fields: &[Field<'_>]) -> String {
    let mut line = String::new();
    let moment = Moment::at(1_706_695_200_123);
    format.write(
        WRITER,
        &Entry {
            moment,
            level,
            message,
            fields,
        },
        &mut line,
    );
    assert_eq!(line.pop(), Some('\n'));
    assert!(!line.contains('\n'));
    line
}

#[test]
fn names_of_formats() {
    for (name, format) in [
        ("plaintext", Format::Plaintext),
        ("JSON", Format::Json),
        ("json", Format::Json),
        ("CEF", Format::Cef),
        ("cef", Format::Cef),
        ("", Format::Plaintext),
        ("xml", Format::Plaintext),
    ] {
        assert_eq!(Format::from_name(name), format, "{name}");
    }
}

#[test]
fn plaintext_lines() {
    let start = "time=\"2024-01-31T10:00:00Z\" ";
    for (level, message, fields, expected) in [
        (
            Level::Info,
            "Starting service acra-server [pid=1]",
            &[("version", Value::Text("0.96.0"))] as &[Field<'_>],
            "level=info msg=\"Starting service acra-server [pid=1]\" version=0.96.0",
        ),
        (Level::Debug, "word", &[], "level=debug msg=word"),
        (
            Level::Warning,
            "",
            &[("empty", Value::Text(""))],
            "level=warning msg=\"\" empty=\"\"",
        ),
        (
            Level::Error,
            "b",
            &[
                ("path", Value::Text("/a/b.c")),
                codes::code(507),
                ("ok", Value::Boolean(true)),
            ],
            "level=error msg=b code=507 ok=true path=/a/b.c",
        ),
        (
            Level::Fatal,
            "q\"\\\n\u{0}\u{7f}é\u{301}\u{a0}\u{200b}\u{10ffff}",
            &[],
            "level=fatal msg=\"q\\\"\\\\\\n\\x00\\x7fé\u{301}\\u00a0\\u200b\\U0010ffff\"",
        ),
        (
            Level::Info,
            "x",
            &[
                ("msg", Value::Text("m")),
                ("time", Value::Number(-1)),
                ("level", Value::Text("l")),
            ],
            "level=info msg=x fields.level=l fields.msg=m fields.time=-1",
        ),
        (
            Level::Info,
            "x",
            &[("a", Value::Number(1)), ("a", Value::Number(2))],
            "level=info msg=x a=2",
        ),
    ] {
        assert_eq!(
            line(Format::Plaintext, level, message, fields),
            format!("{start}{expected}")
        );
    }
}

#[test]
fn json_lines() {
    assert_eq!(
        line(
            Format::Json,
            Level::Info,
            "Starting service acra-server [pid=1]",
            &[]
        ),
        "{\"level\":\"info\",\"msg\":\"Starting service acra-server [pid=1]\",\"product\":\"acra-server\",\
         \"timestamp\":\"2024-01-31T10:00:00Z\",\"unixTime\":\"1706695200.123\",\"version\":\"0.96.0\"}"
    );
    assert_eq!(
        line(
            Format::Json,
            Level::Error,
            "<&>\u{2028}\u{1}\t\"",
            &[
                codes::code(532),
                ("level", Value::Text("x")),
                ("version", Value::Text("1")),
                ("on", Value::Boolean(false))
            ],
        ),
        "{\"code\":532,\"fields.level\":\"x\",\"level\":\"error\",\"msg\":\"\\u003c\\u0026\\u003e\\u2028\\u0001\\t\\\"\",\
         \"on\":false,\"product\":\"acra-server\",\"timestamp\":\"2024-01-31T10:00:00Z\",\
         \"unixTime\":\"1706695200.123\",\"version\":\"1\"}"
    );
}

#[test]
fn cef_lines() {
    assert_eq!(
        line(
            Format::Cef,
            Level::Info,
            "Starting service acra-server [pid=1]",
            &[]
        ),
        "CEF:0|cossacklabs|acra-server|0.96.0|100|Starting service acra-server [pid\\=1]|1|unixTime=1706695200.123 "
    );
    assert_eq!(
        line(
            Format::Cef,
            Level::Warning,
            " a|b\\c\nd\te\rf ",
            &[
                codes::code(587),
                ("version", Value::Text("1.2")),
                ("z", Value::Text("")),
                ("client id", Value::Text("x=y")),
                ("count", Value::Number(3)),
            ],
        ),
        "CEF:0|cossacklabs|acra-server|1.2|587|a\\|b\\\\c d e f|3|\"client id\"=x\\=y count=3 unixTime=1706695200.123 z=  "
    );
    for (level, severity) in [(Level::Debug, 0), (Level::Error, 6), (Level::Fatal, 8)] {
        let expected = format!(
            "CEF:0|cossacklabs|acra-server|0.96.0|100| |{severity}|unixTime=1706695200.123 "
        );
        assert_eq!(line(Format::Cef, level, "\n", &[]), expected);
    }
}
