//! TLS with Redis: with whom, and whose certificate was revoked.

use super::server::{RedisServer, cluster};
use super::{key, listed, record, runtime};
use acra_engine::tokens::StoreCall;
use acra_stores::tokens::{RedisFlags, RedisPlace, TokenStore};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use std::fs;
use tempfile::TempDir;

/// The serial number of the server's certificate.
const SERIAL: u64 = 0x5e;

/// Two authorities; the first has issued certificates for a server at 127.0.0.1 and for a client. They are files.
struct Pki {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        let pki = Self {
            directory: tempfile::tempdir().unwrap(),
            issuer: authority("ours"),
        };
        pki.write("ca.pem", &pki.issuer.pem());
        pki.write("other.pem", &authority("another").pem());
        for (file, name, serial) in [("server", "127.0.0.1", SERIAL), ("client", "client", 1)] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            params.serial_number = Some(SerialNumber::from(serial));
            let certificate = params.signed_by(&key, &pki.issuer).unwrap();
            pki.write(&format!("{file}.pem"), &certificate.pem());
            pki.write(&format!("{file}.key"), &key.serialize_pem());
        }
        pki
    }

    fn path(&self, file: &str) -> String {
        self.directory
            .path()
            .join(file)
            .to_str()
            .unwrap()
            .to_owned()
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.path(file), text).unwrap();
    }

    /// The address of a list of the first authority in which this number is revoked.
    fn revoking(&self, serial: u64) -> String {
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2999, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date_time_ymd(2021, 2, 3),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        self.write(
            "list.pem",
            &list.signed_by(&self.issuer).unwrap().pem().unwrap(),
        );
        format!("file://{}", self.path("list.pem"))
    }

    /// The arguments of a server that asks for certificates.
    fn arguments(&self) -> Vec<String> {
        let files = [
            ("--tls-ca-cert-file", "ca.pem"),
            ("--tls-cert-file", "server.pem"),
            ("--tls-key-file", "server.key"),
        ];
        let words = [
            "--port",
            "0",
            "--tls-port",
            "PORT",
            "--tls-auth-clients",
            "yes",
        ];
        let words = words.map(str::to_owned).into_iter();
        let files = files.map(|(setting, file)| [setting.to_owned(), self.path(file)]);
        words.chain(files.into_iter().flatten()).collect()
    }

    /// A server with this certificate.
    fn server(&self) -> Option<RedisServer> {
        let arguments = self.arguments();
        RedisServer::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The flags that get in there, and others in their place.
    fn place(&self, port: u16, others: &[(&str, &str)]) -> RedisPlace {
        let files = [
            ("redis_tls_client_ca", self.path("ca.pem")),
            ("redis_tls_client_cert", self.path("client.pem")),
            ("redis_tls_client_key", self.path("client.key")),
            ("redis_host_port", format!("127.0.0.1:{port}")),
        ];
        let text = |name: &str| {
            let other = others.iter().find(|(flag, _)| *flag == name);
            let file = files.iter().find(|(flag, _)| *flag == name);
            match (other, file) {
                (Some((_, text)), _) => text,
                (_, Some((_, file))) => &**file,
                _ if name.ends_with("_from_cert") => "prefer",
                _ if name.ends_with("_required") => "denyUnknown",
                _ => "",
            }
        };
        RedisPlace::new(&RedisFlags {
            text: &text,
            integer: &|_| 0,
            boolean: &|name| name == "redis_tls_enable",
        })
        .unwrap()
    }
}

/// Why a store cannot be used.
fn probe(place: &RedisPlace) -> Result<(), String> {
    let store = TokenStore::in_redis(place);
    let reached = runtime().block_on(store.probe());
    reached.map_err(|error| error.to_string())
}

