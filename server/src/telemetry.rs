//! Logs and metrics.

use std::time::Duration;

use antiphon_runtime::measure;
use antiphon_transports::webrtc::MetricsSnapshot;
use metrics::{counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// How often histograms are folded into their buckets while nobody scrapes.
const UPKEEP: Duration = Duration::from_secs(5);
/// Clock ticks a second in /proc (`getconf CLK_TCK`; 100 on every Linux there is).
const PROC_TICKS_PER_S: f64 = 100.0;
const STAGE_BUCKETS_S: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0,
];
const LATE_BUCKETS_S: &[f64] = &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];
const QUEUE_BUCKETS_MS: &[f64] = &[20.0, 100.0, 250.0, 500.0, 1_000.0, 1_500.0, 3_000.0];

/// Logs to standard error; `RUST_LOG` chooses what, `ANTIPHON_LOG=json` how.
pub(crate) fn start_logging() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,antiphon=info,str0m=warn"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let json = std::env::var("ANTIPHON_LOG").is_ok_and(|how| how == "json");
    // A second call in one process (tests) keeps the first logger.
    let _ = if json {
        builder.json().try_init()
    } else {
        builder.with_target(false).try_init()
    };
}

/// Installs the recorder for this process.
pub(crate) fn start_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Full(measure::STAGE_SECONDS.into()),
            STAGE_BUCKETS_S,
        )?
        .set_buckets_for_metric(
            Matcher::Full(measure::TICK_LATE_SECONDS.into()),
            LATE_BUCKETS_S,
        )?
        .set_buckets_for_metric(
            Matcher::Full(measure::PLAYOUT_QUEUE_MS.into()),
            QUEUE_BUCKETS_MS,
        )?
        .install_recorder()?;
    measure::describe();
    describe_gauge!("process_resident_memory_bytes", "Memory in use");
    describe_gauge!("process_cpu_seconds_total", "CPU time used");
    describe_gauge!(
        "antiphon_cpu_seconds_per_talk_second",
        "CPU time used per second of talk since start"
    );
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// What `/metrics` says.
pub(crate) fn render(handle: &PrometheusHandle, network: &MetricsSnapshot) -> String {
    record_network(network);
    if let Some(cpu_s) = cpu_seconds() {
        gauge!("process_cpu_seconds_total").set(cpu_s);
        let talk_s = measure::talk_seconds() as f64;
        if talk_s > 0.0 {
            gauge!("antiphon_cpu_seconds_per_talk_second").set(cpu_s / talk_s);
        }
    }
    if let Some(bytes) = resident_bytes() {
        gauge!("process_resident_memory_bytes").set(bytes as f64);
    }
    handle.render()
}

fn record_network(network: &MetricsSnapshot) {
    let counts = [
        ("antiphon_webrtc_datagrams_in_total", network.datagrams_in),
        ("antiphon_webrtc_datagrams_out_total", network.datagrams_out),
        (
            "antiphon_webrtc_dropped_unknown_total",
            network.dropped_unknown,
        ),
        (
            "antiphon_webrtc_dropped_inbox_full_total",
            network.dropped_inbox_full,
        ),
        (
            "antiphon_webrtc_dropped_malformed_total",
            network.dropped_malformed,
        ),
        ("antiphon_webrtc_dropped_send_total", network.dropped_send),
        (
            "antiphon_webrtc_events_dropped_total",
            network.events_dropped,
        ),
        (
            "antiphon_webrtc_messages_dropped_total",
            network.messages_dropped,
        ),
        (
            "antiphon_webrtc_offers_refused_total",
            network.offers_refused,
        ),
        ("antiphon_webrtc_accepted_total", network.accepted),
        ("antiphon_webrtc_connected_total", network.connected),
        (
            "antiphon_webrtc_handshake_failures_total",
            network.handshake_failures,
        ),
    ];
    for (name, value) in counts {
        counter!(name).absolute(value);
    }
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Fields 14 and 15 of proc(5), counted behind the command name, which may hold spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / PROC_TICKS_PER_S)
}

fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kb| kb * 1_024)
}
