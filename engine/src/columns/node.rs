//! A YAML document as a tree whose scalars keep their source text and place.
//!
//! Only the first document of a stream is read, as the reference does. Aliases share their target; what they stand for
//! is counted, so that a small document cannot stand for a huge one.

use std::collections::HashMap;
use std::rc::Rc;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput};

use super::error::ConfigError;

/// How many values a document may stand for once its aliases are replaced.
const MOST_VALUES: usize = 1_000_000;

/// How many lists and mappings may be inside of each other; the schema needs six. Reading and dropping recurse.
const DEEPEST: usize = 64;

/// A value with its place, both counted from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) line: usize,
    pub(super) column: usize,
    /// How many values this one stands for, itself included.
    weight: usize,
    /// How many lists and mappings are inside of each other here, itself included.
    height: usize,
}

/// A key and its value.
type Pair = (Rc<Node>, Rc<Node>);

/// What a value is.
#[derive(Debug)]
pub(super) enum Content {
    /// A scalar that is not resolved yet.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Rc<Node>>),
    /// Pairs in the order of the document, repeated keys included.
    Mapping(Vec<Pair>),
}

/// A scalar as it was written.
#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Whether its text decides its type; quoted and block scalars are strings.
    pub(super) plain: bool,
}

/// What was read.
#[derive(Debug)]
pub(super) struct Document {
    /// Nothing if the stream holds no value.
    pub(super) root: Option<Rc<Node>>,
    /// More documents follow.
    pub(super) more: bool,
}

/// Reads the first document of `text`.
pub(super) fn read(text: &str) -> Result<Document, ConfigError> {
    let mut builder = Builder {
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        last_key: None,
        total: 0,
        depth: 0,
    };
    loop {
        let (event, span) = builder.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(..) => {}
            Event::StreamEnd => {
                return Ok(Document {
                    root: None,
                    more: false,
                });
            }
            event => {
                // A document that is only there by its marker holds a scalar without any text.
                let empty = span.is_empty() && matches!(event, Event::Scalar(..));
                let root = Some(builder.node(event, span)?).filter(|_| !empty);
                return Ok(Document {
                    root,
                    more: builder.more_follows()?,
                });
            }
        }
    }
}

/// Turns the parser's events into nodes.
struct Builder<'a> {
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Rc<Node>>,
    /// For the messages.
    last_key: Option<String>,
    /// Values so far, with what aliases stand for.
    total: usize,
    /// Lists and mappings that are open.
    depth: usize,
}

