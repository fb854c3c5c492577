//! Identifiers. All are opaque to clients.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

macro_rules! count_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The id that follows this one.
            #[must_use]
            pub fn next(self) -> Self {
                Self(self.0.wrapping_add(1))
            }
        }
    };
}

text_id!(
    /// One call: `sess_` and 26 characters of base 32.
    SessionId
);
text_id!(
    /// The name of a personality file without its ending, e.g. `cal`.
    AgentId
);
text_id!(
    /// One call of a tool, named by the responder. Unique within a session.
    ToolCallId
);
count_id!(
    /// One exchange: what the person said and what was answered. Counts from 1 within a session;
    /// the greeting is turn 0.
    TurnId
);
count_id!(
    /// One run of the responder. Counts from 1 within a session.
    GenerationId
);
count_id!(
    /// One sentence-sized piece of agent speech. Counts from 1 within a session.
    SegmentId
);
count_id!(
    /// One stretch of user speech between two VAD edges. Counts from 1 within a session.
    UtteranceId
);
