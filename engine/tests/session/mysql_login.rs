//! MySQL: from the greeting to the server's consent, with TLS on either side.

use crate::driver::{Driver, From};
use crate::mysql::{context, session};
use crate::mysql_messages::{OFFERED, USED, greeting, packet, packets, response};
use acra_engine::crypto::rsa::{RsaKey, encrypt};
use acra_engine::session::mysql::{DatabaseTls, MixedTls, MySqlSession, Options};
use acra_engine::session::{ClientError, ClientTls, Context};
use acra_engine::wire::mysql::Capabilities;
use acra_engine::wire::mysql::greeting::Greeting;
use std::sync::Arc;

const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];
const CACHING: &str = "caching_sha2_password";
const SCRAMBLE: &[u8; 20] = b"12345678901234567890";
const PASSWORD: &[u8] = b"a password\0";

fn greeted(session: MySqlSession, plugin: &str) -> Driver<MySqlSession> {
    let mut driver = Driver::new(session);
    driver.feed(From::Client, &[]);
    driver.feed(From::Server, &packet(0, &greeting(OFFERED, plugin)));
    driver
}

fn with_tls(client: ClientTls, database: DatabaseTls, key: Option<&Arc<RsaKey>>) -> MySqlSession {
    let context = Context {
        client_tls: client,
        ..context()
    };
    let options = Options {
        database_tls: database,
        mixed_tls: key.map_or(MixedTls::Refuse, |key| MixedTls::Terminate(Arc::clone(key))),
        ..Options::default()
    };
    MySqlSession::new(Arc::new(context), Arc::new(options))
}

fn request() -> Vec<u8> {
    response(USED.with(Capabilities::SSL), b"", "")[..32].to_vec()
}

fn combined(password: &[u8]) -> Vec<u8> {
    let scramble = SCRAMBLE.iter().cycle();
    password.iter().zip(scramble).map(|(a, b)| a ^ b).collect()
}

#[test]
fn what_is_not_understood_is_not_offered() {
    for tls in [ClientTls::Disabled, ClientTls::Allowed] {
        let driver = greeted(with_tls(tls, DatabaseTls::Disabled, None), CACHING);
        let (number, payload) = packets(&driver.to_client).remove(0);
        let offered = Greeting::read(&payload).unwrap().capabilities;
        let cleared = Capabilities::COMPRESS
            .with(Capabilities::ZSTD_COMPRESSION)
            .with(Capabilities::MARIADB_COM_MULTI)
            .with(Capabilities(1 << 29))
            // Of a MariaDB to come.
            .with(Capabilities(1 << 38));
        assert_eq!((number, offered.and(cleared)), (0, Capabilities::default()));
        assert_eq!(offered.has(Capabilities::SSL), tls != ClientTls::Disabled);
        let rest = OFFERED.without(cleared).without(Capabilities::SSL);
        assert!(offered.has(rest));
    }
}

#[test]
fn a_client_that_compresses_without_an_offer_is_told() {
    for asked in [Capabilities::COMPRESS, Capabilities::ZSTD_COMPRESSION] {
        let mut driver = greeted(
            with_tls(ClientTls::Allowed, DatabaseTls::Disabled, None),
            CACHING,
        );
        driver.to_client.clear();
        let wanted = response(USED.with(asked), &[7; 32], CACHING);
        driver.feed(From::Client, &packet(1, &request()));
        driver.feed(From::Client, &packet(2, &wanted));
        let (number, told) = packets(&driver.to_client).remove(0);
        assert_eq!(number, 3);
        assert!(told.starts_with(b"\xff\xd3\x04#42000acra-server does not offer compression"));
        assert!(driver.closed && driver.to_server.is_empty());
    }
}

#[test]
fn a_client_that_uses_what_was_not_offered_does_not_get_it() {
    let mut driver = greeted(session(context()), CACHING);
    let wanted = USED.with(Capabilities::MARIADB_COM_MULTI);
    driver.feed(
        From::Client,
        &packet(1, &response(wanted, &[7; 32], CACHING)),
    );
    assert_eq!(
        driver.to_server,
        packet(1, &response(USED, &[7; 32], CACHING))
    );
}

