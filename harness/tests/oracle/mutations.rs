//! Statements of the corpus with pieces of others in them.

use acra_harness::statements::Random;

/// Parts of statements that may stand for one another.
pub(crate) struct Pieces {
    /// Names, values and signs.
    tokens: Vec<String>,
    /// Whole parentheses.
    groups: Vec<String>,
}

impl Pieces {
    pub(crate) fn of(statements: &[String]) -> Self {
        let mut pieces = Self {
            tokens: Vec::new(),
            groups: Vec::new(),
        };
        for statement in statements {
            let tokens = tokens(statement);
            for at in 0..tokens.len() {
                if let Some(end) = group(&tokens, at) {
                    pieces.groups.push(tokens[at..end].join(" "));
                }
            }
            let owned = tokens.iter().map(|token| (*token).to_owned());
            pieces.tokens.extend(owned);
        }
        pieces
    }

    /// A statement with up to three changes.
    pub(crate) fn mutate(&self, statements: &[String], random: &mut Random) -> String {
        let of = |list: &[String], random: &mut Random| list[random.below(list.len())].clone();
        let statement = of(statements, random);
        let mut parts: Vec<String> = tokens(&statement).into_iter().map(str::to_owned).collect();
        for _ in 0..=random.below(3) {
            // What is no keyword has more that can stand for it.
            let mut at = random.below(parts.len());
            for _ in 0..3 {
                if !is_operand(&parts[at]) && parts[at] != "(" {
                    at = random.below(parts.len());
                }
            }
            let views: Vec<&str> = parts.iter().map(String::as_str).collect();
            let end = group(&views, at);
            match (random.below(8), end) {
                (0..=4, Some(end)) => {
                    drop(parts.splice(at..end, [of(&self.groups, random)]));
                }
                (0, None) if is_operand(&parts[at]) => parts[at] = of(&self.groups, random),
                (0..=4, None) => parts[at] = self.alike(&parts[at], random),
                (5, _) => parts[at] = format!("({})", parts[at]),
                (6, _) => drop(parts.remove(at)),
                _ => {
                    let other = random.below(parts.len());
                    parts.swap(at, other);
                }
            }
            if parts.is_empty() {
                return statement;
            }
        }
        parts.join(" ")
    }

    /// A token of the same kind, if one is found soon.
    fn alike(&self, token: &str, random: &mut Random) -> String {
        let mut other = token;
        for _ in 0..20 {
            other = &self.tokens[random.below(self.tokens.len())];
            if other != token && kind(other) == kind(token) {
                break;
            }
        }
        other.to_owned()
    }
}

/// Whether a token is a name or a value.
fn is_operand(token: &str) -> bool {
    matches!(kind(token), 'a' | '1')
}

/// The kind of a token: a keyword, a name, a value or else its first byte.
fn kind(token: &str) -> char {
    match token.chars().next().unwrap_or(' ') {
        first if first.is_ascii_uppercase() => 'A',
        first if first.is_ascii_lowercase() || first == '"' => 'a',
        first if first.is_ascii_digit() || "'$".contains(first) => '1',
        first => first,
    }
}

/// Where the parentheses that open here are closed.
fn group(tokens: &[&str], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (end, token) in tokens.iter().enumerate().skip(at) {
        match *token {
            "(" => depth += 1,
            ")" => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return (end > at).then_some(end + 1);
        }
    }
    None
}

/// A statement cut at blanks, signs and quotes: what is cut wrongly is put together again as it was.
fn tokens(statement: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = statement.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || "_$".contains(c);
        // E'...', U&'...' and such are one.
        let prefix = match rest.find(['\'', '"']) {
            Some(quote @ 0..3) if rest[..quote].chars().all(|c| word(c) || c == '&') => quote,
            _ => 0,
        };
        let end = match rest[prefix..].chars().next().unwrap_or(first) {
            quote @ ('\'' | '"') => {
                let inner = prefix + 1;
                rest[inner..]
                    .find(quote)
                    .map_or(rest.len(), |end| inner + end + 1)
            }
            _ if word(first) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            _ if rest.starts_with("::") => 2,
            first => first.len_utf8(),
        };
        let (token, more) = rest.split_at(end);
        tokens.push(token);
        rest = more.trim_start();
    }
    tokens
}
