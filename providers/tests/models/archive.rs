//! A file taken out of a zip archive.

use std::io::Write;

use antiphon_providers::models::{PullError, Pulled};

use crate::support::{FileServer, Place, WHOLE, catalogue, options, pull, sample, sha256};

fn zip_with(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("README", deflated).unwrap();
    archive.write_all(b"not this").unwrap();
    archive.start_file(name, deflated).unwrap();
    archive.write_all(bytes).unwrap();
    archive.finish().unwrap().into_inner()
}

async fn check(member: &str, bytes: u64, hash: &str) -> (Result<Pulled, PullError>, Place) {
    let place = Place::new();
    let archive = zip_with("lib/it.so", &sample(40_000));
    let server = FileServer::start(archive.clone(), [WHOLE]).await;
    let more =
        format!("member = {{ path = \"{member}\", bytes = {bytes}, sha256 = \"{hash}\" }}\n");
    let catalogue = catalogue(&server.url, &archive, &more);
    (pull(&place, &catalogue, options()).await.0, place)
}

#[tokio::test]
async fn the_member_is_installed_and_the_archive_is_not_kept() {
    let bytes = sample(40_000);
    let (pulled, place) = check("lib/it.so", 40_000, &sha256(&bytes)).await;
    assert_eq!(pulled.unwrap(), Pulled::Installed);
    assert_eq!(std::fs::read(place.file()).unwrap(), bytes);
    assert_eq!(place.names(), ["a.bin", "model.json"]);
    assert!(place.folder.installed("tiny").is_some());
}

#[tokio::test]
async fn an_archive_without_it_is_refused() {
    let hash = sha256(&sample(40_000));
    for (member, bytes, hash, said) in [
        ("lib/other.so", 40_000, hash.as_str(), "lib/other.so"),
        ("lib/it.so", 39_999, hash.as_str(), "more than 39999 bytes"),
        ("lib/it.so", 40_000, &"0".repeat(64), "its SHA-256 is"),
    ] {
        let (pulled, place) = check(member, bytes, hash).await;
        let fault = pulled.unwrap_err().to_string();
        assert!(fault.contains(said), "{fault}");
        assert!(place.folder.all().is_empty() && !place.file().exists());
    }
}
