//! The configuration file: one flat YAML mapping, all of whose values are text (cli.md 2).
//!
//! Reads bytes that were read by somebody else; what the keys mean is the business of `layers`.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span};

/// The version of Acra whose configuration files are understood; files dumped by this program carry it too.
pub const CONFIG_VERSION: &str = "0.96.0";

/// The pairs of a file in its order, of a repeated key only the last one.
#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    pub(crate) entries: Vec<Entry>,
    /// More documents follow the first one; they are not read.
    pub(crate) more_documents: bool,
}

/// One pair.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: String,
    /// Where the key stands, counted from 1.
    pub(crate) line: usize,
}

impl ConfigFile {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.entries
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| entry.value.as_str())
    }

    /// Reads a file. An empty one is fine.
    ///
    /// # Errors
    ///
    /// A sentence with line and column.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = good
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                .saturating_add(1);
            format!("line {line}: the file is not UTF-8 text")
        })?;
        Reader {
            events: Parser::new_from_str(text),
            anchors: HashMap::new(),
        }
        .document()
    }

    /// Checks the `version` key (cli.md 2).
    ///
    /// # Errors
    ///
    /// The texts of the reference.
    pub(crate) fn check_version(&self) -> Result<(), String> {
        if self.entries.is_empty() {
            return Ok(());
        }
        let version = self.get("version").ok_or("config hasn't version key")?;
        let parts: Vec<&str> = version.split('.').collect();
        let [major, minor, patch] = parts.as_slice() else {
            return Err(
                "value has incorrect format (semver 2.0.0 format expected, https://semver.org/)"
                    .to_owned(),
            );
        };
        for part in [major, minor, patch] {
            if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                let part = crate::literal::quote(part);
                return Err(format!("strconv.ParseUint: parsing {part}: invalid syntax"));
            }
        }
        // Compared as text: 0.096.0 is another version.
        if (*major, *minor) == ("0", "96") {
            Ok(())
        } else {
            Err(format!(
                "config version \"{version}\" is not supported, expects \"{CONFIG_VERSION}\" version"
            ))
        }
    }
}

/// Turns the parser's events into pairs.
struct Reader<'a> {
    events: Parser<'a, granit_parser::StrInput<'a>>,
    /// The texts that aliases may repeat.
    anchors: HashMap<usize, String>,
}

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<ConfigFile, String> {
        let mut file = ConfigFile::default();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                // Nothing at all, or a document of nothing.
                Event::StreamEnd => return Ok(file),
                Event::Scalar(text, ScalarStyle::Plain, ..) if is_null(&text) => break,
                Event::MappingStart(..) => {
                    self.mapping(&mut file)?;
                    break;
                }
                _ => {
                    return Err(at(
                        span,
                        "the file must be a mapping of flag names to values",
                    ));
                }
            }
        }
        loop {
            match self.next()?.0 {
                Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(file),
                _ => {
                    file.more_documents = true;
                    return Ok(file);
                }
            }
        }
    }

    fn mapping(&mut self, file: &mut ConfigFile) -> Result<(), String> {
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(());
            }
            let key = self.scalar(event, span, None)?;
            let (event, value_span) = self.next()?;
            let value = self.scalar(event, value_span, Some(&key))?;
            file.entries.retain(|entry| entry.key != key);
            file.entries.push(Entry {
                key,
                value,
                line: span.start.line(),
            });
        }
    }

    /// The text of a scalar, or of the one that an alias repeats.
    fn scalar(
        &mut self,
        event: Event<'_>,
        span: Span,
        key: Option<&str>,
    ) -> Result<String, String> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let text = if style == ScalarStyle::Plain && is_null(&text) {
                    String::new()
                } else {
                    text.into_owned()
                };
                if anchor != 0 {
                    self.anchors.insert(anchor, text.clone());
                }
                Ok(text)
            }
            Event::Alias(anchor) if self.anchors.contains_key(&anchor) => {
                Ok(self.anchors.get(&anchor).cloned().unwrap_or_default())
            }
            _ => Err(match key {
                Some(key) => at(
                    span,
                    &format!("the value of \"{key}\" must be one value, not a list or a mapping"),
                ),
                None => at(span, "a key must be a name, not a list or a mapping"),
            }),
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        match self.events.next_event() {
            Some(Ok(pair)) => Ok(pair),
            Some(Err(error)) => {
                let mark = error.marker();
                Err(position(mark.line(), mark.col(), &error.info()))
            }
            None => Err("the file ends too early".to_owned()),
        }
    }
}

fn at(span: Span, what: &str) -> String {
    position(span.start.line(), span.start.col(), what)
}