impl<'a> Builder<'a> {
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Rc<Node>, ConfigError> {
        let (line, column) = (span.start.line(), span.start.col().saturating_add(1));
        let before = self.total;
        self.count(1, line)?;
        let (content, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                // `!!str 5` is text like "5", every other tag leaves the decision to the text.
                let text_tag = tag.is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                let plain = style == ScalarStyle::Plain && !text_tag;
                (
                    Content::Scalar(Scalar {
                        text: text.into_owned(),
                        plain,
                    }),
                    anchor,
                )
            }
            Event::SequenceStart(_, anchor, _) => {
                self.enter(line, column)?;
                (Content::Sequence(self.items()?), anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.enter(line, column)?;
                (Content::Mapping(self.pairs()?), anchor)
            }
            Event::Alias(anchor) => {
                let Some(target) = self.anchors.get(&anchor).cloned() else {
                    return Err(ConfigError::syntax(
                        "the alias is inside of what it stands for",
                        line,
                        column,
                        None,
                    ));
                };
                self.count(target.weight, line)?;
                self.check_depth(self.depth.saturating_add(target.height), line, column)?;
                return Ok(target);
            }
            _ => {
                return Err(ConfigError::syntax(
                    "a value is missing",
                    line,
                    column,
                    self.last_key.as_deref(),
                ));
            }
        };
        let node = Rc::new(Node {
            height: content.height(),
            weight: self.total.saturating_sub(before),
            content,
            line,
            column,
        });
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    fn enter(&mut self, line: usize, column: usize) -> Result<(), ConfigError> {
        self.depth = self.depth.saturating_add(1);
        self.check_depth(self.depth, line, column)
    }

    fn check_depth(&self, depth: usize, line: usize, column: usize) -> Result<(), ConfigError> {
        if depth <= DEEPEST {
            return Ok(());
        }
        let what = format!("more than {DEEPEST} lists and mappings are inside of each other");
        Err(ConfigError::syntax(
            &what,
            line,
            column,
            self.last_key.as_deref(),
        ))
    }

    /// The rest of a list.
    fn items(&mut self) -> Result<Vec<Rc<Node>>, ConfigError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                self.depth = self.depth.saturating_sub(1);
                return Ok(items);
            }
            items.push(self.node(event, span)?);
        }
    }

    /// The rest of a mapping.
    fn pairs(&mut self) -> Result<Vec<Pair>, ConfigError> {
        let mut pairs = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                self.depth = self.depth.saturating_sub(1);
                return Ok(pairs);
            }
            let key = self.node(event, span)?;
            if let Content::Scalar(scalar) = &key.content {
                self.last_key = Some(scalar.text.clone());
            }
            let (event, span) = self.next()?;
            pairs.push((key, self.node(event, span)?));
        }
    }

    fn count(&mut self, values: usize, line: usize) -> Result<(), ConfigError> {
        self.total = self.total.saturating_add(values);
        if self.total > MOST_VALUES {
            return Err(ConfigError::new(
                format!("yaml: the document stands for more than {MOST_VALUES} values"),
                line,
            ));
        }
        Ok(())
    }

    fn more_follows(&mut self) -> Result<bool, ConfigError> {
        loop {
            match self.next()?.0 {
                Event::DocumentEnd => {}
                Event::StreamEnd => return Ok(false),
                _ => return Ok(true),
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Span), ConfigError> {
        match self.events.next_event() {
            Some(Ok(pair)) => Ok(pair),
            Some(Err(error)) => {
                let (line, column) = (
                    error.marker().line(),
                    error.marker().col().saturating_add(1),
                );
                Err(ConfigError::syntax(
                    &error.info(),
                    line,
                    column,
                    self.last_key.as_deref(),
                ))
            }
            None => Err(ConfigError::new("yaml: the document ends too early", 0)),
        }
    }
}

impl Content {
    fn height(&self) -> usize {
        let children = match self {
            Self::Scalar(_) => return 0,
            Self::Sequence(items) => items.iter().map(|item| item.height).max(),
            Self::Mapping(pairs) => pairs
                .iter()
                .map(|(key, value)| key.height.max(value.height))
                .max(),
        };
        children.unwrap_or_default().saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_text_and_place() {
        let document = read("a: 007\n\"b\": '1'\nc:\n- !!str 5\n- |\n  x\n").unwrap();
        let Content::Mapping(pairs) = &document.root.as_ref().unwrap().content else {
            panic!()
        };
        let scalar = |node: &Node| match &node.content {
            Content::Scalar(scalar) => (scalar.text.clone(), scalar.plain, node.line, node.column),
            other => panic!("{other:?}"),
        };
        assert_eq!(scalar(&pairs[0].0), ("a".to_owned(), true, 1, 1));
        assert_eq!(scalar(&pairs[0].1), ("007".to_owned(), true, 1, 4));
        assert_eq!(scalar(&pairs[1].0), ("b".to_owned(), false, 2, 1));
        assert_eq!(scalar(&pairs[1].1), ("1".to_owned(), false, 2, 6));
        let Content::Sequence(items) = &pairs[2].1.content else {
            panic!()
        };
        let (text, plain, line, _) = scalar(&items[0]);
        assert_eq!((text.as_str(), plain, line), ("5", false, 4));
        assert_eq!(scalar(&items[1]).0, "x\n");
    }

    #[test]
    fn documents() {
        for text in ["", "\n\n", "# nothing\n", "---\n", "---\n...\n"] {
            let document = read(text).unwrap();
            assert!(document.root.is_none() && !document.more, "{text:?}");
        }
        for text in ["null", "~", "\"\"", "--- ~"] {
            assert!(read(text).unwrap().root.is_some(), "{text}");
        }
        assert!(read("a: 1\n---\nb: 2\n").unwrap().more);
        assert!(!read("a: 1\n...\n# end\n").unwrap().more);
    }

    #[test]
    fn errors_have_a_place() {
        let error = read("a: 1\nb: [1\nc: 2\n").unwrap_err();
        assert!(error.to_string().starts_with("yaml: line "), "{error}");
        assert!(error.to_string().contains("key \""), "{error}");
        assert!(read("a: *x\n").is_err());
        assert!(
            read("a: &x [*x]\n")
                .unwrap_err()
                .to_string()
                .contains("inside of what it stands for")
        );
    }

    #[test]
    fn aliases_cannot_make_a_huge_document() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..10 {
            let one = format!("*a{},", level - 1);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", one.repeat(10)));
        }
        assert!(
            read(&text)
                .unwrap_err()
                .to_string()
                .contains("more than 1000000 values")
        );
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&"- ".repeat(100_000)).is_err());
        let nested = |blocks: usize, flows: usize| {
            let text = format!(
                "{}{}{}",
                "- ".repeat(blocks),
                "[".repeat(flows),
                "]".repeat(flows)
            );
            read(&text)
        };
        assert!(nested(32, 32).is_ok());
        let error = nested(32, 33).unwrap_err().to_string();
        assert!(error.contains("more than 64 lists and mappings"), "{error}");
        assert!(nested(255, 255).is_err());
        // By aliases, too.
        let mut text = String::from("- &a0 []\n");
        for level in 1..1000 {
            text.push_str(&format!("- &a{level} [*a{}]\n", level - 1));
        }
        let error = read(&text).unwrap_err().to_string();
        assert!(error.contains("more than 64 lists and mappings"), "{error}");
        // Side by side is not inside of each other.
        assert!(read(&"- [[]]\n".repeat(100)).is_ok());
    }
}
