//! What the database has of searchable columns.

use crate::{MARK, fill, is_in_plain_alone, same, scene};
use acra_harness::Result;
use acra_harness::raw::frontend as f;
use acra_harness::scene::{hex, rows, value};

/// Rows whose value begins with a hash and goes on with a container.
const HASHED: &str = "substr(email, 1, 1) = '\\x7f' AND substr(email, 34, 3) = '%%%'";

#[test]
fn is_a_hash_and_a_container() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let mut direct = scene.direct()?;
    let hashed = format!(
        "SELECT count(*), count(DISTINCT substr(email, 1, 33)), count(DISTINCT email) FROM people WHERE {HASHED}"
    );
    assert_eq!(rows(&mut direct, &hashed)?, [["32", "8", "32"]]);
    let structs = "SELECT count(*) FROM accounts WHERE substr(mail, 34, 3) = '%%%' AND get_byte(substr(mail, 45, 1), 0) = 241";
    assert_eq!(value(&mut direct, structs)?, "32");
    // The hash is that of the client, so an address of another client has another one.
    let shared = "SELECT count(*) FROM people p JOIN accounts a ON substr(p.email, 1, 33) = substr(a.owner, 1, 33)";
    assert_eq!(value(&mut direct, shared)?, "0");
    assert!(!is_in_plain_alone(&scene)?.is_empty());
    Ok(())
}

#[test]
fn comes_and_goes_by_copy_in_every_format() -> Result<()> {
    let scene = scene(|config| config)?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    let address = format!("{MARK}-1@example.org");
    let expected = [[hex(address.as_bytes())]];
    for (format, row) in [
        ("text", format!("1\t{address}\n").into_bytes()),
        ("csv", format!("1,\"{address}\"\n").into_bytes()),
    ] {
        proxied.send_all(&[
            f::query(&format!(
                "COPY people (id, email) FROM STDIN (FORMAT {format})"
            )),
            f::copy_data(&row),
            f::copy_done(),
        ])?;
        assert!(proxied.ready()?.iter().all(|message| message.tag != b'E'));
        let sql = format!("SELECT count(*) FROM people WHERE {HASHED}");
        assert_eq!(value(&mut direct, &sql)?, "1");
        let by_address = format!("SELECT email FROM people WHERE email = '{address}'");
        assert_eq!(rows(&mut proxied, &by_address)?, expected);
        let answers = proxied.query(&format!(
            "COPY (SELECT email FROM people WHERE email = '{address}') TO STDOUT (FORMAT {format})"
        ))?;
        let copied: Vec<u8> = answers
            .into_iter()
            .filter(|message| message.tag == b'd')
            .flat_map(|message| message.body)
            .collect();
        let hex = hex(address.as_bytes());
        let line = match format {
            "text" => format!("\\{hex}\n"),
            _ => format!("{hex}\n"),
        };
        assert_eq!(String::from_utf8_lossy(&copied), line);
        proxied.run("DELETE FROM people")?;
    }
    same(&scene, "SELECT count(*) FROM people", &[])?;
    Ok(())
}

#[test]
fn comes_and_goes_by_binary_copy() -> Result<()> {
    let scene = scene(|config| config)?;
    let (mut proxied, mut direct) = (scene.proxied()?, scene.direct()?);
    let address = format!("{MARK}-1@example.org");
    let field = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let file = |rows: &[Vec<u8>]| {
        let head = [&b"PGCOPY\n\xff\r\n\0"[..], &[0; 8]].concat();
        [&head, &*rows.concat(), &[0xff, 0xff]].concat()
    };
    let row = [
        &2_u16.to_be_bytes()[..],
        &field(&1_i32.to_be_bytes()),
        &field(address.as_bytes()),
    ];
    proxied.send_all(&[
        f::query("COPY people (id, email) FROM STDIN (FORMAT binary)"),
        f::copy_data(&file(&[row.concat()])),
        f::copy_done(),
    ])?;
    assert!(proxied.ready()?.iter().all(|message| message.tag != b'E'));
    let stored = format!("SELECT count(*) FROM people WHERE {HASHED}");
    assert_eq!(value(&mut direct, &stored)?, "1");
    let answers = proxied.query(&format!(
        "COPY (SELECT email FROM people WHERE email = ANY ('{{{address}}}')) TO STDOUT (FORMAT binary)"
    ))?;
    let copied = answers.into_iter().filter(|message| message.tag == b'd');
    let copied: Vec<u8> = copied.flat_map(|message| message.body).collect();
    let row = [&1_u16.to_be_bytes()[..], &field(address.as_bytes())].concat();
    assert_eq!(
        copied.escape_ascii().to_string(),
        file(&[row]).escape_ascii().to_string()
    );
    Ok(())
}

