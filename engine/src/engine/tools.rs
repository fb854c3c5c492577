//! Tools within a turn: all calls of a round run at once; their results start the next round. A
//! tool may outlive its reply; its result then enters history once.

use antiphon_proto::{
    Event, GenerationId, Message, Moment, Role, ToolCall, ToolCallId, ToolRef, TurnId,
};

use super::Engine;
use crate::Output;
use crate::reply::{Reply, ToolUse};

/// Calls of one round; the rest is refused.
const CALLS_MAX: usize = 16;
/// Tools that outlived their replies; the oldest are given up.
const ORPHANS_MAX: usize = 32;

/// A tool that outlived its reply.
#[derive(Clone, Debug)]
pub(super) struct Orphan {
    pub(super) turn: TurnId,
    pub(super) call: ToolCall,
    started_at: Moment,
}

impl Engine {
    pub(super) fn on_tool_calls(&mut self, generation: GenerationId, calls: Vec<ToolCall>) {
        let Some((reply, is_draft)) = self.reply_of(generation) else {
            return;
        };
        if is_draft {
            // Tools may have effects: they run only for what was really said.
            return self.discard_draft("the responder wants a tool");
        }
        let rest = reply.splitter.finish();
        self.check_pieces(false, rest.into_iter().collect());
        let (known, now) = (self.config.tools.clone(), self.now);
        let may_call = self
            .reply
            .as_ref()
            .is_some_and(|reply| reply.step < self.config.limits.tool_steps_max);
        for (nth, call) in calls.into_iter().enumerate() {
            let refusal = if !may_call {
                Some(
                    "error: no more tool calls in this reply; answer with what you know".to_owned(),
                )
            } else if nth >= CALLS_MAX {
                Some("error: too many tool calls at once".to_owned())
            } else if !known.contains(&call.name) {
                Some(format!(
                    "error: there is no tool of that name; there are: {}",
                    known.join(", ")
                ))
            } else {
                None
            };
            let Some(reply) = &mut self.reply else { return };
            if reply.tools.iter().any(|tool| tool.call.id == call.id) {
                continue;
            }
            let (step, turn) = (reply.step, reply.turn);
            let runs = refusal.is_none();
            reply.tools.push(ToolUse {
                step,
                call: call.clone(),
                started_at: now,
                result: refusal,
            });
            if runs {
                self.publish_tool(turn, &call, true);
                self.emit(Output::RunTool { call });
            }
        }
        if let Some(reply) = &mut self.reply {
            reply.generation = None;
        }
        self.continue_after_tools();
    }

    pub(super) fn on_tool_done(&mut self, id: &ToolCallId, result: String) {
        if let Some(at) = self.orphans.iter().position(|orphan| orphan.call.id == *id) {
            let orphan = self.orphans.remove(at);
            self.publish_tool(orphan.turn, &orphan.call, false);
            return self.commit_tool(orphan.turn, Role::ToolResult, &orphan.call, result);
        }
        let Some(reply) = &mut self.reply else { return };
        let turn = reply.turn;
        let Some(tool) = reply
            .tools
            .iter_mut()
            .find(|tool| tool.call.id == *id && tool.result.is_none())
        else {
            return;
        };
        tool.result = Some(result);
        let call = tool.call.clone();
        self.publish_tool(turn, &call, false);
        self.continue_after_tools();
    }

    /// Asks the responder again once all results are there; while the preamble still plays.
    fn continue_after_tools(&mut self) {
        let Some(reply) = self
            .reply
            .as_mut()
            .filter(|reply| reply.generation.is_none() && !reply.awaits_tools())
        else {
            return;
        };
        if !reply.tools.iter().any(|tool| tool.step == reply.step) {
            return;
        }
        reply.step += 1;
        self.ask_responder();
        self.advance_reply();
    }

