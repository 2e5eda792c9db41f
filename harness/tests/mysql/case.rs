//! Tables whose names differ in case only.

use acra_harness::Result;
use acra_harness::mysql::Scene;
use acra_harness::servers::Flavour;

const YAML: &str = "database_settings: {mysql: {case_sensitive_table_identifiers: true}}\n\
                    schemas:\n  - table: twins\n    encrypted:\n      - column: ssn\n";

fn check(scene: &Scene) -> Result<()> {
    for table in ["twins", "Twins"] {
        scene.run_directly(&format!("CREATE TABLE {table} (id INT, ssn BLOB)"))?;
    }
    let mut session = scene.proxied()?;
    for table in ["twins", "Twins"] {
        session.run(&format!(
            "INSERT INTO {table} (id, ssn) VALUES (1, '078-05-1120')"
        ))?;
        let read = session.strings(&format!("SELECT ssn FROM {table}"))?;
        assert_eq!(read, [["078-05-1120"]]);
    }
    scene.keeps_none_of(&[b"078-05-1120"])?;
    let log = scene.acra.log();
    let schema = &scene.schema;
    for part in [
        "does not fit the database",
        &format!("tables \\\"{schema}.Twins\\\" and \\\"{schema}.twins\\\" differ in case only"),
    ] {
        assert!(log.contains(part), "{part}: {log}");
    }
    // The servers of the tests tell names apart, as the configuration says.
    assert!(!log.contains("lower_case_table_names"), "{log}");
    Ok(())
}

fn both_are_protected_and_it_is_told(flavour: Flavour) -> Result<()> {
    let Some(scene) = Scene::start(flavour, YAML)? else {
        return Ok(());
    };
    let outcome = check(&scene);
    scene.explained(outcome)
}

on_both! {
    both_are_protected_and_it_is_told;
}
