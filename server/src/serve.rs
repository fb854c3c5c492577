//! `antiphon serve`: from settings to a running server, and its orderly end.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use antiphon_agents::{Agent, AgentFileError, library, load_folder};
use antiphon_providers::hear::HearContext;
use antiphon_providers::route::Router;
use antiphon_runtime::log::{Recorder, Retention};
use antiphon_runtime::{Session, SessionLimits};
use antiphon_transports::webrtc::{BindError, Endpoint, EndpointConfig};
use clap::Args;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::app::{App, AppInner, CHATS_MAX, Callee};
use crate::registry::Registry;
use crate::routes;
use crate::settlements::Settlements;

/// Folder of the logs of calls within the data folder.
const LOGS_FOLDER: &str = "logs";
/// How long the server waits at its end for logs to be on disk.
const LOGS_SETTLE: Duration = Duration::from_secs(2);

/// Settings of `antiphon serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address of the page and the API
    #[arg(
        long,
        value_name = "ADDR",
        env = "ANTIPHON_LISTEN",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: SocketAddr,
    /// Port of the page and the API, in place of the one in --listen
    #[arg(long, value_name = "PORT", env = "PORT")]
    pub port: Option<u16>,
    /// UDP address for all audio [default: the address and port of --listen]
    #[arg(long, value_name = "ADDR", env = "ANTIPHON_UDP")]
    pub udp: Option<SocketAddr>,
    /// IP address that callers reach this host at, where it is not the host's own (repeatable)
    #[arg(
        long,
        value_name = "IP",
        env = "ANTIPHON_ANNOUNCE",
        value_delimiter = ','
    )]
    pub announce: Vec<IpAddr>,
    /// Folder for what is kept: your personality files (agents/*.toml), calls.jsonl and the logs of
    /// calls (logs/*.alog)
    /// [default: $XDG_DATA_HOME/antiphon or ~/.local/share/antiphon]
    #[arg(long, value_name = "DIR", env = "ANTIPHON_DATA")]
    pub data: Option<PathBuf>,
    /// Sessions at a time; more are refused with a clear error
    #[arg(
        long,
        value_name = "N",
        env = "ANTIPHON_CALLS_MAX",
        default_value_t = 200
    )]
    pub calls_max: usize,
    /// Seconds within which a new session must be connected
    #[arg(
        long,
        value_name = "S",
        env = "ANTIPHON_CONNECT_SECONDS",
        default_value_t = 60
    )]
    pub connect_seconds: u64,
    /// Seconds that running calls get to end when the server is stopped
    #[arg(
        long,
        value_name = "S",
        env = "ANTIPHON_DRAIN_SECONDS",
        default_value_t = 10
    )]
    pub drain_seconds: u64,
    /// Keep no logs of calls; else each is written to the folder logs of the data folder, to be
    /// read with `antiphon replay`
    #[arg(long, env = "ANTIPHON_NO_LOGS", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_logs: bool,
}

/// Why the server did not start. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(
        "cannot use the data folder {path}: {source}. Choose another with --data or ANTIPHON_DATA, or fix its rights"
    )]
    Data {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// No home to put the data folder in.
    #[error("there is no home folder to keep data in: name a folder with --data or ANTIPHON_DATA")]
    NoHome,
    /// The port cannot be listened on.
    #[error(
        "cannot listen on {addr}: {source}. Is another antiphon running? Choose another port with --port or PORT"
    )]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// UDP cannot be used.
    #[error("{0}. Choose another address with --udp")]
    Udp(#[from] BindError),
    /// Personality files that cannot be read.
    #[error("{}", list(.0))]
    Agents(Vec<AgentFileError>),
    /// A provider cannot be set up.
    #[error("{0}")]
    Provider(String),
    /// The HTTP server failed.
    #[error("the HTTP server failed: {0}")]
    Http(std::io::Error),
}