    /// When the slowest tool is given up.
    pub(super) fn tool_due(&self) -> Option<Moment> {
        let running = self.reply.iter().flat_map(|reply| {
            reply
                .tools
                .iter()
                .filter(|tool| tool.result.is_none())
                .map(|tool| tool.started_at)
        });
        let orphaned = self.orphans.iter().map(|orphan| orphan.started_at);
        let oldest = running.chain(orphaned).min()?;
        Some(oldest.plus_ms(self.config.patience.tool_ms_max))
    }

    pub(super) fn on_tools_too_slow(&mut self) {
        let begun_by = self.now.minus_ms(self.config.patience.tool_ms_max);
        let late = |started_at: Moment| started_at <= begun_by;
        let running = self.reply.iter().flat_map(|reply| {
            reply
                .tools
                .iter()
                .filter(|tool| tool.result.is_none() && late(tool.started_at))
                .map(|tool| tool.call.id.clone())
        });
        let orphaned = self.orphans.iter().filter(|orphan| late(orphan.started_at));
        let ids: Vec<ToolCallId> = running
            .chain(orphaned.map(|orphan| orphan.call.id.clone()))
            .collect();
        for id in ids {
            self.emit(Output::CancelTool { id: id.clone() });
            self.on_tool_done(&id, "error: the tool did not answer in time".to_owned());
        }
    }

    /// Puts the tools of a round into history; what still runs becomes an orphan.
    pub(super) fn commit_tools(&mut self, reply: &Reply, step: u32) {
        let of_step = || reply.tools.iter().filter(move |tool| tool.step == step);
        for tool in of_step() {
            self.commit_tool(
                reply.turn,
                Role::ToolCall,
                &tool.call,
                tool.call.arguments.clone(),
            );
        }
        for tool in of_step() {
            if let Some(result) = &tool.result {
                self.commit_tool(reply.turn, Role::ToolResult, &tool.call, result.clone());
            } else {
                self.orphan(reply.turn, tool);
            }
        }
    }

    fn orphan(&mut self, turn: TurnId, tool: &ToolUse) {
        if self.orphans.len() >= ORPHANS_MAX {
            let id = self.orphans[0].call.id.clone();
            self.emit(Output::CancelTool { id: id.clone() });
            self.on_tool_done(&id, "error: given up".to_owned());
        }
        self.orphans.push(Orphan {
            turn,
            call: tool.call.clone(),
            started_at: tool.started_at,
        });
    }

    /// The session ends: nobody waits for the tools that still run.
    pub(super) fn give_up_tools(&mut self) {
        for orphan in std::mem::take(&mut self.orphans) {
            self.emit(Output::CancelTool { id: orphan.call.id });
        }
    }

    fn commit_tool(&mut self, turn: TurnId, role: Role, call: &ToolCall, text: String) {
        let tool = tool_ref(call);
        self.commit_message(turn, role, text, false, Some(tool));
    }

    pub(super) fn tool_messages(&self, reply: &Reply, step: u32) -> Vec<Message> {
        let of_step = || reply.tools.iter().filter(move |tool| tool.step == step);
        let calls = of_step().map(|tool| {
            self.tool_message(reply.turn, Role::ToolCall, &tool.call, &tool.call.arguments)
        });
        let results = of_step().filter_map(|tool| {
            let result = tool.result.as_deref()?;
            Some(self.tool_message(reply.turn, Role::ToolResult, &tool.call, result))
        });
        calls.chain(results).collect()
    }

    pub(super) fn tool_message(
        &self,
        turn: TurnId,
        role: Role,
        call: &ToolCall,
        text: &str,
    ) -> Message {
        Message {
            turn,
            role,
            text: text.to_owned(),
            interrupted: false,
            at_ms: self.now.ms(),
            tool: Some(tool_ref(call)),
        }
    }

    fn publish_tool(&mut self, turn: TurnId, call: &ToolCall, running: bool) {
        let name = call.name.clone();
        self.publish(Event::Tool {
            turn,
            name,
            running,
        });
    }
}

fn tool_ref(call: &ToolCall) -> ToolRef {
    ToolRef {
        id: call.id.clone(),
        name: call.name.clone(),
    }
}
