use super::spelled;
use crate::sql::{ClientEncoding, Kind, LexError, Lexical, lex};
use proptest::prelude::*;

#[test]
fn each_notation_is_one_token() {
    use Kind::*;
    let cases: &[(&str, Kind)] = &[
        ("select", Word),
        ("Größe", Word),
        ("a$1", Word),
        ("\"a \"\"b\"\" c\"", Quoted),
        ("U&\"\\0061\"", UnicodeQuoted),
        ("u&\"!0061\" UESCAPE '!'", UnicodeQuoted),
        ("'it''s'", String),
        ("'a\\'", String),
        ("'a'\n  'b'", String),
        ("'a' -- more\n -- and more\n 'b'", String),
        ("E'a\\'b'", Escape),
        ("e'a\\\\'", Escape),
        ("E'a'\n'b\\'c'", Escape),
        ("U&'\\0061' /* x */ uescape '!'", Unicode),
        ("n'a'", National),
        ("$$a'b$$", Dollar),
        ("$tag$a $$ b$tag$", Dollar),
        ("$é$x$é$", Dollar),
        ("B'01'", Bits),
        ("x'1F'", Bits),
        ("12", Number),
        ("1.5e-3", Number),
        (".5", Number),
        ("5.", Number),
        ("0x1F", OddNumber),
        ("1_000", OddNumber),
        ("1a", OddNumber),
        ("$12", Param),
        ("::", Punctuation),
        ("<=>", Operator),
        ("@-", Operator),
    ];
    for (text, kind) in cases {
        assert_eq!(spelled(text), [(*kind, *text)], "{text}");
    }
}

#[test]
fn neighbours_are_told_apart() {
    let cases: &[(&str, &[&str])] = &[
        ("'a' 'b'", &["'a'", "'b'"]),
        ("'a'/* x\n */'b'", &["'a'", "'b'"]),
        ("a--b\nc", &["a", "c"]),
        ("a/* /* x */ */b", &["a", "b"]),
        ("1..2", &["1", "..", "2"]),
        ("a<-1", &["a", "<", "-", "1"]),
        ("a<@-1", &["a", "<@-", "1"]),
        ("1+--x\n2", &["1", "+", "2"]),
        ("1*/*x*/2", &["1", "*", "2"]),
        ("a::b", &["a", "::", "b"]),
        ("f(x=>1)", &["f", "(", "x", "=>", "1", ")"]),
        ("$a", &["$", "a"]),
        ("a.\"b\"", &["a", ".", "\"b\""]),
        ("U&\"a\" uescaped", &["U&\"a\"", "uescaped"]),
        ("u & 'a'", &["u", "&", "'a'"]),
    ];
    for (text, expected) in cases {
        let found: Vec<&str> = spelled(text).into_iter().map(|(_, text)| text).collect();
        assert_eq!(found, *expected, "{text}");
    }
}

#[test]
fn what_has_no_end_is_an_error() {
    for text in [
        "'a", "'a''", "\"a", "/* a", "/* /* */", "$$a", "$x$a$$", "E'a\\'", "U&\"a",
    ] {
        let outcome = lex(text.as_bytes(), &Lexical::default(), &mut Vec::new());
        assert_eq!(outcome, Err(LexError::Unterminated), "{text}");
    }
}

#[test]
fn plain_strings_have_escapes_where_the_session_says_so() {
    let off = Lexical {
        standard_conforming_strings: false,
        ..Lexical::default()
    };
    let text = br"'a\'b'";
    let mut tokens = Vec::new();
    assert_eq!(lex(text, &off, &mut tokens), Ok(true));
    assert_eq!(tokens.len(), 1);
    assert_eq!(
        lex(text, &Lexical::default(), &mut tokens),
        Err(LexError::Unterminated)
    );
    assert_eq!(lex(br"E'a\'b'", &off, &mut tokens), Ok(false));
}

#[test]
fn characters_that_hold_ascii_bytes_are_not_read() {
    let sjis = Lexical {
        encoding: ClientEncoding::of_name(b"SJIS"),
        ..Lexical::default()
    };
    // The second byte of this character is a backslash.
    assert_eq!(
        lex(b"'\x83\x5C'", &sjis, &mut Vec::new()),
        Err(LexError::Encoding)
    );
    assert_eq!(lex(b"'ascii'", &sjis, &mut Vec::new()), Ok(false));
}

proptest! {
    #[test]
    fn tokens_are_in_order_and_cover_all_but_blanks(text in "[a-zA-Z0-9'\"$ .,()*/+<>=:;&\\\\\n-]{0,60}") {
        let mut tokens = Vec::new();
        if lex(text.as_bytes(), &Lexical::default(), &mut tokens).is_ok() {
            let mut at = 0;
            for token in &tokens {
                prop_assert!(token.span().start >= at && token.end > token.start);
                let between = &text[at..token.span().start];
                prop_assert!(between.is_empty() || between.starts_with([' ', '\n', '-', '/']));
                at = token.span().end;
            }
        }
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(1_u8.., 0..100)) {
        for encoding in [ClientEncoding::Utf8, ClientEncoding::Unsafe] {
            for standard_conforming_strings in [true, false] {
                let lexical = Lexical { standard_conforming_strings, encoding, ..Lexical::default() };
                let _ = lex(&bytes, &lexical, &mut Vec::new());
            }
        }
    }
}
