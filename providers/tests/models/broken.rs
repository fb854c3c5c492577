//! Servers from which nothing good comes.

use antiphon_providers::models::PullError;

use crate::support::{Answer, FileServer, Place, catalogue, options, pull, sample};

const LEN: usize = 20_000;

/// Pulls from a server with one answer; answers the fault and the number of requests. Nothing may
/// be installed, and nothing wrong kept.
async fn check(answer: Answer) -> (PullError, usize) {
    let (bytes, place) = (sample(LEN), Place::new());
    let server = FileServer::start(bytes.clone(), [answer.clone()]).await;
    let (pulled, _) = pull(&place, &catalogue(&server.url, &bytes, ""), options()).await;
    assert!(place.folder.all().is_empty() && !place.file().exists());
    let kept = std::fs::metadata(place.part()).map_or(0, |found| found.len());
    assert!(kept < LEN as u64, "{answer:?} left {kept} bytes");
    (pulled.unwrap_err(), server.requests().len())
}

#[tokio::test]
async fn another_file_is_not_installed() {
    let (fault, requests) = check(Answer::Other).await;
    assert!(matches!(fault, PullError::WrongHash { .. }), "{fault}");
    assert!(fault.to_string().contains("The download was removed"));
    assert_eq!(requests, 1);
    let (fault, requests) = check(Answer::Length(LEN - 1)).await;
    assert!(
        matches!(fault, PullError::WrongSize { got: 19_999, .. }),
        "{fault}"
    );
    assert_eq!(requests, 1);
    let (fault, _) = check(Answer::TooMuch).await;
    assert!(matches!(fault, PullError::WrongSize { .. }), "{fault}");
}

#[tokio::test]
async fn what_asking_again_cannot_mend_is_said_at_once() {
    for status in [404, 403, 401, 410, 451] {
        let (fault, requests) = check(Answer::Status(status, "")).await;
        assert!(fault.to_string().contains(&status.to_string()), "{fault}");
        assert!(matches!(fault, PullError::Refused { .. }));
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_only_so_often() {
    for status in [429, 500, 502, 503] {
        let (fault, requests) = check(Answer::Status(status, "")).await;
        assert!(matches!(fault, PullError::Busy { .. }), "{fault}");
        assert_eq!(requests as u32, options().failures_max);
    }
}

#[tokio::test]
async fn a_server_that_cuts_before_anything_is_given_up() {
    let (fault, requests) = check(Answer::File { cut: Some(0) }).await;
    assert!(
        matches!(fault, PullError::Broken { kept: 0, .. }),
        "{fault}"
    );
    assert_eq!(requests as u32, options().failures_max);
}

#[tokio::test]
async fn redirects_are_followed_and_not_for_ever() {
    let bytes = sample(LEN);
    let real = FileServer::start(bytes.clone(), [crate::support::WHOLE]).await;
    let to = FileServer::start(Vec::new(), [Answer::Redirect(real.url.clone())]).await;
    let place = Place::new();
    pull(&place, &catalogue(&to.url, &bytes, ""), options())
        .await
        .0
        .unwrap();
    let (fault, requests) = check(Answer::Redirect("/again".to_owned())).await;
    assert!(fault.to_string().contains("redirects"), "{fault}");
    assert!(requests < 40, "{requests}");
}

#[tokio::test]
async fn no_server_is_said_in_one_sentence() {
    let (bytes, place) = (sample(LEN), Place::new());
    let server = FileServer::start(bytes.clone(), [crate::support::WHOLE]).await;
    let catalogue = catalogue(&server.url, &bytes, "");
    server.stop();
    drop(server);
    tokio::task::yield_now().await;
    let (pulled, _) = pull(&place, &catalogue, options()).await;
    let fault = pulled.unwrap_err();
    assert!(matches!(fault, PullError::Unreachable { .. }), "{fault}");
    let said = fault.to_string();
    assert!(
        said.starts_with("127.0.0.1 cannot be reached (") && !said.contains('\n'),
        "{said}"
    );
    assert!(said.contains(&place.file().display().to_string()), "{said}");
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_no_network() {
    let (bytes, place) = (sample(LEN), Place::new());
    let catalogue = catalogue("https://antiphon.invalid/a.bin", &bytes, "");
    let (pulled, _) = pull(&place, &catalogue, options()).await;
    let fault = pulled.unwrap_err();
    assert!(matches!(fault, PullError::Unreachable { .. }), "{fault}");
}
