//! What may be told of a statement: its text without data.

use crate::sql::{Kind, Lexical, Token, lex};

/// Longest outline in bytes; the rest of a longer one is left out.
const MAX: usize = 512;

/// The text with `?` in the place of every literal and without comments; `None` if it cannot be read.
pub fn outline(text: &[u8], lexical: &Lexical) -> Option<String> {
    let mut tokens = Vec::new();
    lex(text, lexical, &mut tokens).ok()?;
    let mut outline = String::new();
    let mut end = None;
    for token in &tokens {
        if end.is_some_and(|end| end < token.start) {
            outline.push(' ');
        }
        end = Some(token.end);
        match told(token, text) {
            None => outline.push('?'),
            Some(told) => outline.push_str(&String::from_utf8_lossy(told)),
        }
        if outline.len() > MAX {
            let mut cut = MAX;
            while !outline.is_char_boundary(cut) {
                cut -= 1;
            }
            outline.truncate(cut);
            outline.push('…');
            break;
        }
    }
    Some(outline)
}

/// The token, unless it is data.
fn told<'a>(token: &Token, text: &'a [u8]) -> Option<&'a [u8]> {
    (!token.kind.is_literal() && token.kind != Kind::Other).then(|| token.text(text))
}

#[cfg(test)]
mod tests {
    use super::{MAX, outline};
    use crate::sql::Lexical;

    #[test]
    fn no_literal_is_told() {
        let told = |text: &str| outline(text.as_bytes(), &Lexical::default());
        let text = "SELECT  a,b /* 'c' */ FROM t WHERE x = 'secret' AND y>12 AND z = $1 -- end";
        assert_eq!(
            told(text).unwrap(),
            "SELECT a,b FROM t WHERE x = ? AND y>? AND z = $1"
        );
        for literal in [
            "E'secret'",
            "$$secret$$",
            "X'5ec2e7'",
            "U&'secret'",
            "0x5ec2e7",
        ] {
            assert_eq!(told(&format!("SELECT {literal}")).unwrap(), "SELECT ?");
        }
        assert_eq!(told("SELECT 'secret"), None);
        let long = told(&format!("SELECT {}", "ä, ".repeat(1000))).unwrap();
        assert!(long.len() <= MAX + 3 && long.ends_with('…'));
    }
}
