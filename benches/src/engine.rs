//! The engine under test, in a child: sessions over WebRTC as the server makes them, without its
//! REST face, with the same metrics recorder.

use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_providers::hear::{Hear, HearContext};
use antiphon_providers::speak::Speak;
use antiphon_providers::think::Think;
use antiphon_runtime::{Session, SessionLimits, SessionParts, measure};
use antiphon_transports::webrtc::{Endpoint, EndpointConfig};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::child::{Request, serve};

/// As many buckets as the server's largest histogram; their bounds do not matter to the cost.
const BUCKETS: &[f64] = &[
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 5.0, 10.0,
];
/// How often the server folds its histograms.
const UPKEEP: Duration = Duration::from_secs(5);

/// What sessions are made with.
pub struct Parts {
    /// Who is called.
    pub agent: Arc<Agent>,
    /// The recognizer.
    pub hear: Arc<dyn Hear>,
    /// The responder.
    pub think: Arc<dyn Think>,
    /// The voice.
    pub speak: Arc<dyn Speak>,
}

/// What a recognizer may know of `agent`, as the server tells it.
pub fn hear_context(agent: &Agent) -> HearContext {
    HearContext {
        agent: agent.id.clone(),
        phrases: Arc::new(agent.phrases()),
        closed: false,
    }
}

/// Serves calls until the parent is gone.
///
/// # Errors
/// A sentence where it cannot.
pub fn serve_calls(parts: &Parts) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let _inside = runtime.enter();
    let prometheus = start_metrics()?;
    let listen = "127.0.0.1:0"
        .parse()
        .expect("invariant: a well-formed address");
    let endpoint =
        Endpoint::bind(listen, EndpointConfig::default()).map_err(|error| error.to_string())?;
    let context = hear_context(&parts.agent);
    let mut sessions = Vec::new();
    let served = serve(|request| match request {
        Request::Metrics => Ok(prometheus.render()),
        Request::Offer(offer) => {
            let session = Session::spawn(SessionParts {
                id: format!("sess_{}", sessions.len()).as_str().into(),
                agent: Arc::clone(&parts.agent),
                hear: Arc::clone(&parts.hear),
                hear_context: context.clone(),
                think: Arc::clone(&parts.think),
                speak: Arc::clone(&parts.speak),
                tools: Arc::new(antiphon_runtime::NoTools),
                colleagues: Arc::new(antiphon_runtime::NoColleagues),
                limits: SessionLimits::default(),
                facts: None,
                recorder: None,
            })
            .map_err(|error| error.to_string())?;
            let (answer, transport) = endpoint
                .accept(&offer, session.output_rate_hz())
                .map_err(|error| error.to_string())?;
            runtime
                .block_on(session.attach(Box::new(transport)))
                .map_err(|error| error.to_string())?;
            sessions.push(session);
            Ok(answer)
        }
    });
    served.map_err(|error| error.to_string())
}

/// Installs the metrics recorder as the server does. Call it within a tokio runtime.
///
/// # Errors
/// A sentence where there is one already.
pub fn start_metrics() -> Result<PrometheusHandle, String> {
    let handle = PrometheusBuilder::new()
        .set_buckets(BUCKETS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| error.to_string())?;
    measure::describe();
    let upkeep = handle.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}
