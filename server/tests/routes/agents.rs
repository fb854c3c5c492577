use antiphon_proto::AgentView;
use reqwest::Method;

use crate::support::TestServer;

#[tokio::test]
async fn lists_the_library() {
    let server = TestServer::start().await;
    let list: serde_json::Value = server
        .request(Method::GET, "/v1/agents")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let agents: Vec<AgentView> = serde_json::from_value(list["data"].clone()).unwrap();
    let ids: Vec<&str> = agents.iter().map(|agent| agent.id.as_str()).collect();
    assert_eq!(ids, ["cal", "riven", "domingo", "arty", "loopseeker"]);
    assert!(
        agents
            .iter()
            .all(|agent| !agent.suggestions.is_empty() && agent.color.starts_with('#'))
    );
    assert!(list["next_cursor"].is_null());
}