/// The parser counts columns from 0, people from 1.
fn position(line: usize, column: usize, what: &str) -> String {
    format!("line {line}, column {}: {what}", column.saturating_add(1))
}

/// YAML's ways of writing nothing.
fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let file = ConfigFile::parse(text.as_bytes()).unwrap();
        file.entries
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[test]
    fn values_are_text() {
        let text = "version: 0.96.0\na: true\nb: 1\nc: \"1\"\nd:\ne: 'x y'\nf: 007\ng: ~\nh: \"~\"\ni: |\n  two\n  lines\n1: 2\n";
        assert_eq!(
            pairs(text),
            [
                pair("version", "0.96.0"),
                pair("a", "true"),
                pair("b", "1"),
                pair("c", "1"),
                pair("d", ""),
                pair("e", "x y"),
                pair("f", "007"),
                pair("g", ""),
                pair("h", "~"),
                pair("i", "two\nlines\n"),
                pair("1", "2"),
            ]
        );
    }

    #[test]
    fn nothing_is_an_empty_mapping() {
        for text in ["", "\n", "# only a comment\n", "---\n", "null\n", "~", "{}"] {
            assert_eq!(pairs(text), [], "{text:?}");
            assert_eq!(
                ConfigFile::parse(text.as_bytes()).unwrap().check_version(),
                Ok(())
            );
        }
    }

    #[test]
    fn the_last_of_a_repeated_key_wins() {
        assert_eq!(
            pairs("a: 1\nb: 2\na: 3\n"),
            [pair("b", "2"), pair("a", "3")]
        );
    }

    #[test]
    fn aliases_repeat_text() {
        assert_eq!(
            pairs("a: &x one\nb: *x\n"),
            [pair("a", "one"), pair("b", "one")]
        );
    }

    #[test]
    fn only_the_first_document_is_read() {
        let file = ConfigFile::parse(b"a: 1\n---\nb: 2\n").unwrap();
        assert_eq!(file.entries.len(), 1);
        assert!(file.more_documents);
        assert!(!ConfigFile::parse(b"a: 1\n...\n").unwrap().more_documents);
    }

    #[test]
    fn errors_have_a_place() {
        for (text, expected) in [
            (
                "a: 1\nb: [1]\n",
                "line 2, column 4: the value of \"b\" must be one value, not a list or a mapping",
            ),
            (
                "a:\n  b: 1\n",
                "line 2, column 3: the value of \"a\" must be one value, not a list or a mapping",
            ),
            (
                "- a\n",
                "line 1, column 1: the file must be a mapping of flag names to values",
            ),
            (
                "word",
                "line 1, column 1: the file must be a mapping of flag names to values",
            ),
            (
                "[a]: 1\n",
                "line 1, column 1: a key must be a name, not a list or a mapping",
            ),
        ] {
            assert_eq!(
                ConfigFile::parse(text.as_bytes()).unwrap_err(),
                expected,
                "{text}"
            );
        }
        let error = ConfigFile::parse(b"a: 1\nb: \"open\n").unwrap_err();
        assert!(error.starts_with("line "), "{error}");
        assert_eq!(
            ConfigFile::parse(b"a: 1\nb: \xff\n").unwrap_err(),
            "line 2: the file is not UTF-8 text"
        );
    }

    #[test]
    fn versions() {
        let semver =
            "value has incorrect format (semver 2.0.0 format expected, https://semver.org/)";
        for (text, expected) in [
            ("version: 0.96.0", Ok(())),
            ("version: 0.96.17", Ok(())),
            ("version: \"0.96.0\"", Ok(())),
            ("a: 1", Err("config hasn't version key".to_owned())),
            ("version: 0.96", Err(semver.to_owned())),
            ("version:", Err(semver.to_owned())),
            ("version: 0.96.0.1", Err(semver.to_owned())),
            (
                "version: 0.96.x",
                Err("strconv.ParseUint: parsing \"x\": invalid syntax".to_owned()),
            ),
            (
                "version: 0.96.-1",
                Err("strconv.ParseUint: parsing \"-1\": invalid syntax".to_owned()),
            ),
            (
                "version: 0.96.",
                Err("strconv.ParseUint: parsing \"\": invalid syntax".to_owned()),
            ),
            (
                "version: 0.096.0",
                Err(
                    "config version \"0.096.0\" is not supported, expects \"0.96.0\" version"
                        .to_owned(),
                ),
            ),
            (
                "version: 0.95.0",
                Err(
                    "config version \"0.95.0\" is not supported, expects \"0.96.0\" version"
                        .to_owned(),
                ),
            ),
        ] {
            assert_eq!(
                ConfigFile::parse(text.as_bytes()).unwrap().check_version(),
                expected,
                "{text}"
            );
        }
    }
}