fn list(faults: &[AgentFileError]) -> String {
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

/// A server that listens.
pub struct Server {
    app: App,
    listener: TcpListener,
    addr: SocketAddr,
    drain: Duration,
}

impl Server {
    /// Binds the ports, loads the agents and makes the state. Nothing is served yet.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn start(
        args: &ServeArgs,
        router: Arc<Router>,
        prometheus: Option<PrometheusHandle>,
    ) -> Result<Self, ServeError> {
        let data = data_folder(args.data.as_deref())?;
        let agents = agents(&data)?;
        let settlements = open_data(&data).await?;
        let recorder = if args.no_logs {
            None
        } else {
            Some(open_logs(&data.join(LOGS_FOLDER))?)
        };
        let listen = listen_addr(args);
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|source| ServeError::Listen {
                addr: listen,
                source,
            })?;
        let addr = listener.local_addr().map_err(|source| ServeError::Listen {
            addr: listen,
            source,
        })?;
        let endpoint_config = EndpointConfig {
            announce: args.announce.clone(),
            ..EndpointConfig::default()
        };
        let endpoint = Endpoint::bind(args.udp.unwrap_or(addr), endpoint_config)?;
        let order = agents
            .iter()
            .map(|agent| agent.id.as_str().into())
            .collect();
        let inner = AppInner {
            agents: agents
                .into_iter()
                .map(|agent| (agent.id.as_str().into(), callee(agent)))
                .collect(),
            order,
            router,
            endpoint,
            registry: Registry::default(),
            settlements,
            recorder,
            limits: SessionLimits {
                connect_within: Duration::from_secs(args.connect_seconds),
                ..SessionLimits::default()
            },
            calls_max: args.calls_max,
            chats: Arc::new(Semaphore::new(CHATS_MAX)),
            draining: AtomicBool::new(false),
            warm: AtomicBool::new(false),
            prometheus,
            started: Instant::now(),
        };
        let drain = Duration::from_secs(args.drain_seconds);
        Ok(Self {
            app: App {
                inner: Arc::new(inner),
            },
            listener,
            addr,
            drain,
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What the recognizer may be warmed up with, an entry an agent.
    pub fn hear_contexts(&self) -> Vec<HearContext> {
        self.app
            .inner
            .agents
            .values()
            .map(|callee| callee.hear_context.clone())
            .collect()
    }

    /// The agents that can be called.
    pub fn agents(&self) -> Vec<Arc<Agent>> {
        self.app
            .inner
            .agents
            .values()
            .map(|callee| Arc::clone(&callee.agent))
            .collect()
    }

    /// A function that marks the server as warm: from then on `/ready` says yes.
    pub fn warm_mark(&self) -> impl FnOnce() + Send + use<> {
        let app = self.app.clone();
        move || app.inner.warm.store(true, Ordering::Relaxed)
    }

    /// Serves until `stop` resolves, then drains: no new calls, running ones are told and ended
    /// within the limit, every second settled on disk.
    ///
    /// # Errors
    /// [`ServeError::Http`].
    pub async fn run(
        self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let (app, drain) = (self.app.clone(), self.drain);
        let (drained_sender, mut drained) = watch::channel(false);
        let shutdown = async move {
            // An error means that the sender is gone: then there is nothing to wait for.
            let _ = drained.wait_for(|drained| *drained).await;
        };
        let serving =
            axum::serve(self.listener, routes::router(self.app)).with_graceful_shutdown(shutdown);
        let draining = async move {
            stop.await;
            drain_calls(&app, drain).await;
            drained_sender.send_replace(true);
            // Connections that stay open do not hold the server up.
            tokio::time::sleep(Duration::from_secs(1)).await;
        };
        tokio::select! {
            served = serving.into_future() => served.map_err(ServeError::Http),
            () = draining => Ok(()),
        }
    }
}

async fn drain_calls(app: &App, limit: Duration) {
    app.inner.draining.store(true, Ordering::Relaxed);
    let running: Vec<Session> = app.inner.registry.running();
    tracing::info!(
        calls = running.len(),
        limit_s = limit.as_secs(),
        "stopping: no new calls, running ones are ended"
    );
    for session in &running {
        session.drain(limit).await;
    }
    // A second more than the sessions have: they end themselves at the limit.
    let settled = app.inner.settlements.settled();
    if tokio::time::timeout(limit + Duration::from_secs(1), settled)
        .await
        .is_err()
    {
        tracing::error!("some calls did not end in time");
    }
    if let Some(recorder) = app.inner.recorder.clone() {
        let settled = tokio::task::spawn_blocking(move || recorder.settled(LOGS_SETTLE));
        if !settled.await.unwrap_or(false) {
            tracing::warn!("some logs of calls may not be complete");
        }
    }
}

/// The data folder: the one asked for, or the place that the system has for such things.
pub(crate) fn data_folder(asked: Option<&Path>) -> Result<PathBuf, ServeError> {
    if let Some(asked) = asked {
        return Ok(asked.to_owned());
    }
    if let Some(xdg) = std::env::var_os("XDG_DATA_HOME").filter(|xdg| !xdg.is_empty()) {
        return Ok(PathBuf::from(xdg).join("antiphon"));
    }
    let home = std::env::var_os("HOME")
        .filter(|home| !home.is_empty())
        .ok_or(ServeError::NoHome)?;
    Ok(PathBuf::from(home).join(".local/share/antiphon"))
}

/// Where the page and the API are to be.
pub(crate) fn listen_addr(args: &ServeArgs) -> SocketAddr {
    let mut listen = args.listen;
    listen.set_port(args.port.unwrap_or(listen.port()));
    listen
}

async fn open_data(data: &Path) -> Result<Settlements, ServeError> {
    let fault = |source| ServeError::Data {
        path: data.to_owned(),
        source,
    };
    tokio::fs::create_dir_all(data).await.map_err(fault)?;
    Settlements::open(data).await.map_err(fault)
}

fn open_logs(folder: &Path) -> Result<Recorder, ServeError> {
    Recorder::open(folder, Retention::default()).map_err(|source| ServeError::Data {
        path: folder.to_owned(),
        source,
    })
}

/// The built-in agents and those of the data folder; a file of the same id takes the place of a
/// built-in one.
fn agents(data: &Path) -> Result<Vec<Arc<Agent>>, ServeError> {
    let mut agents = library();
    let folder = data.join("agents");
    if folder.exists() {
        for own in load_folder(&folder).map_err(ServeError::Agents)? {
            match agents.iter_mut().find(|agent| agent.id == own.id) {
                Some(built_in) => *built_in = own,
                None => agents.push(own),
            }
        }
    }
    Ok(agents)
}

fn callee(agent: Arc<Agent>) -> Callee {
    let hear_context = HearContext {
        agent: agent.id.clone(),
        phrases: Arc::new(agent.phrases()),
        closed: false,
    };
    Callee {
        agent,
        hear_context,
    }
}
