//! Disks without room.

use std::sync::Arc;

use antiphon_providers::models::{PullError, PullOptions, Pulled};

use crate::support::{FileServer, Place, WHOLE, catalogue, options, pull, sample};

#[tokio::test]
async fn too_little_room_is_said_before_anything_is_fetched() {
    let (bytes, place) = (sample(50_000), Place::new());
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    let catalogue = catalogue(&server.url, &bytes, "");
    let with = |free: u64| PullOptions {
        free_space: Arc::new(move |_| Ok(free)),
        ..options()
    };
    let need = 50_000 + (64 << 20);
    let (pulled, _) = pull(&place, &catalogue, with(need - 1)).await;
    let fault = pulled.unwrap_err();
    assert!(
        matches!(fault, PullError::NoRoom { need_mb: 68, .. }),
        "{fault}"
    );
    assert!(fault.to_string().contains("--data"), "{fault}");
    assert_eq!(server.requests().len(), 0);
    // What an earlier run got needs no room again.
    place.leave(&bytes[..10_000], None);
    let (pulled, _) = pull(&place, &catalogue, with(need - 10_000)).await;
    assert_eq!(pulled.unwrap(), Pulled::Installed);
}

/// The part is `/dev/full`, which takes no byte: what a disk does that fills up meanwhile.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_disk_that_fills_up_is_said_and_not_tried_again() {
    let (bytes, place) = (sample(50_000), Place::new());
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    place.leave(&[], None);
    std::fs::remove_file(place.part()).unwrap();
    std::os::unix::fs::symlink("/dev/full", place.part()).unwrap();
    let (pulled, _) = pull(&place, &catalogue(&server.url, &bytes, ""), options()).await;
    let fault = pulled.unwrap_err();
    assert!(matches!(fault, PullError::DiskFull { .. }), "{fault}");
    assert!(
        fault.to_string().contains("goes on where it stopped"),
        "{fault}"
    );
    assert_eq!(server.requests().len(), 1);
    assert!(place.folder.all().is_empty());
}