#[test]
fn tls_of_each_side_is_its_own() {
    use DatabaseTls::{AsClient, Disabled, Preferred, Required};
    for (client, database, asks, secures) in [
        (ClientTls::Disabled, Disabled, false, false),
        (ClientTls::Allowed, AsClient, false, false),
        (ClientTls::Allowed, AsClient, true, true),
        (ClientTls::Required, Disabled, true, false),
        (ClientTls::Disabled, Preferred, false, true),
        (ClientTls::Disabled, Required, false, true),
        (ClientTls::Required, Required, true, true),
    ] {
        let mut driver = greeted(with_tls(client, database, None), CACHING);
        let mut number = 1;
        if asks {
            driver.feed(From::Client, &packet(1, &request()));
            number = 2;
        }
        driver.feed(
            From::Client,
            &packet(number, &response(USED, &[7; 32], CACHING)),
        );
        let to_server = packets(&driver.to_server);
        let case = format!("{client:?} {database:?} {asks}");
        if secures {
            let with_tls = response(USED.with(Capabilities::SSL), &[7; 32], CACHING);
            assert_eq!(to_server, [(1, request()), (2, with_tls)], "{case}");
        } else {
            assert_eq!(
                to_server,
                [(1, response(USED, &[7; 32], CACHING))],
                "{case}"
            );
        }
        driver.to_client.clear();
        let answer = if secures { 3 } else { 2 };
        driver.feed(From::Server, &packet(answer, OK));
        assert_eq!(driver.to_client, packet(number + 1, OK), "{case}");
    }
}

#[test]
fn a_client_in_clear_is_refused_where_tls_is_required() {
    let mut driver = greeted(
        with_tls(ClientTls::Required, DatabaseTls::Disabled, None),
        CACHING,
    );
    driver.to_client.clear();
    driver.feed(From::Client, &packet(1, &response(USED, &[7; 32], CACHING)));
    let (number, told) = packets(&driver.to_client).remove(0);
    assert_eq!(number, 2);
    assert!(told.starts_with(b"\xff\x15\x04#28000acra-server accepts only encrypted"));
    assert!(driver.closed && driver.to_server.is_empty());
    // As in Acra: a client that wants TLS where there is none.
    let mut driver = greeted(session(context()), CACHING);
    driver.to_client.clear();
    driver.feed(From::Client, &packet(1, &request()));
    let text = b"\xff\x25\x05#70100Query execution was interrupted";
    assert_eq!(driver.to_client, packet(2, text));
    assert!(driver.closed);
}

#[test]
fn a_database_that_does_not_offer_tls_is_not_used_where_it_is_required() {
    let session = with_tls(ClientTls::Disabled, DatabaseTls::Required, None);
    let mut driver = Driver::new(session);
    driver.feed(From::Client, &[]);
    let plain = OFFERED.without(Capabilities::SSL);
    driver.feed(From::Server, &packet(0, &greeting(plain, CACHING)));
    driver.feed(From::Client, &packet(1, &response(USED, &[7; 32], CACHING)));
    assert!(driver.closed && driver.to_server.is_empty());
}

#[test]
fn a_server_that_refuses_speaks_for_itself() {
    let mut driver = Driver::new(session(context()));
    driver.feed(From::Client, &[]);
    let refusal = packet(0, b"\xff\x10\x04Too many connections");
    driver.feed(From::Server, &refusal);
    assert_eq!(driver.to_client, refusal);
    assert!(driver.closed);
    // We do so before it has been asked, in the same form.
    let mut session = session(context());
    session.turn_away(ClientError::fatal("53300", "Too many connections"));
    let mut driver = Driver::new(session);
    driver.feed(From::Client, &[]);
    assert_eq!(driver.to_client, refusal);
}

#[test]
fn nothing_reaches_the_server_out_of_turn() {
    let mut driver = greeted(session(context()), CACHING);
    let query = packet(0, b"\x03SELECT 1");
    driver.feed(From::Client, &packet(1, &response(USED, &[7; 32], CACHING)));
    driver.feed(From::Client, &query);
    assert_eq!(packets(&driver.to_server).len(), 1);
    // The server knows the client: this asks for nothing.
    driver.feed(From::Server, &packet(2, &[1, 3]));
    assert_eq!(packets(&driver.to_server).len(), 1);
    driver.feed(From::Server, &packet(3, OK));
    assert!(driver.to_server.ends_with(&query));
    // What the server has asked for passes, and no more than that.
    let mut driver = greeted(session(context()), CACHING);
    driver.feed(From::Client, &packet(1, &response(USED, &[7; 32], CACHING)));
    driver.feed(From::Server, &packet(2, b"\xfeclient_ed25519\0scramble\0"));
    driver.feed(From::Client, &[packet(3, b"signature"), query].concat());
    assert!(driver.to_server.ends_with(&packet(3, b"signature")));
}