#[test]
fn uses_the_index_that_acra_users_have() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let mut proxied = scene.proxied()?;
    scene.run_directly(
        "CREATE INDEX people_email ON people (substr(email, 1, 33)); ANALYZE people",
    )?;
    proxied.run("SET enable_seqscan = off")?;
    for condition in [
        "email = 'x'",
        "email IN ('x', 'y')",
        "'x' = people.email",
        "email = ANY ('{x,y}')",
        "email = ANY (ARRAY['x', 'y'])",
    ] {
        let sql = format!("EXPLAIN SELECT id FROM people WHERE {condition}");
        let plan = rows(&mut proxied, &sql)?.concat().join("\n");
        assert!(plan.contains("people_email"), "{condition}: {plan}");
        assert!(
            plan.contains("Cond: (substr(email, 1, 33) = "),
            "{condition}: {plan}"
        );
    }
    Ok(())
}

#[test]
fn is_unique_by_its_hash() -> Result<()> {
    let scene = scene(|config| config)?;
    let (mut proxied, address) = (scene.proxied()?, format!("{MARK}-1@example.org"));
    proxied.run("CREATE UNIQUE INDEX people_email ON people (substr(email, 1, 33))")?;
    let insert = |id: u32, end: &str| {
        format!("INSERT INTO people (id, email) VALUES ({id}, '{address}') {end}")
    };
    proxied.run(&insert(1, ""))?;
    assert!(
        proxied
            .run(&insert(2, ""))
            .unwrap_err()
            .to_string()
            .contains("23505")
    );
    proxied.run(&insert(3, "ON CONFLICT (email) DO NOTHING"))?;
    proxied.run(&insert(
        4,
        "ON CONFLICT (email) DO UPDATE SET grp = 7 WHERE people.email = excluded.email",
    ))?;
    let all = rows(&mut proxied, "SELECT id, grp, email FROM people")?;
    assert_eq!(
        all,
        [["1".to_owned(), "7".to_owned(), hex(address.as_bytes())]]
    );
    Ok(())
}

#[test]
fn is_found_by_its_client_alone() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let mut proxied = scene.proxied()?;
    // The column's own client seals and searches; the connection's client cannot open it, nor verify the hash.
    let sql = "SELECT count(*) FROM accounts WHERE owner = 'owner-1'";
    assert_eq!(value(&mut proxied, sql)?, "10");
    let closed = value(&mut proxied, "SELECT owner FROM accounts WHERE id = 1")?;
    assert!(closed.starts_with("\\x7f"), "{closed}");
    let mixed = proxied.run("SELECT 1 FROM accounts WHERE mail = owner");
    assert!(
        mixed
            .unwrap_err()
            .to_string()
            .contains("protected in another way")
    );
    Ok(())
}

#[test]
fn is_not_found_by_a_rotated_key() -> Result<()> {
    let scene = scene(|config| config)?;
    fill(&scene)?;
    let address = format!("{MARK}-1@example.org");
    let by_address = format!("SELECT email FROM people WHERE email = '{address}'");
    assert_eq!(rows(&mut scene.proxied()?, &by_address)?.len(), 4);
    scene.acra.keys().add_search("test-client")?;
    scene.acra.signal(rustix::process::Signal::HUP)?;
    acra_harness::scene::eventually("the new key is used", || {
        Ok(rows(&mut scene.proxied()?, &by_address)?.is_empty())
    })?;
    // Written anew, values are found again; old ones stay closed, with their hash.
    let mut proxied = scene.proxied()?;
    let old = value(&mut proxied, "SELECT email FROM people WHERE id = 1")?;
    assert!(old.starts_with("\\x7f"), "{old}");
    proxied.run(&format!(
        "UPDATE people SET email = '{address}' WHERE id = 1"
    ))?;
    assert_eq!(
        rows(&mut proxied, &by_address)?,
        [[hex(address.as_bytes())]]
    );
    Ok(())
}

#[test]
fn needs_a_key_that_is_asked_for_by_name() -> Result<()> {
    let scene = scene(|config| acra_harness::servers::AcraConfig {
        search_keys: false,
        ..config
    })?;
    let mut proxied = scene.proxied()?;
    for sql in [
        "INSERT INTO people (id, email) VALUES (1, 'x')",
        "SELECT id FROM people WHERE email = 'x'",
    ] {
        let error = proxied.run(sql).unwrap_err().to_string();
        for part in [
            "58000",
            "\"email\"",
            "\"people\"",
            "\"test-client\"",
            "searchable encryption",
            "--search_hmac_symmetric_key",
        ] {
            assert!(error.contains(part), "{error} lacks {part}");
        }
    }
    assert_eq!(scene.stored("SELECT count(*) FROM people")?, "0");
    assert!(scene.acra.log().contains("--generate_hmac_key"));
    Ok(())
}
