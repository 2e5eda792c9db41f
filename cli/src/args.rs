//! The command line grammar: Go's `flag` package, with one addition (cli.md 1 and 25.4).

use crate::flag::{FlagSet, Kind, Value};
use crate::literal;

/// What the command line says.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// By position of the flag in its set; of repeated ones the last.
    pub(crate) values: Vec<Option<Value>>,
    /// From the first argument that is no flag to the end.
    pub(crate) rest: Vec<String>,
}

impl Arguments {
    /// What a flag of the set was given.
    pub(crate) fn get(&self, set: &FlagSet, name: &str) -> Option<&Value> {
        set.position(name)
            .and_then(|at| self.values.get(at)?.as_ref())
    }
}

/// Why reading the command line ended early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Help was asked for.
    Help,
    /// The version was asked for.
    Version,
    /// An argument is wrong: the message.
    Wrong(String),
}

/// Reads a command line, without the program's own name.
///
/// # Errors
///
/// [`Stop`], at the first argument that ends the reading.
pub(crate) fn parse(set: &FlagSet, arguments: &[String]) -> Result<Arguments, Stop> {
    let mut parsed = Arguments {
        values: vec![None; set.flags().len()],
        rest: Vec::new(),
    };
    let mut left = arguments;
    while let [argument, after @ ..] = left {
        let Some(body) = argument.strip_prefix('-').filter(|body| !body.is_empty()) else {
            break;
        };
        if body == "-" {
            left = after;
            break;
        }
        left = after;
        let body = body.strip_prefix('-').unwrap_or(body);
        if body.starts_with(['-', '=']) {
            return Err(Stop::Wrong(format!("bad flag syntax: {argument}")));
        }
        let (name, inline) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (body, None),
        };
        let Some(position) = set.position(name) else {
            return Err(match name {
                "help" | "h" => Stop::Help,
                "version" => Stop::Version,
                _ => Stop::Wrong(format!("flag provided but not defined: -{name}")),
            });
        };
        let kind = set
            .flags()
            .get(position)
            .map_or(Kind::Text, crate::flag::Flag::kind);
        let value = if kind == Kind::Boolean {
            let text = match (inline, left) {
                (Some(text), _) => text,
                // In Go the flag would be true and the word would end the flags, dropping the rest without a sound.
                (None, [word, after @ ..]) if word == "true" || word == "false" => {
                    left = after;
                    word
                }
                (None, _) => "true",
            };
            match literal::boolean(text) {
                Some(state) => Value::Boolean(state),
                None => {
                    let quoted = literal::quote(text);
                    return Err(Stop::Wrong(format!(
                        "invalid boolean value {quoted} for -{name}: parse error"
                    )));
                }
            }
        } else {
            let text = match (inline, left) {
                (Some(text), _) => text,
                (None, [text, after @ ..]) => {
                    left = after;
                    text
                }
                (None, []) => return Err(Stop::Wrong(format!("flag needs an argument: -{name}"))),
            };
            if kind == Kind::Integer {
                match literal::integer(text) {
                    Ok(number) => Value::Integer(number),
                    Err(error) => {
                        let quoted = literal::quote(text);
                        let reason = error.reason();
                        return Err(Stop::Wrong(format!(
                            "invalid value {quoted} for flag -{name}: {reason}"
                        )));
                    }
                }
            } else {
                Value::Text(text.to_owned().into())
            }
        };
        if let Some(place) = parsed.values.get_mut(position) {
            *place = Some(value);
        }
    }
    parsed.rest = left.to_vec();
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flag::Flag;

    fn set() -> FlagSet {
        FlagSet::new(
            "program",
            [
                Flag::text("host", "", "h"),
                Flag::integer("port", 1, "p"),
                Flag::boolean("on", true, "o"),
                Flag::boolean("v", false, "v"),
            ],
        )
    }

    /// Flags given and what is left over.
    type Read = (Vec<(String, Value)>, Vec<String>);
    /// A command line, its flags, its leftovers.
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, Value)], &'a [&'a str]);

    fn read(line: &[&str]) -> Result<Read, Stop> {
        let set = set();
        let line: Vec<String> = line.iter().map(|word| (*word).to_owned()).collect();
        let parsed = parse(&set, &line)?;
        let given = set.flags().iter().zip(parsed.values);
        let given = given
            .filter_map(|(flag, value)| Some((flag.name().to_owned(), value?)))
            .collect();
        Ok((given, parsed.rest))
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned().into())
    }

    #[test]
    fn accepted_lines() {
        let cases: &[Case<'_>] = &[
            (&[], &[], &[]),
            (&["-host=a"], &[("host", text("a"))], &[]),
            (&["--host=a"], &[("host", text("a"))], &[]),
            (&["--host", "a"], &[("host", text("a"))], &[]),
            (&["--host="], &[("host", text(""))], &[]),
            (&["--host=a=b"], &[("host", text("a=b"))], &[]),
            (&["--host", "--port"], &[("host", text("--port"))], &[]),
            (&["--host=a", "--host=b"], &[("host", text("b"))], &[]),
            (&["--port=0x10"], &[("port", Value::Integer(16))], &[]),
            (&["--port", "-1"], &[("port", Value::Integer(-1))], &[]),
            (&["-v"], &[("v", Value::Boolean(true))], &[]),
            (&["-v=F"], &[("v", Value::Boolean(false))], &[]),
            (
                &["--on", "false", "-v"],
                &[("on", Value::Boolean(false)), ("v", Value::Boolean(true))],
                &[],
            ),
            (&["--on", "true"], &[("on", Value::Boolean(true))], &[]),
            (
                &["--on", "0", "-v"],
                &[("on", Value::Boolean(true))],
                &["0", "-v"],
            ),
            (&["-"], &[], &["-"]),
            (&["", "-v"], &[], &["", "-v"]),
            (&["--", "-v"], &[], &["-v"]),
            (
                &["-v", "--", "--port"],
                &[("v", Value::Boolean(true))],
                &["--port"],
            ),
            (
                &["-v", "word", "--port=2"],
                &[("v", Value::Boolean(true))],
                &["word", "--port=2"],
            ),
        ];
        for (line, given, rest) in cases {
            let given: Vec<_> = given
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect();
            let rest: Vec<String> = rest.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(read(line), Ok((given, rest)), "{line:?}");
        }
    }

    #[test]
    fn wrong_lines() {
        for (line, message) in [
            (&["---v"] as &[&str], "bad flag syntax: ---v"),
            (&["-=x"], "bad flag syntax: -=x"),
            (&["--=x"], "bad flag syntax: --=x"),
            (&["--nope"], "flag provided but not defined: -nope"),
            (&["-nope=1"], "flag provided but not defined: -nope"),
            (&["--host"], "flag needs an argument: -host"),
            (
                &["--port="],
                "invalid value \"\" for flag -port: parse error",
            ),
            (
                &["--port=x"],
                "invalid value \"x\" for flag -port: parse error",
            ),
            (
                &["--port=9223372036854775808"],
                "invalid value \"9223372036854775808\" for flag -port: value out of range",
            ),
            (
                &["-v=yes"],
                "invalid boolean value \"yes\" for -v: parse error",
            ),
            (&["-v="], "invalid boolean value \"\" for -v: parse error"),
        ] {
            assert_eq!(read(line), Err(Stop::Wrong(message.to_owned())), "{line:?}");
        }
    }

    #[test]
    fn help_and_version() {
        for line in ["-h", "-help", "--help", "--h"] {
            assert_eq!(read(&[line]), Err(Stop::Help));
        }
        assert_eq!(read(&["--version"]), Err(Stop::Version));
        // Behind the end of the flags it is an argument.
        assert!(read(&["--", "--help"]).is_ok());
    }

    proptest! {
        #[test]
        fn any_line_is_read(line in proptest::collection::vec("(-{0,3}(host|port|on|v|nope)?=?)?.{0,6}", 0..8)) {
            let _ = parse(&set(), &line);
        }
    }
}
