//! What is sealed, opened and refused is counted on the metrics page.

use acra_harness::metrics::page;
use acra_harness::port::free_port;
use acra_harness::scene::{Scene, eventually};
use acra_harness::{Error, Result};

#[test]
fn values_and_statements_are_counted() -> Result<()> {
    let address = free_port()?;
    let flag = format!("--incoming_connection_prometheus_metrics_string=tcp://{address}");
    let scene = Scene::with(|config| config.flag(&flag))?;
    let mut connection = scene.proxied()?;
    connection.run("INSERT INTO vault (id, secret) VALUES (1, 'one'), (2, 'two')")?;
    connection.run("SELECT secret FROM vault")?;
    connection.query("SELECT id FROM vault WHERE secret = 'one'")?;
    for expected in [
        "acra_encryptions_total{status=\"success\",type=\"acrablock\"} 2\n",
        "acra_decryptions_total{status=\"success\",type=\"acrablock\"} 2\n",
        "acraserver_statements_refused_total{reason=\"column-use\"} 1\n",
        "acraserver_connections_total{connection_type=\"db\"} 1\n",
        "acraserver_sessions_open 1\n",
        "acraserver_containers_unopened_total 0\n",
    ] {
        eventually(expected, || Ok(page(address)?.contains(expected)))?;
    }
    let page = page(address)?;
    for histogram in ["request", "response"] {
        let count =
            format!("acraserver_{histogram}_processing_seconds_count{{db=\"postgresql\"}} ");
        if !page.contains(&count) {
            return Err(Error::new(format!("no {count}:\n{page}")));
        }
    }
    scene.works()
}
