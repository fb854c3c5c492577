//! What a session needs to run the tools that a responder calls.

use antiphon_proto::{SessionId, ToolCall, ToolCallId};
use antiphon_providers::TaskHandle;
use antiphon_providers::think::ToolDeclaration;
use tokio::sync::mpsc;

/// The tools of a session.
pub trait Tools: Send + Sync {
    /// The tools that a responder may call.
    fn declared(&self) -> Vec<ToolDeclaration>;

    /// Runs one. Exactly one [`ToolOutcome`] follows, a failure included, unless the handle is
    /// dropped, which stops the work.
    fn run(
        &self,
        session: &SessionId,
        call: ToolCall,
        done: mpsc::Sender<ToolOutcome>,
    ) -> TaskHandle;
}

/// What a tool came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolOutcome {
    /// Which call.
    pub id: ToolCallId,
    /// Its result, or what went wrong, as the responder is to read it.
    pub result: String,
}

/// A session without tools.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoTools;

impl Tools for NoTools {
    fn declared(&self) -> Vec<ToolDeclaration> {
        Vec::new()
    }

    fn run(
        &self,
        _session: &SessionId,
        call: ToolCall,
        done: mpsc::Sender<ToolOutcome>,
    ) -> TaskHandle {
        let result = "error: there are no tools".to_owned();
        let task = tokio::spawn(async move {
            // The session may be over.
            let _ = done
                .send(ToolOutcome {
                    id: call.id,
                    result,
                })
                .await;
        });
        TaskHandle::from_task(task.abort_handle())
    }
}
