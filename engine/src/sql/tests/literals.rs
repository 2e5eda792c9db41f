use super::tokens;
use crate::sql::{Lexical, ident, lex, literal};

#[test]
fn strings_are_decoded_as_the_server_does() {
    let cases: &[(&str, Option<&str>)] = &[
        ("'it''s'", Some("it's")),
        (r"'a\b'", Some(r"a\b")),
        ("'a'\n'b'", Some("ab")),
        ("'a' --\n 'b''c'", Some("ab'c")),
        (r"E'\b\f\n\r\t\v\\\'\q'", Some("\u{8}\u{c}\n\r\t\u{b}\\'q")),
        (r"E'\101\x42\x4\u0043\U00000044'", Some("AB\u{4}CD")),
        (r"E'\uD83D\uDE00'", Some("😀")),
        (
            r"E'a'
           '\x41'",
            Some("aA"),
        ),
        (r"E'\000'", None),
        (r"E'\u12'", None),
        (r"E'\uD83D'", None),
        (r"U&'d\0061t\+000061 \\'", Some(r"data \")),
        (r"U&'d!0061' UESCAPE '!'", Some("da")),
        (r"U&'\D83D\DE00'", Some("😀")),
        (r"U&'it''s'", Some("it's")),
        (r"U&'\00'", None),
        (r"U&'a' UESCAPE '+'", None),
        ("N'a'", Some("a")),
        ("$$a'b$$", Some("a'b")),
        ("$x$ $$ $x$", Some(" $$ ")),
        ("''", Some("")),
        ("B'1'", None),
    ];
    for (text, expected) in cases {
        let found = literal::string(&tokens(text)[0], text.as_bytes(), &Lexical::default());
        assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{text}");
    }
}

#[test]
fn octal_escapes_keep_their_low_byte() {
    let text = r"E'\501'";
    let value = literal::string(&tokens(text)[0], text.as_bytes(), &Lexical::default());
    assert_eq!(value.as_deref(), Some(&b"A"[..]));
}

#[test]
fn plain_strings_with_escapes() {
    let off = Lexical {
        standard_conforming_strings: false,
        ..Lexical::default()
    };
    let text = br"'a\'\n'";
    let mut tokens = Vec::new();
    lex(text, &off, &mut tokens).unwrap();
    assert_eq!(
        literal::string(&tokens[0], text, &off).as_deref(),
        Some(&b"a'\n"[..])
    );
}

#[test]
fn integers_lose_their_leading_zeros() {
    for (text, expected) in [
        ("007", "7"),
        ("0", "0"),
        ("000", "0"),
        ("1.50", "1.50"),
        ("00000000000000000001", "1"),
        ("99999999999", "99999999999"),
    ] {
        assert_eq!(
            literal::number(&tokens(text)[0], text.as_bytes()),
            expected.as_bytes()
        );
    }
}

#[test]
fn names_are_folded_unquoted_and_cut() {
    let long = "a".repeat(70);
    let umlauts = format!("\"{}\"", "ä".repeat(40));
    let cases: &[(&str, &str)] = &[
        ("Customers", "customers"),
        ("GRÖSSE", "grÖsse"),
        ("\"Customers\"", "Customers"),
        ("\"a\"\"b\"", "a\"b"),
        (r#"U&"\0063ust""#, "cust"),
        (r#"U&"!0063ust" UESCAPE '!'"#, "cust"),
        (&long, &long[..63]),
        (&umlauts, &umlauts[1..63]),
    ];
    for (text, expected) in cases {
        let token = tokens(text)[0];
        let name = ident::name(&token, text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&name), *expected);
        ident::with_name(&token, text.as_bytes(), |same| assert_eq!(same, &*name));
    }
}