#[test]
fn encrypted_and_only_with_whom_it_should_be() {
    let pki = Pki::new();
    let Some(server) = pki.server() else {
        return;
    };
    probe(&pki.place(server.port, &[])).unwrap();
    assert!(probe(&server.place()).is_err());
    let other = pki.path("other.pem");
    let elsewhere = format!("localhost:{}", server.port);
    for (others, said) in [
        (
            &[("redis_tls_client_ca", &*other)][..],
            "set --redis_tls_client_ca",
        ),
        // That of the system.
        (&[("redis_tls_client_ca", "")], "--redis_tls_client_ca"),
        (
            &[("redis_tls_client_cert", ""), ("redis_tls_client_key", "")],
            "127.0.0.1:",
        ),
        // The name counts: the certificate is for the address.
        (
            &[("redis_host_port", &*elsewhere)],
            "set --redis_tls_client_sni",
        ),
        (
            &[("redis_tls_client_sni", "localhost")],
            "set --redis_tls_client_sni",
        ),
    ] {
        let error = probe(&pki.place(server.port, others)).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
    let named = [
        ("redis_host_port", &*elsewhere),
        ("redis_tls_client_sni", "127.0.0.1"),
    ];
    probe(&pki.place(server.port, &named)).unwrap();
}

#[test]
fn a_revoked_certificate_is_refused_and_so_is_one_that_cannot_be_looked_up() {
    let pki = Pki::new();
    let Some(server) = pki.server() else {
        return;
    };
    let with = |flag, value: &str| probe(&pki.place(server.port, &[(flag, value)]));
    with("redis_tls_crl_client_url", &pki.revoking(SERIAL + 1)).unwrap();
    let error = with("redis_tls_crl_client_url", &pki.revoking(SERIAL)).unwrap_err();
    assert!(error.contains("certificate was revoked"), "{error}");
    assert!(
        error.contains("the Redis server needs a new certificate"),
        "{error}"
    );
    for (flag, hint) in [
        (
            "redis_tls_crl_client_url",
            "--redis_tls_crl_client_from_cert",
        ),
        (
            "redis_tls_ocsp_client_url",
            "--redis_tls_ocsp_client_from_cert",
        ),
    ] {
        let place = pki.place(server.port, &[(flag, "http://127.0.0.1:1/")]);
        let store = TokenStore::in_redis(&place);
        let error = runtime().block_on(store.probe()).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
        // It is told at once that a source cannot be reached.
        let warnings = store.take_warnings().concat();
        assert!(warnings.contains("http://127.0.0.1:1/"), "{warnings}");
    }
    // Nothing was sent to a server that is not trusted.
    assert_eq!(server.cli(&["DBSIZE"]), "0");
}

#[test]
fn a_cluster_with_tls_and_a_password() {
    let pki = Pki::new();
    let mut arguments = pki.arguments();
    arguments.extend(["--tls-cluster", "yes", "--requirepass", "secret"].map(str::to_owned));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let Some(servers) = cluster(2, &arguments) else {
        return;
    };
    let place = |others: &[(&str, &str)]| pki.place(servers[0].port, others);
    let store = TokenStore::in_redis(&place(&[("redis_password", "secret")]));
    runtime().block_on(async {
        let calls = (0..50).map(|number| StoreCall::Save(key(number, number), record(b"x")));
        store.run(calls.collect()).await.unwrap();
        assert_eq!(listed(&store).await.0.len(), 50);
    });
    let sizes = servers.iter().map(|server| server.cli(&["DBSIZE"]));
    let sizes: Vec<u32> = sizes.map(|size| size.parse().unwrap()).collect();
    assert!(sizes.iter().all(|size| *size > 10), "{sizes:?}");
    let error = probe(&place(&[("redis_password", "another")])).unwrap_err();
    assert!(error.contains("uthenticat"), "{error}");
    let revoked = [
        ("redis_password", "secret"),
        ("redis_tls_crl_client_url", &*pki.revoking(SERIAL)),
    ];
    let error = probe(&place(&revoked)).unwrap_err();
    assert!(error.contains("certificate was revoked"), "{error}");
}
