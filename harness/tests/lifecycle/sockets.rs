use acra_harness::scene::{Scene, eventually};
use acra_harness::servers::{AcraConfig, AcraServer, Postgres};
use acra_harness::{Context, Result};
use rustix::process::Signal;
use std::os::unix::net::UnixListener;
use std::path::Path;
use tokio_postgres::NoTls;

async fn answer_through(socket: &Path) -> Result<String> {
    let mut config = tokio_postgres::Config::new();
    // The name of the file is `.s.PGSQL.` and this port.
    config
        .host_path(socket.parent().unwrap_or(socket))
        .port(9393)
        .user("postgres")
        .dbname("postgres");
    let (client, connection) = config
        .connect(NoTls)
        .await
        .context(|| "connecting".into())?;
    tokio::spawn(connection);
    Ok(client
        .query_one("SELECT 'through a socket'", &[])
        .await?
        .get(0))
}

#[tokio::test]
async fn clients_connect_by_a_unix_socket() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join(".s.PGSQL.9393");
    // Somebody listened here and did not clean up.
    drop(UnixListener::bind(&socket)?);
    let postgres = Postgres::shared(15)?;
    let config = AcraConfig {
        unix_socket: Some(socket.clone()),
        ..AcraConfig::new(postgres.address())
    };
    let mut server = AcraServer::start(&config)?;
    assert_eq!(answer_through(&socket).await?, "through a socket");
    server.signal(Signal::TERM)?;
    assert!(server.daemon().wait()?.success());
    assert!(!socket.exists());
    Ok(())
}

#[test]
fn the_database_is_reached_by_its_unix_socket() -> Result<()> {
    let postgres = Postgres::shared(15)?;
    let folder = postgres.socket_folder()?;
    let scene = Scene::with(|config| config.flag(&format!("--db_host={}", folder.display())))?;
    eventually("it answers", || Ok(scene.proxied().is_ok()))?;
    scene.works()
}
