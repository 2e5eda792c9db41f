//! Connections that are made, or change in the middle of a session.

use super::direction::Direction;
use super::{End, Pump, SecuredClient, Services};
use crate::compressed::Compressed;
use crate::transport::Transport;
use acra_engine::session::{Session, Side};
use acra_engine::wire::mysql::compressed::{Algorithm, Role};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// How connections change in the middle of a session.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// This side does a TLS handshake.
    Secure(Side),
    /// These are compressed.
    Compress {
        client: Option<Algorithm>,
        server: Option<Algorithm>,
    },
}

impl<S: Session> Pump<S> {
    /// Connects to the database.
    pub(super) async fn dial(&mut self, services: &impl Services<S>) {
        let outcome = services.dial(self.client.is_encrypted()).await;
        let outcome = self.connected(outcome);
        self.with_output(|session, out| session.server_dialled(outcome, out));
        self.from_client.fresh = true;
    }

    /// Does the TLS handshake with the client; why it has failed.
    pub(super) async fn secure_client(
        &mut self,
        services: &impl Services<S>,
    ) -> Result<(), String> {
        self.change = None;
        let client = std::mem::replace(&mut self.client, Transport::Gone);
        let unread = self.from_client.take_unread(&self.budget);
        let unread = unread.filled().to_vec();
        let SecuredClient {
            transport,
            client_id,
        } = services.secure(client, unread).await?;
        self.client = transport;
        self.session.client_secured(client_id);
        Ok(())
    }

    /// Does the TLS handshake with the database.
    pub(super) async fn secure_server(&mut self, services: &impl Services<S>) {
        self.change = None;
        let unread = self.from_server.take_unread(&self.budget);
        let is_early = !unread.filled().is_empty();
        drop(unread);
        let outcome = match self.server.take() {
            // It may have been put there by somebody between us (CVE-2021-23214).
            _ if is_early => Err("it sent something before the TLS handshake".to_owned()),
            None => Err("it is gone".to_owned()),
            Some(server) => services.secure_server(server).await,
        };
        let outcome = self.connected(outcome);
        self.with_output(|session, out| session.server_secured(outcome, out));
        self.from_client.blocked = false;
        self.from_client.fresh = true;
    }

    /// Goes on with this connection to the database; without one the session ends.
    fn connected(&mut self, outcome: Result<Transport, String>) -> Result<(), String> {
        if outcome.is_err() {
            self.closing = Some(End::NotDialled);
        }
        outcome.map(|connection| self.server = Some(connection))
    }

    /// Compresses connections; what has been read of them is compressed already.
    pub(super) fn compress(&mut self, client: Option<Algorithm>, server: Option<Algorithm>) {
        self.change = None;
        let budget = &self.budget;
        let wrap = |transport, direction: &mut Direction, algorithm, role| {
            let unread = direction.take_unread(budget);
            let compressed = Compressed::new(transport, unread, algorithm, role, budget);
            Transport::Compressed(Box::new(compressed))
        };
        if let Some(algorithm) = client {
            let transport = std::mem::replace(&mut self.client, Transport::Gone);
            self.client = wrap(transport, &mut self.from_client, algorithm, Role::Server);
        }
        if let (Some(algorithm), Some(server)) = (server, &mut self.server) {
            let transport = std::mem::replace(server, Transport::Gone);
            *server = wrap(transport, &mut self.from_server, algorithm, Role::Client);
        }
        // Of a side that stays as it is, the session has not seen all yet.
        self.from_server.fresh = server.is_none();
    }

    /// Sends a CancelRequest on a connection of its own and closes ours after the server has closed it: that tells
    /// the client that the request was processed.
    pub(super) async fn cancel(self, packet: Vec<u8>, services: &impl Services<S>) -> End {
        let Ok(mut socket) = services.dial(self.client.is_encrypted()).await else {
            return End::NotDialled;
        };
        let sent = async {
            socket.write_all(&packet).await?;
            socket.flush().await
        };
        if let Err(error) = sent.await {
            return End::Server(error);
        }
        match socket.read(&mut [0; 16]).await {
            Ok(_) => End::Closed,
            Err(error) => End::Server(error),
        }
    }
}
