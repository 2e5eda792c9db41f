//! What is written to a protected column comes back as it was, and the database has only its container: for every
//! supported statement, every way to write a value, both protocols and both formats.

/// Tests of scenarios on every version of PostgreSQL.
macro_rules! on_each_version {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            use acra_harness::Result;

            #[test]
            fn on_15() -> Result<()> {
                super::$name(15)
            }

            #[test]
            fn on_17() -> Result<()> {
                super::$name(17)
            }

            #[test]
            fn on_18() -> Result<()> {
                super::$name(18)
            }
        })+
    };
}
pub(crate) use on_each_version;

mod arrays;
mod forms;
mod literals;
mod parameters;
mod results;
mod settings;
mod structs;
mod upserts;
mod values;

use acra_harness::raw::frontend::{self as f, Bind};
use acra_harness::raw::{Connection, Message};
use acra_harness::scene::{self, Scene, hex};
use acra_harness::servers::Postgres;
use acra_harness::{Error, Result, at_rest};

/// The table with the secrets, on a shared server of this version.
fn vault(version: u32) -> Result<Scene<'static>> {
    Scene::on(Postgres::shared(version)?, |config| config)
}

/// In every text that the scenarios of statements write.
const MARK: &str = "kept-Secret-5f";

/// The number that they write; its digits are nowhere else.
const NUMBER: &str = "5550123498765";

/// In what is written past `acra-server`, to see that it would be found.
const OPEN: &[u8] = b"written past the proxy";

/// How a statement is sent, and its results are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Simple,
    /// Results in text (0) or binary (1); described before, after or not at all.
    Extended(u16, Described),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Described {
    Statement,
    Portal,
    Not,
}

const WAYS: [Way; 6] = [
    Way::Simple,
    Way::Extended(0, Described::Not),
    Way::Extended(0, Described::Portal),
    Way::Extended(1, Described::Not),
    Way::Extended(1, Described::Portal),
    Way::Extended(1, Described::Statement),
];

impl Way {
    /// A value as this way has to give it.
    fn cell(self, plain: &[u8]) -> Vec<u8> {
        match self {
            Self::Extended(1, _) => plain.to_vec(),
            _ => hex(plain).into_bytes(),
        }
    }

    /// Runs a statement without parameters.
    fn run(self, connection: &mut Connection, sql: &str) -> Result<Vec<Message>> {
        match self {
            Self::Simple => checked(connection.query(sql)?, sql),
            Self::Extended(..) => self.bind(connection, sql, &[], Bind::default()),
        }
    }

    /// Runs a statement with parameters.
    fn bind(
        self,
        connection: &mut Connection,
        sql: &str,
        types: &[u32],
        bind: Bind<'_>,
    ) -> Result<Vec<Message>> {
        let Self::Extended(format, described) = self else {
            return Err(Error::new("the simple protocol has no parameters"));
        };
        let results = [format];
        let bind = Bind {
            results: &results,
            ..bind
        };
        let mut messages = vec![f::parse("", sql, types)];
        if described == Described::Statement {
            messages.push(f::describe_statement(""));
        }
        messages.push(f::bind("", "", bind));
        if described == Described::Portal {
            messages.push(f::describe_portal(""));
        }
        messages.extend([f::execute("", 0), f::sync()]);
        connection.send_all(&messages)?;
        checked(connection.ready()?, sql)
    }
}

fn checked(answers: Vec<Message>, sql: &str) -> Result<Vec<Message>> {
    match answers.iter().find(|message| message.tag == b'E') {
        Some(error) => Err(Error::new(format!("{sql}: {error}"))),
        None => Ok(answers),
    }
}

/// The cells of all rows.
fn cells(answers: &[Message]) -> Vec<Option<Vec<u8>>> {
    let rows = answers.iter().filter_map(Message::values);
    rows.flatten()
        .map(|cell| cell.map(<[u8]>::to_vec))
        .collect()
}

/// That the secret of a row is a container in the database, and the plain value through `acra-server`.
fn check_row(
    direct: &mut Connection,
    proxied: &mut Connection,
    id: &str,
    plain: &[u8],
) -> Result<()> {
    let sql = format!("SELECT secret FROM vault WHERE id = {id}");
    let stored = scene::value(direct, &sql)?;
    assert!(stored.starts_with("\\x252525"), "{id}: {stored}");
    assert!(!stored.contains(&const_hex::encode(plain)), "{id}");
    assert!(stored.len() > 2 * plain.len() + 100, "{id}: {stored}");
    for way in [Way::Simple, Way::Extended(1, Described::Portal)] {
        let read = cells(&way.run(proxied, &sql)?);
        assert_eq!(read, [Some(way.cell(plain))], "{id} by {way:?}");
    }
    Ok(())
}

/// Every statement in every way, on a server of its own whose files are searched afterwards.
fn every_form(version: u32) -> Result<()> {
    let postgres = Postgres::start(version, &[])?;
    let scene = Scene::on(&postgres, |config| config)?;
    literals::write(&scene)?;
    parameters::write(&scene)?;
    results::read(&scene)?;
    let written = scene.stored("SELECT count(secret) FROM vault WHERE secret <> ''")?;
    assert!(written.parse::<u32>()? > 400, "only {written} values");
    let secrets = [MARK.as_bytes(), NUMBER.as_bytes()];
    let found = at_rest::find(&postgres, &scene.database, &secrets)?;
    assert!(found.is_empty(), "{found:?}");
    scene.run_directly(&format!(
        "INSERT INTO vault (id, secret) VALUES (-1000000, '{}')",
        hex(OPEN)
    ))?;
    let found = at_rest::find(&postgres, &scene.database, &[OPEN])?;
    for place in ["table public.vault", "file "] {
        let there = |found: &at_rest::Found| found.place.starts_with(place);
        assert!(found.iter().any(there), "not in {place}: {found:?}");
    }
    results::delete(&scene)?;
    scene.works()
}

on_each_version! { every_form }
