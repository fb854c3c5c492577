//! The history of a call as every language model wants it: each tool's result right behind its
//! call, and a mark where the agent was cut off. Adapters turn [`Item`]s into their own messages.

use std::borrow::Cow;

use antiphon_proto::{Message, Role, ToolCallId};

/// Result of a call that has none yet; models refuse calls without a result.
const NO_RESULT: &str = "(no result)";
/// Tells a model where it was cut off, as `Agent::instructions` explains.
const CUT_OFF: &str = " —";

/// One entry, in the order in which it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// The caller spoke.
    User(Cow<'a, str>),
    /// The agent spoke, and what of it was heard.
    Agent(Cow<'a, str>),
    /// The agent called tools, all at once, and this is what they answered.
    Calls(Vec<CallItem<'a>>),
}

/// One call with its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallItem<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    /// JSON, as the model wrote it.
    pub(crate) arguments: &'a str,
    pub(crate) result: &'a str,
}

impl CallItem<'_> {
    /// The arguments as an object, for providers that take no text: what is none is put into one.
    pub(crate) fn arguments_object(&self) -> serde_json::Value {
        match serde_json::from_str(self.arguments) {
            Ok(value @ serde_json::Value::Object(_)) => value,
            _ if self.arguments.trim().is_empty() => serde_json::json!({}),
            _ => serde_json::json!({"arguments": self.arguments}),
        }
    }
}

/// Puts results behind their calls, however late they came, and leaves out what is empty.
pub(crate) fn items<'a>(history: impl Iterator<Item = &'a Message> + Clone) -> Vec<Item<'a>> {
    let mut items: Vec<Item<'a>> = Vec::new();
    for message in history.clone() {
        match (message.role, &message.tool) {
            (Role::ToolCall, Some(tool)) => {
                let call = CallItem {
                    id: tool.id.as_str(),
                    name: &tool.name,
                    arguments: &message.text,
                    result: result_of(history.clone(), &tool.id),
                };
                match items.last_mut() {
                    Some(Item::Calls(calls)) => calls.push(call),
                    _ => items.push(Item::Calls(vec![call])),
                }
            }
            (Role::ToolCall | Role::ToolResult, _) => {}
            (Role::User | Role::Agent, _) if message.text.trim().is_empty() => {}
            (Role::User, _) => items.push(Item::User(Cow::Borrowed(&message.text))),
            (Role::Agent, _) if message.interrupted => items.push(Item::Agent(Cow::Owned(
                format!("{}{CUT_OFF}", message.text),
            ))),
            (Role::Agent, _) => items.push(Item::Agent(Cow::Borrowed(&message.text))),
        }
    }
    items
}

fn result_of<'a>(history: impl Iterator<Item = &'a Message>, id: &ToolCallId) -> &'a str {
    let result = history.filter(|message| is_result(message, id)).last();
    result.map_or(NO_RESULT, |message| message.text.as_str())
}

/// True where `message` is what the call `id` answered.
pub(crate) fn is_result(message: &Message, id: &ToolCallId) -> bool {
    message.role == Role::ToolResult && message.tool.as_ref().is_some_and(|tool| tool.id == *id)
}

/// An id as a provider takes it: ids may come from another provider. The same id gives the same.
pub(crate) fn id_of<'a>(id: &'a str, fits: impl Fn(&str) -> bool, length: usize) -> Cow<'a, str> {
    if fits(id) {
        return Cow::Borrowed(id);
    }
    // FNV-1a: the same in every process and version, unlike the standard hasher.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in id.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut made = String::with_capacity(length);
    for _ in 0..length {
        let at = (hash % LETTERS.len() as u64) as usize;
        made.push(char::from(LETTERS[at]));
        hash = (hash / LETTERS.len() as u64) ^ hash.rotate_left(23);
    }
    Cow::Owned(made)
}

#[cfg(test)]
mod tests {
    use antiphon_proto::{Message, Role, ToolCallId, ToolRef, TurnId};

    use super::{CallItem, Item, id_of, items};

    fn message(turn: u32, role: Role, text: &str, tool: Option<&str>) -> Message {
        Message {
            turn: TurnId(turn),
            role,
            text: text.into(),
            interrupted: text.starts_with("cut"),
            at_ms: 0,
            tool: tool.map(|id| ToolRef {
                id: ToolCallId::from(id),
                name: "weather".into(),
            }),
        }
    }

    fn call<'a>(id: &'a str, result: &'a str) -> CallItem<'a> {
        CallItem {
            id,
            name: "weather",
            arguments: "{}",
            result,
        }
    }

    #[test]
    fn results_stand_behind_their_calls_however_late_they_came() {
        let history = [
            message(0, Role::Agent, "cut", None),
            message(1, Role::User, "weather?", None),
            message(1, Role::Agent, "Let me look.", None),
            message(1, Role::ToolCall, "{}", Some("a")),
            message(1, Role::ToolCall, "{}", Some("b")),
            message(1, Role::ToolResult, "sunny", Some("a")),
            message(2, Role::User, "hello?", None),
            message(2, Role::Agent, "  ", None),
            message(2, Role::ToolResult, "rain", Some("b")),
            message(3, Role::ToolCall, "{}", Some("c")),
        ];
        assert_eq!(
            items(history.iter()),
            [
                Item::Agent("cut —".into()),
                Item::User("weather?".into()),
                Item::Agent("Let me look.".into()),
                Item::Calls(vec![call("a", "sunny"), call("b", "rain")]),
                Item::User("hello?".into()),
                Item::Calls(vec![call("c", "(no result)")]),
            ]
        );
    }

    #[test]
    fn ids_are_made_to_fit() {
        let fits = |id: &str| id.len() == 9 && id.bytes().all(|c| c.is_ascii_alphanumeric());
        assert_eq!(id_of("abc123XYZ", fits, 9), "abc123XYZ");
        let made = id_of("call_with_a_long_id", fits, 9);
        assert!(fits(&made), "{made}");
        assert_eq!(made, id_of("call_with_a_long_id", fits, 9));
        let others: std::collections::HashSet<String> = (0..10_000)
            .map(|n| id_of(&format!("call_{n}"), fits, 9).into_owned())
            .collect();
        assert_eq!(others.len(), 10_000, "no two ids become one");
    }

    #[test]
    fn arguments_become_objects() {
        for (arguments, object) in [
            (r#"{"a":1}"#, serde_json::json!({"a": 1})),
            ("", serde_json::json!({})),
            ("oops", serde_json::json!({"arguments": "oops"})),
            ("[1]", serde_json::json!({"arguments": "[1]"})),
        ] {
            let item = CallItem {
                arguments,
                ..call("a", "")
            };
            assert_eq!(item.arguments_object(), object);
        }
    }
}
