//! A driver in use by many works with a protected table as with any other.

mod sessions;
mod statements;

use acra_harness::scene::Scene;
use acra_harness::{Result, at_rest};
use tokio_postgres::Client;

/// In every secret.
const MARK: &str = "Driven-Secret-31";

async fn client(scene: &Scene<'_>) -> Result<Client> {
    scene.acra.connect(&scene.database).await
}

fn secret(number: i32) -> Vec<u8> {
    format!("{MARK} number {number} \0 \u{1f511}").into_bytes()
}

/// That nothing of the secrets is in the database, which has so many rows.
fn is_sealed(scene: &Scene<'_>, rows: u32) -> Result<()> {
    let sealed = "SELECT count(*) FROM vault WHERE substr(secret, 1, 3) = '%%%'";
    assert_eq!(scene.stored(sealed)?, rows.to_string());
    let found = at_rest::in_tables(scene.postgres, &scene.database, &[MARK.as_bytes()])?;
    assert!(found.is_empty(), "{found:?}");
    scene.works()
}

/// Runs futures at the same time, and gives their results in order.
async fn all<T: Send + 'static>(
    tasks: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Result<Vec<T>> {
    let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await?);
    }
    Ok(results)
}
