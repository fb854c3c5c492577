//! What the session sees.

use antiphon_proto::GenerationId;
use antiphon_providers::think::offline::Offline;
use antiphon_providers::think::{Think, ThinkEventKind, ThinkLimits, ThinkRequest};
use tokio::sync::mpsc;

use crate::call::Call;

#[tokio::test]
async fn streams_sentences_and_one_end() {
    for (said, ends) in [("how do i start a website", false), ("goodbye", true)] {
        let mut call = Call::to("cal");
        let explained = call.say(said);
        call.history.pop();
        let (sender, mut events) = mpsc::channel(2);
        let generation = GenerationId(7);
        let request = ThinkRequest {
            tools: Vec::new(),
            limits: ThinkLimits::default(),
            already_said: None,
            generation,
            agent: call.agent.clone(),
            history: call.history.clone(),
        };
        let handle = Offline::default().start(request, sender);
        let mut text = String::new();
        let mut last = None;
        while let Some(event) = events.recv().await {
            assert_eq!(event.generation, generation);
            assert!(last.is_none(), "nothing follows the end");
            match event.kind {
                ThinkEventKind::Delta { text: more } => text.push_str(&more),
                ThinkEventKind::ToolCalls { .. } => panic!("it has no tools"),
                end @ (ThinkEventKind::Done { .. } | ThinkEventKind::Failed { .. }) => {
                    last = Some(end)
                }
            }
        }
        assert_eq!(text.trim_end(), explained.text);
        assert_eq!(
            last,
            Some(ThinkEventKind::Done {
                usage: None,
                hang_up: ends,
                hand_off: None
            })
        );
        drop(handle);
    }
}

#[tokio::test]
async fn dropping_the_handle_stops_the_stream() {
    let mut call = Call::to("cal");
    call.say("how do i start a website");
    call.history.pop();
    let (sender, mut events) = mpsc::channel(1);
    let request = ThinkRequest {
        tools: Vec::new(),
        limits: ThinkLimits::default(),
        already_said: None,
        generation: GenerationId(1),
        agent: call.agent.clone(),
        history: call.history,
    };
    let handle = Offline::default().start(request, sender);
    assert!(matches!(
        events.recv().await.unwrap().kind,
        ThinkEventKind::Delta { .. }
    ));
    drop(handle);
    let mut rest = Vec::new();
    while let Some(event) = events.recv().await {
        rest.push(event.kind);
    }
    assert!(
        !rest
            .iter()
            .any(|kind| matches!(kind, ThinkEventKind::Done { .. })),
        "{rest:?}"
    );
}
