//! Replies that go on where another provider broke off. What a model repeats all the same is taken
//! out by the router.

use antiphon_testkit::fakes::http::Wiring;
use antiphon_testkit::fakes::llm::{LlmVendor, Said};
use serde_json::Value;

use crate::lab::{ADAPTERS, Adapter, Lab, request, usage};

const SAID: &str = "A domain is a name. It stands for";

async fn continued(adapter: Adapter, said: &str, pieces: &[&str]) -> (String, Value) {
    let vendor = adapter.vendor;
    let reply = Said::words(pieces);
    let lab = Lab::new(adapter, Wiring::Http1, move |r| vendor.answer(r, &reply)).await;
    let mut asked = request();
    asked.already_said = Some(said.to_owned());
    let told = lab.ask(asked).await;
    assert_eq!(told.end, Ok(usage()), "{adapter:?}: the server accepts it");
    (told.text(), lab.body())
}

#[tokio::test]
async fn models_that_can_write_on_do() {
    for adapter in ADAPTERS {
        let (heard, body) = continued(adapter, SAID, &[" an", " address."]).await;
        assert_eq!(heard, " an address.", "{adapter:?}");
        let last = |key: &str| body[key].as_array().unwrap().last().unwrap().clone();
        match (adapter.vendor, adapter.model) {
            (LlmVendor::Anthropic, "claude-haiku-4-5") => {
                assert_eq!(last("messages")["role"], "assistant");
                assert_eq!(last("messages")["content"][0]["text"], SAID);
            }
            (LlmVendor::Mistral, _) => {
                assert_eq!(last("messages")["prefix"], true);
                assert_eq!(last("messages")["content"], SAID);
            }
            (LlmVendor::Gemini, _) => assert_eq!(last("contents")["role"], "user"),
            (LlmVendor::Responses, _) => assert_eq!(last("input")["role"], "developer"),
            (LlmVendor::Anthropic | LlmVendor::Chat, _) => {
                assert_eq!(last("messages")["role"], "user");
            }
        }
        assert!(body.to_string().contains(SAID), "{adapter:?}");
    }
}

#[tokio::test]
async fn nothing_said_is_no_continuation() {
    for adapter in ADAPTERS {
        let (heard, body) = continued(adapter, "  ", &["Fine."]).await;
        assert_eq!(heard, "Fine.", "{adapter:?}");
        assert!(!body.to_string().contains("broke off there"), "{adapter:?}");
    }
}
