//! What the command prints and with which status it ends.

use std::time::Duration;

use super::library::Library;

#[tokio::test]
async fn a_model_is_listed_and_pulled() {
    let library = Library::start("tiny", vec![7; 100_000], false).await;
    let list = library.run(&["list"]).await;
    assert_eq!((list.status, list.err.as_str()), (0, ""));
    assert!(
        list.out.starts_with("NAME") && list.out.contains("tiny"),
        "{}",
        list.out
    );

    let pull = library.run(&["pull", "tiny"]).await;
    assert_eq!(pull.status, 0, "{}", pull.err);
    assert!(
        pull.out
            .contains("Licence: MIT (https://example.org/licence)"),
        "{}",
        pull.out
    );
    assert!(
        pull.out.contains("The next call hears with it"),
        "{}",
        pull.out
    );
    assert!(
        pull.err.contains("model.bin: 100 % of 0.1 MB"),
        "{}",
        pull.err
    );
    let again = library.run(&["pull", "tiny"]).await;
    assert!(
        again.status == 0 && again.out.contains("installed already"),
        "{}",
        again.out
    );

    let list = library.run(&["list", "--json"]).await;
    let listed: serde_json::Value = serde_json::from_str(&list.out).unwrap();
    assert_eq!(listed[0]["name"], "tiny");
    assert_eq!(listed[0]["installed"], true);
    assert_eq!(listed[0]["kind"], "hear");
}

#[tokio::test]
async fn what_is_installed_is_verified_and_removed() {
    let library = Library::start("tiny", vec![7; 100_000], false).await;
    assert_eq!(library.run(&["pull", "tiny"]).await.status, 0);
    let verify = library.run(&["verify"]).await;
    assert_eq!((verify.status, verify.out.as_str()), (0, "tiny: sound\n"));
    let mut changed = library.bytes.clone();
    changed[50_000] = 8;
    std::fs::write(library.file("tiny"), changed).unwrap();
    let verify = library.run(&["verify", "tiny"]).await;
    assert_eq!(verify.status, 1);
    assert!(
        verify.out.contains("model.bin has changed"),
        "{}",
        verify.out
    );
    assert!(
        verify.err.contains("antiphon models pull"),
        "{}",
        verify.err
    );

    let rm = library.run(&["rm", "tiny"]).await;
    assert!(
        rm.status == 0 && rm.out.starts_with("removed tiny: 0.1 MB"),
        "{}",
        rm.out
    );
    assert!(!library.file("tiny").exists());
    let rm = library.run(&["rm", "tiny"]).await;
    assert!(
        rm.status == 1 && rm.err.contains("not installed"),
        "{}",
        rm.err
    );
    let verify = library.run(&["verify", "tiny"]).await;
    assert!(
        verify.status == 1 && verify.err.contains("not installed"),
        "{}",
        verify.err
    );
}

#[tokio::test]
async fn wrong_arguments_are_status_2() {
    let library = Library::start("tiny", vec![7; 10], false).await;
    for (args, said) in [
        (
            &["pull", "tin"][..],
            "there is no model named tin (there is tiny)",
        ),
        (&["pull", "tiny", "../x"], "no model named ../x"),
        (&["rm", "../models"], "no model named ../models"),
        (&["pull"], "required"),
        (&["list", "--catalogue", "/no/such"], "cannot be read"),
    ] {
        let ran = library.run(args).await;
        assert_eq!(ran.status, 2, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
    assert_eq!(
        library.requests.load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

#[tokio::test]
async fn without_a_network_one_sentence_says_what_to_do() {
    let library = Library::start("tiny", vec![7; 10], false).await;
    library.stop();
    tokio::task::yield_now().await;
    let pull = library.run(&["pull", "tiny"]).await;
    assert_eq!(pull.status, 1);
    let last = pull.err.lines().last().unwrap();
    assert!(
        last.starts_with("antiphon: 127.0.0.1 cannot be reached ("),
        "{last}"
    );
    assert!(
        last.contains("connect this machine to the network"),
        "{last}"
    );
}

#[tokio::test]
async fn a_pull_that_is_killed_is_gone_on_with() {
    let library = Library::start("tiny", vec![7; 100_000], true).await;
    let mut child = library.spawn(&["pull", "tiny"]);
    let part = library.file("tiny").with_file_name("model.bin.part");
    let got_half = async {
        while std::fs::metadata(&part).map_or(0, |found| found.len()) < 50_000 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), got_half)
        .await
        .unwrap();
    child.kill().await.unwrap();
    let pull = library.run(&["pull", "tiny"]).await;
    assert_eq!(pull.status, 0, "{}", pull.err);
    assert_eq!(std::fs::read(library.file("tiny")).unwrap(), library.bytes);
    assert_eq!(
        library.requests.load(std::sync::atomic::Ordering::SeqCst),
        2
    );
}
