//! A first download, and what is there after it.

use antiphon_providers::models::{Pulled, Verified};

use crate::support::{FileServer, Place, WHOLE, catalogue, options, pull, sample};

#[tokio::test]
async fn a_model_is_fetched_checked_and_installed() {
    let (bytes, place) = (sample(300_000), Place::new());
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    let catalogue = catalogue(&server.url, &bytes, "");
    assert!(place.folder.all().is_empty());
    let (pulled, shown) = pull(&place, &catalogue, options()).await;
    assert_eq!(pulled.unwrap(), Pulled::Installed);
    assert_eq!(std::fs::read(place.file()).unwrap(), bytes);
    assert_eq!(place.names(), ["a.bin", "model.json"]);
    assert_eq!(shown.last().unwrap(), "Got { bytes: 300000 }");

    let installed = place.folder.installed("tiny").unwrap();
    let file = &installed.model.files[0];
    let verify = || place.folder.verify(&installed, file, &mut |_| {}).unwrap();
    assert_eq!(verify(), Verified::Sound);
    let mut changed = bytes.clone();
    changed[7] ^= 1;
    std::fs::write(place.file(), &changed).unwrap();
    assert!(matches!(verify(), Verified::Changed { .. }));

    let (pulled, _) = pull(&place, &catalogue, options()).await;
    assert_eq!(pulled.unwrap(), Pulled::Already);
    assert_eq!(server.requests().len(), 1);
    std::fs::remove_file(place.file()).unwrap();
    assert!(place.folder.installed("tiny").is_none());
    assert_eq!(verify(), Verified::Missing);
}

#[tokio::test]
async fn a_file_put_there_by_hand_is_checked_and_kept() {
    let (bytes, place) = (sample(9_000), Place::new());
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    let catalogue = catalogue(&server.url, &bytes, "");
    place.leave(&[], None);
    std::fs::write(place.file(), &bytes).unwrap();
    assert_eq!(
        pull(&place, &catalogue, options()).await.0.unwrap(),
        Pulled::Installed
    );
    assert_eq!(server.requests().len(), 0);

    // Of the right size and wrong: fetched.
    place.folder.remove("tiny").unwrap();
    place.leave(&[], None);
    std::fs::write(place.file(), vec![0; bytes.len()]).unwrap();
    assert_eq!(
        pull(&place, &catalogue, options()).await.0.unwrap(),
        Pulled::Installed
    );
    assert_eq!(std::fs::read(place.file()).unwrap(), bytes);
}

#[tokio::test]
async fn a_newer_catalogue_replaces_what_is_installed() {
    let (old, new, place) = (sample(5_000), sample(6_000), Place::new());
    for bytes in [&old, &new] {
        let server = FileServer::start(bytes.clone(), [WHOLE]).await;
        let catalogue = catalogue(&server.url, bytes, "");
        assert_eq!(
            pull(&place, &catalogue, options()).await.0.unwrap(),
            Pulled::Installed
        );
        assert_eq!(&std::fs::read(place.file()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn removing_frees_the_folder() {
    let (bytes, place) = (sample(5_000), Place::new());
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    assert_eq!(place.folder.remove("tiny").unwrap(), None);
    pull(&place, &catalogue(&server.url, &bytes, ""), options())
        .await
        .0
        .unwrap();
    assert!(place.folder.remove("tiny").unwrap().unwrap() > 5_000);
    assert!(place.folder.all().is_empty() && place.names().is_empty());
}

#[tokio::test]
async fn a_model_for_another_machine_is_refused() {
    let (bytes, place) = (sample(10), Place::new());
    let catalogue = catalogue("http://127.0.0.1:9/", &bytes, "platform = \"z80-cpm\"\n");
    let (pulled, _) = pull(&place, &catalogue, options()).await;
    let said = pulled.unwrap_err().to_string();
    assert!(said.contains("tiny is not made for this machine"), "{said}");
}

#[tokio::test]
async fn a_model_is_fetched_by_one_at_a_time() {
    use crate::support::Answer;
    let (bytes, place) = (sample(5_000), Place::new());
    let server = FileServer::start(bytes.clone(), [Answer::Stall(100), WHOLE]).await;
    let catalogue = catalogue(&server.url, &bytes, "");
    let second = async {
        // The first has the lock as soon as its request is seen.
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let said = pull(&place, &catalogue, options())
            .await
            .0
            .unwrap_err()
            .to_string();
        assert!(said.contains("by another process"), "{said}");
        assert!(place.folder.remove("tiny").is_err());
    };
    let (first, ()) = tokio::join!(pull(&place, &catalogue, options()), second);
    // After the stall it goes on by itself.
    assert_eq!(first.0.unwrap(), Pulled::Installed);
}
