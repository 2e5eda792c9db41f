use crate::sql::{
    ClientEncoding, Dialect, Kind, LexError, Lexical, MySql, Token, ident, lex, literal,
};
use proptest::prelude::*;

fn maria() -> Lexical {
    Lexical::mysql(MySql {
        mariadb: true,
        ..MySql::default()
    })
}

fn read(text: &str, lexical: &Lexical) -> Result<(Vec<Token>, bool), LexError> {
    let mut tokens = Vec::new();
    let ambiguous = lex(text.as_bytes(), lexical, &mut tokens)?;
    Ok((tokens, ambiguous))
}

/// Tokens as kind and text.
fn spelled<'a>(text: &'a str, lexical: &Lexical) -> Vec<(Kind, &'a str)> {
    let (tokens, _) = read(text, lexical).unwrap();
    tokens
        .iter()
        .map(|token| (token.kind, &text[token.span()]))
        .collect()
}

fn usual() -> Lexical {
    Lexical::mysql(MySql::default())
}

#[test]
fn tokens_are_those_of_the_manual() {
    use Kind::{
        Backtick, Bits, Number, Operator, Other, Param, Punctuation, String, Variable, Word,
    };
    for (text, expected) in [
        (
            "a.`b`",
            vec![(Word, "a"), (Punctuation, "."), (Backtick, "`b`")],
        ),
        ("`a``b`", vec![(Backtick, "`a``b`")]),
        ("a.1b", vec![(Word, "a"), (Punctuation, "."), (Word, "1b")]),
        ("a .1", vec![(Word, "a"), (Number, ".1")]),
        ("1a", vec![(Word, "1a")]),
        ("1e", vec![(Word, "1e")]),
        ("1e5", vec![(Number, "1e5")]),
        ("1.5e-3", vec![(Number, "1.5e-3")]),
        ("0x1F", vec![(String, "0x1F")]),
        ("0X1F", vec![(Word, "0X1F")]),
        ("0xZ", vec![(Word, "0xZ")]),
        ("0b01", vec![(Bits, "0b01")]),
        ("X'1F'", vec![(String, "X'1F'")]),
        ("b'01'", vec![(Bits, "b'01'")]),
        ("n'a'", vec![(String, "n'a'")]),
        ("'a' \"b\"\n'c'", vec![(String, "'a' \"b\"\n'c'")]),
        ("'a''b'", vec![(String, "'a''b'")]),
        ("'a\\'b'", vec![(String, "'a\\'b'")]),
        ("_utf8mb4 'a'", vec![(String, "_utf8mb4 'a'")]),
        ("_utf8 X'41'", vec![(String, "_utf8 X'41'")]),
        ("_unknown 'a'", vec![(Word, "_unknown"), (String, "'a'")]),
        (
            "@a @@b @`c d` @'e'",
            vec![
                (Variable, "@a"),
                (Variable, "@@b"),
                (Variable, "@`c d`"),
                (Variable, "@'e'"),
            ],
        ),
        ("@@global.x", vec![(Variable, "@@global.x")]),
        (
            "@'\\', ' @\"\\\"\" @`\\`",
            vec![
                (Variable, "@'\\', '"),
                (Variable, "@\"\\\"\""),
                (Variable, "@`\\`"),
            ],
        ),
        ("?<=>?", vec![(Param, "?"), (Operator, "<=>"), (Param, "?")]),
        (
            "@a:=1",
            vec![(Variable, "@a"), (Punctuation, ":="), (Number, "1")],
        ),
        (
            "5--1",
            vec![
                (Number, "5"),
                (Operator, "-"),
                (Operator, "-"),
                (Number, "1"),
            ],
        ),
        ("5-- 1", vec![(Number, "5")]),
        ("5--", vec![(Number, "5")]),
        (
            "5-- a\u{0}6",
            vec![(Number, "5"), (Other, "\0"), (Number, "6")],
        ),
        ("5#1\n6", vec![(Number, "5"), (Number, "6")]),
        ("a/* /* */b", vec![(Word, "a"), (Word, "b")]),
        ("a/*+ x */b", vec![(Word, "a"), (Word, "b")]),
        ("a/*!b*/c", vec![(Word, "a"), (Word, "b"), (Word, "c")]),
        ("a/*!50000b*/c", vec![(Word, "a"), (Word, "b"), (Word, "c")]),
        ("a/*M!b*/c", vec![(Word, "a"), (Word, "c")]),
        ("$a{", vec![(Word, "$a"), (Other, "{")]),
    ] {
        assert_eq!(spelled(text, &usual()), expected, "{text}");
    }
    assert_eq!(spelled("a/*M!b*/", &maria()), [(Word, "a"), (Word, "b")]);
    assert_eq!(spelled("a/*!50701b*/", &maria()), [(Word, "a")]);
    assert_eq!(spelled("a/*M!999999\\- b*/", &maria()), [(Word, "a")]);
    let long = "a".repeat(64);
    assert_eq!(spelled(&long, &usual()), [(Backtick, &*long)]);
}

