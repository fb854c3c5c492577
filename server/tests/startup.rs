//! What keeps the server from starting is said in words that help.

use std::fs;

use antiphon_server::{ServeError, Server};

use crate::support::{TestServer, args, providers};

async fn fault(change: impl FnOnce(&mut antiphon_server::ServeArgs)) -> ServeError {
    let data = tempfile::tempdir().unwrap();
    let mut args = args(data.path());
    change(&mut args);
    match Server::start(&args, providers(), None).await {
        Ok(_) => panic!("it started"),
        Err(fault) => fault,
    }
}

#[tokio::test]
async fn a_port_in_use() {
    let running = TestServer::start().await;
    let addr = running.url.trim_start_matches("http://").parse().unwrap();
    let fault = fault(|args| args.listen = addr).await;
    assert!(matches!(fault, ServeError::Listen { .. }), "{fault}");
    assert!(fault.to_string().contains("--port"), "{fault}");
}

#[tokio::test]
async fn a_udp_port_in_use() {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let fault = fault(|args| args.udp = Some(taken.local_addr().unwrap())).await;
    assert!(
        matches!(fault, ServeError::Udp(_)) && fault.to_string().contains("--udp"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_one() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fault = fault(|args| args.data = Some(file.path().join("data"))).await;
    let text = fault.to_string();
    assert!(
        text.contains(&file.path().display().to_string()) && text.contains("ANTIPHON_DATA"),
        "{text}"
    );
}

#[tokio::test]
async fn a_broken_personality_file() {
    let data = tempfile::tempdir().unwrap();
    fs::create_dir(data.path().join("agents")).unwrap();
    fs::write(
        data.path().join("agents/pat.toml"),
        "name = \"Pat\"\ntitel = \"Helper\"\n",
    )
    .unwrap();
    let fault = fault(|args| args.data = Some(data.path().to_owned())).await;
    let text = fault.to_string();
    assert!(
        text.contains("pat.toml:2") && text.contains("titel") && text.contains("title"),
        "{text}"
    );
}