/// A client with TLS shows its password; a server without gets it hidden.
#[test]
fn a_password_that_was_shown_is_hidden() {
    let (own, servers) = (
        Arc::new(RsaKey::generate().unwrap()),
        RsaKey::generate().unwrap(),
    );
    let session = with_tls(ClientTls::Allowed, DatabaseTls::Disabled, Some(&own));
    let mut driver = greeted(session, CACHING);
    driver.feed(From::Client, &packet(1, &request()));
    driver.feed(From::Client, &packet(2, &response(USED, &[7; 32], CACHING)));
    driver.feed(From::Server, &packet(2, &[1, 4]));
    driver.to_client.clear();
    driver.to_server.clear();
    driver.feed(From::Client, &packet(4, PASSWORD));
    assert_eq!(driver.to_server, packet(3, &[2]), "asks for the key");
    driver.to_server.clear();
    let pem = [&[1], servers.public_pem().as_bytes()].concat();
    driver.feed(From::Server, &packet(4, &pem));
    let (number, hidden) = packets(&driver.to_server).remove(0);
    assert_eq!(number, 5);
    assert_eq!(&**servers.decrypt(&hidden).unwrap(), combined(PASSWORD));
    assert!(driver.to_client.is_empty());
    driver.feed(From::Server, &packet(6, OK));
    assert_eq!(driver.to_client, packet(5, OK));
}

/// A client without TLS hides its password by our key; a server with TLS gets it as it is.
#[test]
fn a_password_that_was_hidden_is_shown() {
    for (plugin, asks) in [(CACHING, 2), ("sha256_password", 1)] {
        let own = Arc::new(RsaKey::generate().unwrap());
        let session = with_tls(ClientTls::Disabled, DatabaseTls::Required, Some(&own));
        let mut driver = greeted(session, CACHING);
        driver.feed(From::Client, &packet(1, &response(USED, &[7; 32], CACHING)));
        let demand = match plugin {
            CACHING => vec![1, 4],
            plugin => [b"\xfe", plugin.as_bytes(), b"\0", SCRAMBLE, b"\0"].concat(),
        };
        driver.feed(From::Server, &packet(3, &demand));
        driver.to_client.clear();
        driver.to_server.clear();
        driver.feed(From::Client, &packet(3, &[asks]));
        let pem = [&[1], own.public_pem().as_bytes()].concat();
        assert_eq!(driver.to_client, packet(4, &pem));
        let hidden = encrypt(own.public_pem().as_bytes(), &combined(PASSWORD)).unwrap();
        driver.feed(From::Client, &packet(5, &hidden));
        assert_eq!(driver.to_server, packet(4, PASSWORD));
        driver.feed(From::Server, &packet(5, OK));
        assert!(driver.to_client.ends_with(&packet(6, OK)));
    }
}

#[test]
fn unequal_connections_may_be_refused() {
    let session = with_tls(ClientTls::Disabled, DatabaseTls::Required, None);
    let mut driver = greeted(session, CACHING);
    driver.feed(From::Client, &packet(1, &response(USED, &[7; 32], CACHING)));
    driver.to_client.clear();
    driver.feed(From::Server, &packet(3, &[1, 4]));
    let told = packets(&driver.to_client);
    assert!(
        told[0]
            .1
            .starts_with(b"\xff\x15\x04#28000the password cannot pass")
    );
    assert!(driver.closed);
    // A password that nobody has asked for, and one that would go on in clear.
    let plain = with_tls(ClientTls::Allowed, DatabaseTls::Disabled, None);
    let mut driver = greeted(plain, CACHING);
    driver.feed(From::Client, &packet(1, &request()));
    driver.feed(
        From::Client,
        &packet(2, &response(USED, PASSWORD, "sha256_password")),
    );
    assert!(driver.closed && driver.to_server.is_empty());
}
