use super::*;

fn samples(metrics: &Metrics) -> Vec<String> {
    let page = metrics.page();
    page.lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_labelled_series_appears_after_its_first_use() {
    let metrics = Arc::new(Metrics::new("1.22.333", true));
    assert!(metrics.measures());
    assert_eq!(
        samples(&metrics),
        [
            "acraserver_sessions_open 0",
            "acraserver_containers_unopened_total 0",
            "acraserver_version_major 1",
            "acraserver_version_minor 22",
            "acraserver_version_patch 333",
            "acraserver_build_info{edition=\"ce\",version=\"1.22.333\"} 1",
        ]
    );
}

#[test]
fn what_is_counted_is_shown() {
    let metrics = Arc::new(Metrics::new("1.2.3", true));
    let first = metrics.connection();
    let second = metrics.connection();
    drop(first);
    metrics.request(Duration::from_micros(15));
    metrics.response(Duration::from_secs(2));
    metrics.encryptions(Status::Success, Envelope::AcraBlock, 3);
    metrics.decryptions(Status::Success, Envelope::AcraBlock, 2);
    metrics.decryptions(Status::Fail, Envelope::AcraStruct, 1);
    metrics.unopened(1);
    metrics.statement_refused("column-use");
    metrics.statement_refused("column-use");
    metrics.statement_observed("too-long");
    let samples = samples(&metrics);
    for expected in [
        "acraserver_connections_total{connection_type=\"db\"} 2",
        "acraserver_sessions_open 1",
        "acraserver_connections_processing_seconds_bucket{connection_type=\"db\",le=\"0.1\"} 1",
        "acraserver_connections_processing_seconds_count{connection_type=\"db\"} 1",
        "acraserver_request_processing_seconds_bucket{db=\"postgresql\",le=\"1e-05\"} 0",
        "acraserver_request_processing_seconds_bucket{db=\"postgresql\",le=\"2e-05\"} 1",
        "acraserver_response_processing_seconds_sum{db=\"postgresql\"} 2",
        "acra_encryptions_total{status=\"success\",type=\"acrablock\"} 3",
        "acra_decryptions_total{status=\"success\",type=\"acrablock\"} 2",
        "acra_decryptions_total{status=\"fail\",type=\"acrastruct\"} 1",
        "acraserver_statements_refused_total{reason=\"column-use\"} 2",
        "acraserver_statements_observed_total{reason=\"too-long\"} 1",
        "acraserver_containers_unopened_total 1",
    ] {
        assert!(
            samples.iter().any(|line| line == expected),
            "{expected}\n{samples:#?}"
        );
    }
    drop(second);
    assert!(metrics.page().contains("\nacraserver_sessions_open 0\n"));
}

#[test]
fn every_metric_has_its_type_once() {
    let page = Metrics::new("1.2.3", false).page();
    let mut types: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert!(types.contains(&"acraserver_connections_processing_seconds histogram"));
    assert!(types.contains(&"acraserver_build_info counter"));
    let number = types.len();
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), number);
}