#[test]
fn comments_are_read_as_the_server_of_that_version_does() {
    let of = |mariadb, version| {
        Lexical::mysql(MySql {
            mariadb,
            version: Some(version),
            ..MySql::default()
        })
    };
    let words = |text: &'static str, lexical: &Lexical| -> Vec<&str> {
        let spelled = spelled(text, lexical);
        spelled.into_iter().map(|(_, word)| word).collect()
    };
    let (old, new, maria) = (of(false, 80_036), of(false, 90_704), of(true, 101_119));
    for (text, in_old, in_new, in_maria) in [
        ("a/*!80036 b*/", "a b", "a b", "a"),
        ("a/*!80037 b*/", "a", "a b", "a"),
        ("a/*!90705 b*/", "a", "a", "a"),
        ("a/*!50699 b*/", "a b", "a b", "a b"),
        ("a/*!500b*/", "a 500b", "a 500b", "a 500b"),
        ("a/*M!101119b*/", "a", "a", "a b"),
        ("a/*M!101120b*/", "a", "a", "a"),
        ("a/*M!80000b*/", "a", "a", "a b"),
        ("a/*!101119 b*/", "", "a", "a b"),
        ("a/*!101119b*/", "", "a 9b", "a b"),
        ("a/*!090704 b*/", "", "a b", "a"),
        ("a/*!1011191 b*/", "", "a 91 b", "a 1 b"),
    ] {
        for (lexical, expected) in [(&old, in_old), (&new, in_new), (&maria, in_maria)] {
            match expected {
                "" => assert_eq!(read(text, lexical).err(), Some(LexError::Version), "{text}"),
                _ => assert_eq!(words(text, lexical).join(" "), expected, "{text}"),
            }
        }
    }
}

#[test]
fn what_depends_on_the_server_is_not_read() {
    for (text, error) in [
        ("a/*!80000 b*/", LexError::Version),
        ("a/*!400001 b*/", LexError::Version),
        ("1.e-- a", LexError::Version),
        (".5E+(a)", LexError::Version),
        ("a/*!50000 /* b */ c*/", LexError::Version),
        ("'a' /*!50000 'b' */", LexError::Version),
        ("_utf8 /*!50000 'b' */", LexError::Version),
        ("a/*!50000 b", LexError::Unterminated),
        ("a/* b", LexError::Unterminated),
        ("'a", LexError::Unterminated),
        ("'a\\", LexError::Unterminated),
        ("`a", LexError::Unterminated),
        ("X'5", LexError::Unterminated),
    ] {
        assert_eq!(read(text, &usual()).err(), Some(error), "{text}");
    }
    assert_eq!(
        read("a/*M!110000 b*/", &maria()).err(),
        Some(LexError::Version)
    );
    assert_eq!(
        read("a/*M!999999 /* b */ c*/", &maria()).err(),
        Some(LexError::Version)
    );
    let gbk = Lexical {
        encoding: ClientEncoding::of_charset(b"gbk"),
        ..usual()
    };
    assert_eq!(read("'é'", &gbk).err(), Some(LexError::Encoding));
    assert!(read("'e'", &gbk).is_ok());
    let latin = Lexical {
        encoding: ClientEncoding::of_charset(b"latin1"),
        ..usual()
    };
    assert_eq!(read("é", &latin).err(), Some(LexError::Encoding));
    assert_eq!(read("`é`", &latin).err(), Some(LexError::Encoding));
    assert!(read("'é'", &latin).is_ok());
}

