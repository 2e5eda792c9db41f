//! What happens when a poison record is met: a line in the log, a script, the end of the process, in this order.

use crate::settings::{StartError, wrong};
use acra_cli::Parsed;
use acra_engine::keys::ClientId;
use acra_engine::session::PoisonReply;
use acra_telemetry::{Logger, codes};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the flags say of poison records.
#[derive(Debug)]
pub(crate) struct PoisonSettings {
    /// Whether they are looked for.
    pub(crate) detects: bool,
    /// What the client gets.
    pub(crate) reply: PoisonReply,
    script: Option<PathBuf>,
    ends_process: bool,
}

impl PoisonSettings {
    pub(crate) fn new(parsed: &Parsed) -> Result<Self, StartError> {
        let script = PathBuf::from(parsed.text("poison_run_script_file"));
        let script = Some(script).filter(|script| !script.as_os_str().is_empty());
        let is_program = |script: &PathBuf| {
            rustix::fs::access(script, rustix::fs::Access::EXEC_OK).is_ok() && script.is_file()
        };
        if let Some(script) = script.as_ref().filter(|script| !is_program(script)) {
            let message = format!(
                "--poison_run_script_file: {} is not a file that can be run",
                script.display()
            );
            return Err(StartError::new(codes::WRONG_CONFIGURATION, message));
        }
        Ok(Self {
            detects: parsed.boolean("poison_detect_enable"),
            reply: match parsed.text("poison_reply") {
                "error" => PoisonReply::Error,
                "pass" => PoisonReply::Pass,
                other => return Err(wrong("poison_reply", other, "error or pass")),
            },
            script,
            ends_process: parsed.boolean("poison_shutdown_enable"),
        })
    }

    /// Says at start what is watched.
    pub(crate) fn announce(&self, logger: &Logger) {
        if !self.detects {
            if self.script.is_some() || self.ends_process {
                logger.warning(
                    "Poison records are not looked for: --poison_run_script_file and --poison_shutdown_enable need --poison_detect_enable",
                    &[codes::code(codes::WRONG_CONFIGURATION)],
                );
            }
            return;
        }
        logger.info(
            "Turned on poison record detection",
            &[codes::code(codes::POISON_DETECTION)],
        );
        if self.script.is_some() {
            logger.info(
                "Turned on script execution for on detected poison record",
                &[],
            );
        }
        if self.ends_process {
            logger.info(
                "Turned on poison record callback that stops acra-server after poison record detection",
                &[],
            );
        }
    }

    /// Does what the flags say.
    pub(crate) fn met(
        &self,
        logger: &Logger,
        session: u64,
        client_id: Option<&ClientId>,
        statement: Option<&str>,
    ) {
        let session = session.to_string();
        let client_id = client_id.map(ClientId::as_str).unwrap_or_default();
        let statement = statement.unwrap_or_default();
        logger.warning(
            "Recognized poison record",
            &[
                codes::code(codes::POISON_RECORD),
                ("session_id", (&session).into()),
                ("client_id", client_id.into()),
                ("statement", statement.into()),
            ],
        );
        if let Some(script) = &self.script {
            let started = Command::new(script)
                .env("ACRA_SESSION_ID", &session)
                .env("ACRA_CLIENT_ID", client_id)
                .env("ACRA_STATEMENT", statement)
                .env_remove("ACRA_MASTER_KEY")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn();
            match started {
                Ok(mut script) => {
                    // Not awaited by anybody but a thread, so that no dead process stays behind.
                    std::thread::spawn(move || script.wait());
                }
                Err(error) => logger.error(
                    "Can't start the script for a poison record",
                    &[
                        codes::code(codes::POISON_CALLBACK),
                        ("path", (&script.display().to_string()).into()),
                        ("error", (&error.to_string()).into()),
                    ],
                ),
            }
        }
        if self.ends_process {
            logger.error(
                "Detected poison record, exit",
                &[codes::code(codes::POISON_DETECTION)],
            );
            end();
        }
    }
}

/// Ends the process before another byte leaves it.
#[expect(
    clippy::disallowed_methods,
    reason = "an intruder is at work: no session may go on for as long as an orderly end takes; the memory goes with the process"
)]
fn end() -> ! {
    std::process::exit(1)
}
