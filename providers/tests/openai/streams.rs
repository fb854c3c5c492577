//! Replies that arrive, in whatever packets.

use antiphon_providers::think::openai::OpenAiCompatible;
use antiphon_providers::think::{ThinkEventKind, ThinkUsage};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::server::{KEY, OK, Step, collect, read_request, serve, start, start_on, words};

const END: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
    data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7,\"total_tokens\":18}}\n\n\
    data: [DONE]\n\n";

#[tokio::test]
async fn streams_words_and_reports_usage() {
    let stream = format!(
        "{OK}: hi\n\ndata: {{\"choices\":[{{\"delta\":{{\"role\":\"assistant\"}}}}]}}\n\n{}{}{END}",
        words("A "),
        words("domain.")
    );
    let server = serve(vec![Step::Send(stream.into_bytes())]).await;
    let (_handle, events) = start(server.config);
    let (text, end) = collect(events).await;
    assert_eq!(text, "A domain.");
    let usage = Some(ThinkUsage {
        cached_input_tokens: 0,
        input_tokens: 11,
        output_tokens: 7,
    });
    assert_eq!(
        end,
        ThinkEventKind::Done {
            usage,
            hang_up: false,
            hand_off: None,
        }
    );
    let request = server.done.await.unwrap();
    assert!(
        request.starts_with("POST /v1/chat/completions "),
        "{request}"
    );
    assert!(
        request
            .to_lowercase()
            .contains(&format!("authorization: bearer {KEY}"))
    );
    let body: serde_json::Value =
        serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    assert_eq!(
        (&body["model"], &body["stream"]),
        (&"test-model".into(), &true.into())
    );
    let roles: Vec<&str> = body["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["system", "assistant", "user"]);
    assert_eq!(body["messages"][1]["content"], "Hello I am —");
    assert!(
        body["messages"][0]["content"]
            .as_str()
            .unwrap()
            .contains("You are Cal")
    );
}

#[tokio::test]
async fn characters_and_lines_may_be_split_anywhere() {
    let stream = format!("{}{}{END}", words("Grüße "), words("aus 東京 🙂."));
    let mut steps = vec![Step::Send(OK.as_bytes().to_vec())];
    steps.extend(
        stream
            .as_bytes()
            .chunks(3)
            .map(|packet| Step::Send(packet.to_vec())),
    );
    let server = serve(steps).await;
    let (_handle, events) = start(server.config);
    let (text, end) = collect(events).await;
    assert_eq!(text, "Grüße aus 東京 🙂.");
    assert!(matches!(end, ThinkEventKind::Done { usage: Some(_), .. }));
}

#[tokio::test]
async fn a_finish_without_done_is_an_end() {
    let stream = format!(
        "{OK}{}data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"length\"}}]}}",
        words("Yes.")
    );
    let server = serve(vec![Step::Send(stream.into_bytes())]).await;
    let (_handle, events) = start(server.config);
    assert_eq!(
        collect(events).await,
        (
            "Yes.".to_owned(),
            ThinkEventKind::Done {
                usage: None,
                hang_up: false,
                hand_off: None,
            }
        )
    );
}

#[tokio::test]
async fn one_connection_serves_reply_after_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        for _ in 0..2 {
            read_request(&mut socket).await;
            let body = format!("{}{END}", words("Yes."));
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            socket
                .write_all(format!("{head}{body}").as_bytes())
                .await
                .unwrap();
        }
    });
    let responder = OpenAiCompatible::new(antiphon_providers::think::openai::OpenAiConfig::new(
        url, "m",
    ))
    .unwrap();
    for _ in 0..2 {
        let (sender, events) = mpsc::channel(4);
        let _handle = start_on(&responder, sender);
        assert_eq!(collect(events).await.0, "Yes.");
    }
    server.await.unwrap();
}
