//! TLS as the flags ask for it, on both sides.

use crate::revocation::{Lookups, RevocationSettings};
use crate::settings::{StartError, path};
use acra_cli::Parsed;
use acra_engine::keys::ClientId;
use acra_engine::session::mysql::DatabaseTls;
use acra_engine::session::{ClientError, ClientTls};
use acra_net::tls::{
    AuthMode, Extractor, HANDSHAKE_DEADLINE, ListenerSettings, ListenerTls, Peer, PeerIdentity,
    Secured, TlsError, UpstreamMode, UpstreamSettings, UpstreamTls, accept, client_id,
};
use acra_net::{Rewound, SecuredClient, Transport};
use acra_telemetry::{Logger, codes};
use tokio::time::timeout;

/// The flags of both sides; the files are read by [`Tls::load`].
#[derive(Debug, Clone)]
pub(crate) struct TlsSettings {
    client_mode: ClientTls,
    listener: ListenerSettings,
    upstream: UpstreamSettings,
    /// The database is asked for TLS by those clients only that use it, and may decline.
    upstream_follows: bool,
    /// What of a client's certificate is its id.
    extractor: Option<Extractor>,
    revocation: RevocationSettings,
}

/// Both sides, ready for handshakes.
#[derive(Debug)]
pub(crate) struct Tls {
    settings: TlsSettings,
    listener: Option<ListenerTls>,
    upstream: UpstreamTls,
    revocation: Lookups,
}

fn refuse(flag: &str, cause: impl std::fmt::Display) -> StartError {
    StartError::new(codes::TRANSPORT, format!("--{flag}: {cause}"))
}

impl TlsSettings {
    pub(crate) fn new(parsed: &Parsed, db_host: &str) -> Result<Self, StartError> {
        let cert = path(parsed, "tls_client_cert");
        let level = match parsed.integer("tls_client_auth") {
            -1 => parsed.integer("tls_auth"),
            level => level,
        };
        let auth = AuthMode::from_level(level)
            .map_err(|error| StartError::new(codes::TRANSPORT, error.to_string()))?;
        let client_mode = match parsed.text("tls_client_mode") {
            "" if cert.is_some() => ClientTls::Allowed,
            "" | "disable" => ClientTls::Disabled,
            "allow" => ClientTls::Allowed,
            "require" => ClientTls::Required,
            other => {
                return Err(refuse(
                    "tls_client_mode",
                    format_args!("{other} is none of disable, allow and require"),
                ));
            }
        };
        if client_mode != ClientTls::Disabled && cert.is_none() {
            return Err(refuse(
                "tls_client_mode",
                "TLS with applications needs a certificate: --tls_cert and --tls_key, or --tls_client_cert and --tls_client_key",
            ));
        }
        let extractor = Extractor::from_name(parsed.text("tls_identifier_extractor_type"))
            .map_err(|error| refuse("tls_identifier_extractor_type", error))?;
        let from_certificate =
            parsed.boolean("tls_client_id_from_cert") && client_mode != ClientTls::Disabled;
        if from_certificate && auth == AuthMode::None {
            return Err(StartError::new(
                codes::TRANSPORT,
                "Cannot be used --tls_client_id_from_cert together with --tls_auth=0 or --tls_client_auth=0 due to unnecessary of client's certificate in TLS handshake",
            ));
        }
        let (mode, upstream_follows) = match parsed.text("tls_database_mode") {
            "" if client_mode == ClientTls::Disabled => (UpstreamMode::Disable, false),
            "" => (UpstreamMode::VerifyFull, true),
            name => (
                UpstreamMode::from_name(name)
                    .map_err(|error| refuse("tls_database_mode", error))?,
                false,
            ),
        };
        Ok(Self {
            client_mode,
            listener: ListenerSettings {
                cert,
                key: path(parsed, "tls_client_key"),
                ca: path(parsed, "tls_client_ca"),
                auth,
                system_roots: false,
            },
            upstream: UpstreamSettings {
                peer: Peer::Database,
                mode,
                ca: path(parsed, "tls_database_ca"),
                system_roots: true,
                cert: path(parsed, "tls_database_cert"),
                key: path(parsed, "tls_database_key"),
                server_name: match parsed.text("tls_database_sni") {
                    "" => db_host.to_owned(),
                    name => name.to_owned(),
                },
            },
            upstream_follows,
            extractor: from_certificate.then_some(extractor),
            revocation: RevocationSettings::new(parsed)?,
        })
    }

    /// Whether clients get their id from their certificate.
    pub(crate) fn identifies_clients(&self) -> bool {
        self.extractor.is_some()
    }
}

