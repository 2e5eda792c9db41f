//! What of a statement the parser library is not shown: what PostgreSQL has and the library does not know.
//!
//! Most of it names nothing that is read or written. Where an expression stands in it (the index of `ON CONFLICT`, the
//! subscripts of what is written) it is an *aside*, whose names are told from its tokens.

use super::facts::Source;
use super::mysql;
use std::ops::Range;

/// Places that are blank in the copy for the library.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    /// Ranges of tokens in their order.
    ranges: Vec<Range<usize>>,
    /// Those of them with an expression in it.
    asides: Vec<Range<usize>>,
    /// Keywords that are shown in the place of tokens.
    keywords: Vec<(usize, &'static str)>,
}

impl Hidden {
    /// What is hidden of a statement.
    pub(super) fn of(source: &Source<'_>) -> Self {
        if source.dialect.is_mysql() {
            let mysql::Words {
                mut hidden,
                keywords,
            } = mysql::Words::of(source);
            hidden.sort_unstable_by_key(|range| range.start);
            return Self {
                ranges: hidden,
                asides: Vec::new(),
                keywords,
            };
        }
        let mut search = Search {
            source,
            hidden: Self::default(),
        };
        for at in source.range.0..source.range.1 {
            search.at(at);
        }
        let by_start = |range: &Range<usize>| range.start;
        search.hidden.ranges.sort_unstable_by_key(by_start);
        search.hidden.asides.sort_unstable_by_key(by_start);
        search.hidden
    }

    /// Whether the token of this number is hidden.
    pub(super) fn hides(&self, token: usize) -> bool {
        is_in(&self.ranges, token)
    }

    /// The keyword that is shown in the place of a token.
    pub(super) fn keyword(&self, token: usize) -> Option<&'static str> {
        let at = self.keywords.binary_search_by_key(&token, |(at, _)| *at);
        self.keywords.get(at.ok()?).map(|(_, keyword)| *keyword)
    }

    /// Whether it is hidden and part of an expression.
    pub(super) fn is_aside(&self, token: usize) -> bool {
        is_in(&self.asides, token)
    }

    /// The tokens of hidden expressions.
    pub(super) fn asides(&self) -> impl Iterator<Item = usize> + '_ {
        self.asides.iter().cloned().flatten()
    }
}

fn is_in(ranges: &[Range<usize>], token: usize) -> bool {
    let before = ranges.partition_point(|range| range.start <= token);
    let last = before.checked_sub(1).and_then(|last| ranges.get(last));
    last.is_some_and(|range| range.contains(&token))
}

struct Search<'s, 'a> {
    source: &'s Source<'a>,
    hidden: Hidden,
}

impl Search<'_, '_> {
    fn at(&mut self, at: usize) {
        let Some(before) = at.checked_sub(1) else {
            return self.first(at);
        };
        if self.source.is(at, "only")
            && (self.source.is_symbol(before, b',')
                || self.source.is_any(
                    before,
                    &["from", "update", "join", "using", "into", "table"],
                ))
        {
            self.only(at);
        } else if self.source.is(before, "for") {
            if self.source.are(at, &["no", "key", "update"]) {
                self.hide(at..at + 2);
            } else if self.source.are(at, &["key", "share"]) {
                self.hide(at..at + 1);
            }
        } else if self.source.are(at, &["rows", "from"])
            && self.source.is_symbol(at + 2, b'(')
            && self.source.is_any(before, &["from", "join", "lateral"])
        {
            // What is left reads like a function of functions.
            self.hide(at + 1..at + 2);
        } else if self.source.are(before, &["on", "conflict"]) {
            self.conflict(at + 1);
        } else if self.source.are(at, &["where", "current", "of"]) && self.source.is_name(at + 3) {
            self.hide(at..at + 4);
        } else if self.source.is_symbol(at, b'*') {
            self.descendants(at);
        } else {
            self.first(at);
        }
    }

    /// What may begin a statement.
    fn first(&mut self, at: usize) {
        if self.source.is(at, "overriding")
            && self.source.is_any(at + 1, &["user", "system"])
            && self.source.is(at + 2, "value")
        {
            self.hide(at..at + 3);
        } else if self.source.is(at, "update") {
            self.update(at + 1);
        } else if self.source.is(at, "insert") {
            self.insert(at + 1);
        }
    }

    /// `ONLY table`, `ONLY (table)`
    fn only(&mut self, at: usize) {
        self.hide(at..at + 1);
        let close = self.after_names(at + 2);
        if self.source.is_symbol(at + 1, b'(') && self.source.is_symbol(close, b')') {
            self.hide(at + 1..at + 2);
            self.hide(close..close + 1);
        }
    }

    /// `table *`: the asterisk after a name that no operand follows.
    fn descendants(&mut self, at: usize) {
        const FOLLOW: [&str; 24] = [
            "as",
            "set",
            "where",
            "join",
            "inner",
            "left",
            "right",
            "full",
            "cross",
            "natural",
            "on",
            "using",
            "group",
            "order",
            "limit",
            "offset",
            "fetch",
            "for",
            "union",
            "except",
            "intersect",
            "having",
            "window",
            "returning",
        ];
        let ends = at + 1 >= self.source.range.1
            || self.source.is_symbol(at + 1, b',')
            || self.source.is_symbol(at + 1, b')')
            || self.source.is_any(at + 1, &FOLLOW);
        let mut first = at;
        while let Some(name) = first
            .checked_sub(1)
            .filter(|name| self.source.is_name(*name))
        {
            first = name;
            match name
                .checked_sub(1)
                .filter(|dot| self.source.is_symbol(*dot, b'.'))
            {
                Some(dot) => first = dot,
                None => break,
            }
        }
        let begins = first.checked_sub(1).is_some_and(|before| {
            self.source.is_any(
                before,
                &["from", "update", "join", "using", "only", "table"],
            )
        });
        if ends && begins && first < at {
            self.hide(at..at + 1);
        }
    }

