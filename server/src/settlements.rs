//! What each call amounted to: one JSON line a call in `calls.jsonl` of the data folder, synced to
//! disk. Ids, seconds and times; never words.

use std::io;
use std::path::Path;
use std::sync::Arc;

use antiphon_agents::Agent;
use antiphon_proto::CloseReason;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Mutex, watch};

/// Name of the file in the data folder.
pub(crate) const FILE_NAME: &str = "calls.jsonl";

/// Appends settlements; clones write to the same file.
#[derive(Clone)]
pub(crate) struct Settlements {
    file: Arc<Mutex<File>>,
    pending: Arc<watch::Sender<()>>,
}

/// Held while a session's settlement is still to be written.
pub(crate) struct Pending(
    #[expect(dead_code, reason = "its life is its meaning")] watch::Receiver<()>,
);

/// One line of the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    session: String,
    agent: String,
    seconds: u64,
    ended_because: Option<CloseReason>,
    ended_at: String,
}

impl Settlements {
    pub(crate) async fn open(data: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(data.join(FILE_NAME))
            .await?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
            pending: Arc::new(watch::Sender::new(())),
        })
    }

    pub(crate) fn pending(&self) -> Pending {
        Pending(self.pending.subscribe())
    }

    /// Waits until every pending settlement is written.
    pub(crate) async fn settled(&self) {
        self.pending.closed().await;
    }

    pub(crate) async fn write(
        &self,
        settlement: &antiphon_billing_meter::Settlement,
        agent: &Agent,
        ended_because: Option<CloseReason>,
    ) {
        let line = Line {
            session: settlement.session.0.clone(),
            agent: agent.id.clone(),
            seconds: settlement.seconds,
            ended_because,
            ended_at: OffsetDateTime::now_utc()
                .format(&Rfc3339)
                .unwrap_or_default(),
        };
        if let Err(fault) = self.append(&line).await {
            // The session's id and seconds are in the log line, so nothing is lost.
            let (session, seconds) = (&line.session, line.seconds);
            tracing::error!(%fault, session, seconds, "a settlement could not be written");
        }
    }

    async fn append(&self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        let mut file = self.file.lock().await;
        file.write_all(text.as_bytes()).await?;
        file.flush().await?;
        file.sync_data().await
    }
}