#[test]
fn modes_change_what_quotes_and_backslashes_are() {
    let ansi = Lexical {
        dialect: Dialect::MySql(MySql {
            ansi_quotes: true,
            ..MySql::default()
        }),
        ..usual()
    };
    assert_eq!(
        spelled("'a' \"b\"", &ansi),
        [(Kind::String, "'a'"), (Kind::Backtick, "\"b\"")]
    );
    let plain = Lexical {
        standard_conforming_strings: true,
        ..usual()
    };
    assert_eq!(
        spelled("'a\\' b", &plain),
        [(Kind::String, "'a\\'"), (Kind::Word, "b")]
    );
    for (text, ambiguous) in [
        ("'a'", false),
        ("'\\\\'", true),
        ("\"a\"", true),
        ("`a`", false),
    ] {
        assert_eq!(read(text, &usual()).unwrap().1, ambiguous, "{text}");
    }
}

fn value(text: &str, lexical: &Lexical) -> Option<Vec<u8>> {
    let (tokens, _) = read(text, lexical).ok()?;
    let [token] = &*tokens else { return None };
    literal::string(token, text.as_bytes(), lexical).map(|value| value.into_owned())
}

#[test]
fn literals_stand_for_what_the_server_makes_of_them() {
    for (text, expected) in [
        ("'a'", Some(&b"a"[..])),
        ("'it''s'", Some(b"it's")),
        ("\"a\"\"b'c\"", Some(b"a\"b'c")),
        (
            "'\\0\\b\\n\\r\\t\\Z\\\\\\'\\x'",
            Some(b"\0\x08\n\r\t\x1a\\'x"),
        ),
        ("'\\%\\_'", Some(b"\\%\\_")),
        ("'a' 'b'\t\"c\"", Some(b"abc")),
        ("'a' /* x */ 'b'", None),
        ("N'a' 'b'", Some(b"ab")),
        ("X'4142'", Some(b"AB")),
        ("X'414'", None),
        ("0x414", Some(b"\x04\x14")),
        ("_binary'a'", Some(b"a")),
        ("_utf8mb4 \"a\"", Some(b"a")),
        ("_binary X'41'", Some(b"A")),
        ("_latin1'a'", None),
        ("b'01'", None),
    ] {
        assert_eq!(value(text, &usual()).as_deref(), expected, "{text}");
    }
    let plain = Lexical {
        standard_conforming_strings: true,
        ..usual()
    };
    assert_eq!(value("'a\\b'", &plain).as_deref(), Some(&b"a\\b"[..]));
}

#[test]
fn names_are_equal_in_any_case() {
    for (text, expected) in [
        ("AbC", "abc"),
        ("`AbC`", "abc"),
        ("`a``b`", "a`b"),
        ("ÄÖ", "äö"),
        ("`ÄÖ`", "äö"),
    ] {
        let (tokens, _) = read(text, &usual()).unwrap();
        assert_eq!(
            ident::name(&tokens[0], text.as_bytes()),
            expected.as_bytes(),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn any_text_has_tokens_in_order_or_none(text in "[ab0x'\"`\\\\/*!#\\-\n _@?.()é50M]{0,40}", ansi: bool, mariadb: bool, plain: bool, version: Option<u32>) {
        let lexical = Lexical {
            dialect: Dialect::MySql(MySql { ansi_quotes: ansi, pipes_as_concat: ansi, mariadb, version }),
            standard_conforming_strings: plain,
            ..usual()
        };
        if let Ok((tokens, _)) = read(&text, &lexical) {
            let mut at = 0;
            for token in tokens {
                prop_assert!(token.span().start >= at && token.span().end > token.span().start);
                at = token.span().end;
                // Neither of these may fail.
                let _ = literal::string(&token, text.as_bytes(), &lexical);
                let _ = ident::name(&token, text.as_bytes());
            }
            prop_assert!(at <= text.len());
        }
    }

    #[test]
    fn a_quoted_text_is_read_back(text in "[a'\"\\\\\n\0é%_ ]{0,20}") {
        let escaped: String = text.chars().map(|letter| match letter {
            '\'' => "''".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\0' => "\\0".to_owned(),
            other => other.to_string(),
        }).collect();
        prop_assert_eq!(value(&format!("'{escaped}'"), &usual()), Some(text.into_bytes()));
    }
}