    /// What `ON CONFLICT` finds an index by, unless it is nothing but names.
    fn conflict(&mut self, at: usize) {
        if !self.source.is_symbol(at, b'(') {
            return;
        }
        let Some(end) = (at..self.source.range.1).find(|at| self.source.is(*at, "do")) else {
            return;
        };
        let is_list = (1..end - at).all(|place| match place % 2 {
            1 => self.source.is_name(at + place),
            _ if at + place + 1 == end => self.source.is_symbol(at + place, b')'),
            _ => self.source.is_symbol(at + place, b','),
        });
        if !is_list {
            self.aside(at..end);
        }
    }

    /// The assignments of an `UPDATE`.
    fn update(&mut self, at: usize) {
        let mut at = at + usize::from(self.source.is(at, "only"));
        at += usize::from(self.source.is_symbol(at, b'('));
        if !self.source.is(at, "set") {
            at = self.after_names(at);
            at += usize::from(self.source.is_symbol(at, b')'));
            at += usize::from(self.source.is_symbol(at, b'*'));
            at += usize::from(self.source.is(at, "as"));
            at += usize::from(!self.source.is(at, "set"));
        }
        if !self.source.is(at, "set") {
            return;
        }
        let mut next = Some(at + 1);
        while let Some(at) = next {
            let after = match self.source.is_symbol(at, b'(') {
                true => self.targets(at + 1),
                false => self.target(at),
            };
            next = self.after_value(after);
        }
    }

    /// The columns of an `INSERT`.
    fn insert(&mut self, at: usize) {
        let mut at = at;
        if self.source.is(at, "into") {
            at = self.after_names(at + 1);
            if self.source.is(at, "as") {
                at += 2;
            }
        }
        if self.source.is_symbol(at, b'(')
            && !self
                .source
                .is_any(at + 1, &["select", "with", "values", "table"])
        {
            self.targets(at + 1);
        }
    }

    /// Places that are written, up to the parenthesis that closes; the place after it.
    fn targets(&mut self, mut at: usize) -> usize {
        loop {
            at = self.target(at);
            if !self.source.is_symbol(at, b',') {
                return at + 1;
            }
            at += 1;
        }
    }

    /// A column that is written, or a part of one; the place after it.
    fn target(&mut self, at: usize) -> usize {
        let mut after = self.after_names(at);
        let mut subscripts = Vec::new();
        while self.source.is_symbol(after, b'[') {
            let Some(close) = self.close(after) else {
                return after;
            };
            subscripts.push(after..close + 1);
            after = close + 1;
            if self.source.is_symbol(after, b'.') {
                after = self.after_names(after + 1);
            }
        }
        let is_target = [b'=', b',', b')']
            .iter()
            .any(|symbol| self.source.is_symbol(after, *symbol));
        if is_target {
            for subscript in subscripts {
                self.aside(subscript);
            }
        }
        after
    }

    /// The place of the next assignment, after the value that begins here.
    fn after_value(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for at in at..self.source.range.1 {
            let opens = self.source.is_symbol(at, b'(')
                || self.source.is_symbol(at, b'[')
                || self.source.is(at, "case");
            let closes = self.source.is_symbol(at, b')')
                || self.source.is_symbol(at, b']')
                || self.source.is(at, "end");
            if opens {
                depth += 1;
            } else if closes {
                depth = depth.checked_sub(1)?;
            } else if depth == 0 && self.source.is_symbol(at, b',') {
                return Some(at + 1);
            } else if depth == 0
                && self
                    .source
                    .is_any(at, &["where", "from", "returning", "when"])
            {
                return None;
            }
        }
        None
    }

    fn hide(&mut self, range: Range<usize>) {
        self.hidden.ranges.push(range);
    }

    /// Hides an expression, unless there is a query in it.
    fn aside(&mut self, range: Range<usize>) {
        let is_query = |at: usize| {
            self.source
                .is_any(at, &["select", "values", "table", "with"])
        };
        if !range.clone().any(is_query) {
            self.hidden.asides.push(range.clone());
            self.hide(range);
        }
    }

    /// The place after a name with dots; `at` if there is none.
    fn after_names(&self, mut at: usize) -> usize {
        while self.source.is_name(at) {
            at += 1;
            if !self.source.is_symbol(at, b'.') {
                break;
            }
            at += 1;
        }
        at
    }

    /// The place of the bracket that closes the one at `at`.
    fn close(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        (at..self.source.range.1).find(|at| {
            depth += usize::from(self.source.is_symbol(*at, b'['));
            let closes = self.source.is_symbol(*at, b']');
            depth = depth.saturating_sub(usize::from(closes));
            closes && depth == 0
        })
    }
}
