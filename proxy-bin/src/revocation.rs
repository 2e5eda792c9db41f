//! Whether certificates of peers are revoked, as the flags ask for it.

use crate::settings::StartError;
use acra_cli::Parsed;
use acra_engine::session::ClientError;
use acra_net::tls::revocation::{
    BadSetting, CrlSettings, OcspSettings, Revocation, RevocationError,
};
use acra_net::tls::{ListenerTls, Peer, PeerIdentity, UpstreamTls};
use acra_telemetry::{Logger, codes};

/// The flags of one side (cli.md 10.3).
#[derive(Debug, Clone)]
struct Side {
    ocsp: OcspSettings,
    crl: CrlSettings,
}

/// The flags of both sides.
#[derive(Debug, Clone)]
pub(crate) struct RevocationSettings {
    client: Side,
    database: Side,
}

impl RevocationSettings {
    pub(crate) fn new(parsed: &Parsed) -> Result<Self, StartError> {
        Ok(Self {
            client: Side::new(parsed, "client")?,
            database: Side::new(parsed, "database")?,
        })
    }
}

impl Side {
    fn new(parsed: &Parsed, side: &str) -> Result<Self, StartError> {
        let ocsp = |member: &str| format!("tls_ocsp_{side}_{member}");
        let crl = |member: &str| format!("tls_crl_{side}_{member}");
        let refuse = |kind: &str, BadSetting { member, text }| {
            StartError::new(
                codes::TRANSPORT,
                format!("--tls_{kind}_{side}_{member} (or --tls_{kind}_{member}): {text}"),
            )
        };
        Ok(Self {
            ocsp: OcspSettings::new(
                parsed.text(&ocsp("url")),
                parsed.text(&ocsp("required")),
                parsed.text(&ocsp("from_cert")),
                parsed.boolean(&ocsp("check_only_leaf_certificate")),
            )
            .map_err(|bad| refuse("ocsp", bad))?,
            crl: CrlSettings::new(
                parsed.text(&crl("url")),
                parsed.text(&crl("from_cert")),
                parsed.boolean(&crl("check_only_leaf_certificate")),
                parsed.integer(&crl("cache_size")),
                parsed.integer(&crl("cache_time")),
            )
            .map_err(|bad| refuse("crl", bad))?,
        })
    }
}

/// The lookups of both sides, with what is kept of them.
#[derive(Debug)]
pub(crate) struct Lookups {
    client: Revocation,
    database: Revocation,
    logger: Logger,
}

impl Lookups {
    pub(crate) fn new(settings: &RevocationSettings, logger: &Logger) -> Self {
        let side = |Side { ocsp, crl }: &Side| Revocation::new(ocsp.clone(), crl.clone());
        Self {
            client: side(&settings.client),
            database: side(&settings.database),
            logger: logger.clone(),
        }
    }

    /// Tries the configured addresses, and tells of those that cannot be reached.
    pub(crate) async fn probe(&self) {
        for side in [&self.client, &self.database] {
            self.warn(&side.probe().await);
        }
    }

    /// Whether a client whose certificate was verified may come in.
    pub(crate) async fn client(
        &self,
        tls: &ListenerTls,
        identity: &PeerIdentity,
    ) -> Result<(), ClientError> {
        if identity.verified.is_empty() {
            return Ok(());
        }
        match self.client.check(&identity.verified, tls.cas()).await {
            Ok(warnings) => {
                self.warn(&warnings);
                Ok(())
            }
            Err(error) => {
                let hint = if error.is_revoked() {
                    "Get a new certificate from the CA that issued it."
                } else {
                    "Its revocation has to be looked up. Whoever runs acra-server finds the cause in its log."
                };
                let reason = error.reason();
                self.log("Error in tls handshake with client", Peer::Client, &error);
                let message = format!("the client's certificate is not accepted: {reason}");
                Err(ClientError::fatal("28000", message).hint(hint))
            }
        }
    }

    /// Whether a database whose certificate was verified may be used.
    pub(crate) async fn database(
        &self,
        tls: &UpstreamTls,
        chain: &[impl AsRef<[u8]>],
    ) -> Result<(), String> {
        let chain: Vec<_> = chain.iter().map(|der| der.as_ref().into()).collect();
        match self.database.check(&chain, tls.cas()).await {
            Ok(warnings) => {
                self.warn(&warnings);
                Ok(())
            }
            Err(error) => {
                self.log(
                    "Can't initialize tls connection with db",
                    Peer::Database,
                    &error,
                );
                let reason = error.reason();
                Err(format!(
                    "the database's certificate is not accepted: {reason}"
                ))
            }
        }
    }

    fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            self.logger.warning(warning, &[codes::code(codes::TLS)]);
        }
    }

    fn log(&self, message: &str, peer: Peer, error: &RevocationError) {
        let (hint, error) = (error.hint(peer), error.to_string());
        self.logger.error(
            message,
            &[codes::code(codes::TLS), ("error", (&error).into())],
        );
        self.logger.info(
            &hint,
            &[codes::code(codes::TLS), ("error", (&error).into())],
        );
    }
}