impl Tls {
    /// Reads the files.
    pub(crate) fn load(settings: &TlsSettings, logger: &Logger) -> Result<Self, StartError> {
        let fail = |what: &str, error: &TlsError| {
            StartError::new(
                codes::TRANSPORT,
                format!("Configuration error: can't create {what} TLS config"),
            )
            .caused_by(error)
        };
        let listener = match settings.client_mode {
            ClientTls::Disabled => None,
            ClientTls::Allowed | ClientTls::Required => Some(
                ListenerTls::new(&settings.listener)
                    .map_err(|error| fail("application", &error))?,
            ),
        };
        let upstream =
            UpstreamTls::new(&settings.upstream).map_err(|error| fail("database", &error))?;
        let warnings = listener.iter().flat_map(|listener| listener.warnings());
        for warning in warnings.chain(upstream.warnings()) {
            logger.warning(warning, &[codes::code(codes::TRANSPORT)]);
        }
        Ok(Self {
            settings: settings.clone(),
            revocation: Lookups::new(&settings.revocation, logger),
            listener,
            upstream,
        })
    }

    pub(crate) fn client_mode(&self) -> ClientTls {
        self.settings.client_mode
    }

    /// Tries the sources of revocations that are configured.
    pub(crate) async fn probe(&self) {
        self.revocation.probe().await;
    }

    /// Does the handshake with a client, the first bytes of which may have been read; `direct` says that it began without
    /// asking.
    pub(crate) async fn secure_client(
        &self,
        client: Rewound<Transport>,
        direct: bool,
    ) -> Result<SecuredClient, String> {
        let Some(listener) = &self.listener else {
            return Err("TLS is not configured".to_owned());
        };
        let handshake = timeout(HANDSHAKE_DEADLINE, accept(listener, client, direct));
        let (stream, identity) = match handshake.await {
            Ok(Ok(secured)) => secured,
            Ok(Err(error)) => return Err(with_hint(&error)),
            Err(_) => return Err("handshake timeout".to_owned()),
        };
        let client_id = match self.revocation.client(listener, &identity).await {
            Ok(()) => self.identify(&identity),
            Err(refused) => Err(refused),
        };
        Ok(SecuredClient {
            transport: Transport::Tls(Box::new(stream)),
            client_id,
        })
    }

    fn identify(&self, identity: &PeerIdentity) -> Result<Option<ClientId>, ClientError> {
        let Some(extractor) = self.settings.extractor else {
            return Ok(None);
        };
        let wrong = |cause: &dyn std::fmt::Display| {
            ClientError::fatal("28000", format!("the client's certificate does not identify it: {cause}")).hint(
                "Give the driver a certificate and key for client authentication that a CA of acra-server has issued.",
            )
        };
        let leaf = identity
            .leaf()
            .ok_or_else(|| wrong(&"no peer tls certificate"))?;
        let id = client_id(leaf, extractor).map_err(|error| wrong(&error))?;
        ClientId::new(&id).map(Some).map_err(|error| wrong(&error))
    }

    /// Whether a database is asked for TLS on behalf of such a client.
    pub(crate) fn asks_database(&self, client_is_encrypted: bool) -> bool {
        self.settings.upstream.mode != UpstreamMode::Disable
            && (client_is_encrypted || !self.settings.upstream_follows)
    }

    /// When MySQL is asked for TLS.
    pub(crate) fn database_mode(&self) -> DatabaseTls {
        match self.settings.upstream.mode {
            UpstreamMode::Disable => DatabaseTls::Disabled,
            _ if self.settings.upstream_follows => DatabaseTls::AsClient,
            UpstreamMode::Prefer => DatabaseTls::Preferred,
            UpstreamMode::Require | UpstreamMode::VerifyCa | UpstreamMode::VerifyFull => {
                DatabaseTls::Required
            }
        }
    }

    /// Asks PostgreSQL for TLS. `None`: it declines, and need not have it; the connection is of no more use.
    pub(crate) async fn secure_database(
        &self,
        connection: Transport,
    ) -> Result<Option<Transport>, String> {
        match timeout(HANDSHAKE_DEADLINE, self.upstream.secure(connection)).await {
            Ok(Ok(secured)) => self.verified(secured).await.map(Some),
            Ok(Err(TlsError::NotOffered)) if self.settings.upstream_follows => Ok(None),
            Ok(Err(error)) => Err(with_hint(&error)),
            Err(_) => Err("handshake timeout".to_owned()),
        }
    }

    /// Does the handshake with MySQL, which has been asked for it.
    pub(crate) async fn secure_asked_database(
        &self,
        connection: Transport,
    ) -> Result<Transport, String> {
        match timeout(HANDSHAKE_DEADLINE, self.upstream.handshake(connection)).await {
            Ok(Ok(secured)) => self.verified(secured).await,
            Ok(Err(error)) => Err(with_hint(&error)),
            Err(_) => Err("handshake timeout".to_owned()),
        }
    }

    /// The connection, if the database's certificate has not been revoked.
    async fn verified(&self, secured: Secured<Transport>) -> Result<Transport, String> {
        let is_encrypted = matches!(secured, Secured::Tls(_));
        if is_encrypted && self.settings.upstream.mode.verifies() {
            let chain = secured.certificates();
            self.revocation.database(&self.upstream, chain).await?;
        }
        Ok(match secured {
            Secured::Plain(connection) => connection,
            Secured::Tls(stream) => Transport::Tls(stream),
        })
    }
}

fn with_hint(error: &TlsError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}: {hint}"),
        None => error.to_string(),
    }
}
