//! Models that are installed, replaced and removed while the recognizer runs.

use std::time::Duration;

use antiphon_providers::hear::installed::{InstalledHear, Watch};
use antiphon_providers::hear::{Hear, HearEventKind};
use antiphon_providers::models::ModelsFolder;
use antiphon_testkit::WhisperModel;

use crate::support::{Home, PATIENCE, TestCall, quiet, tone};

/// What is heard where no model is installed.
const NOBODY: &str = "(nobody)";

struct Server {
    home: Home,
    hear: InstalledHear,
}

impl Server {
    /// Over a folder with `models`, before it starts.
    fn start(models: &[(&str, u32)], wanted: Option<&str>) -> Self {
        let home = Home::new();
        for (name, rank) in models {
            install(
                &home,
                name,
                *rank,
                &[" hello", " from", &format!(" {name}")],
            );
        }
        let folder = ModelsFolder::of_data(home.folder.path());
        let hear = InstalledHear::watching(Watch {
            every: Duration::from_millis(20),
            config: quiet(),
            ..Watch::new(folder, wanted.map(str::to_owned))
        });
        Self { home, hear }
    }

    /// What a call that opens now hears.
    async fn hears(&self) -> String {
        let mut call = TestCall::open(&self.hear);
        if !self.hear.is_available() {
            return NOBODY.to_owned();
        }
        call.say(1, &tone(1_200));
        call.final_of(1).await.0
    }

    /// Waits until calls are heard so.
    async fn until(&self, text: &str) {
        let waited = async {
            while self.hears().await != text {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waited)
            .await
            .unwrap_or_else(|_| panic!("never {text}"));
    }
}

/// Installs a model as a pull leaves it: the file, then the manifest.
fn install(home: &Home, name: &str, rank: u32, tokens: &[&str]) {
    let folder = ModelsFolder::of_data(home.folder.path()).folder(name);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("model.bin");
    WhisperModel::small(tokens).write(&file).unwrap();
    let bytes = std::fs::metadata(&file).unwrap().len();
    // The hash of an installed file was checked when it was fetched.
    let sha256 = format!("{:064x}", tokens.concat().len());
    let manifest = format!(
        r#"{{"name":"{name}","kind":"hear","rank":{rank},"what":"","languages":["en"],
        "licence":{{"name":"MIT","url":""}},"file":[{{"name":"model.bin","url":"http://x",
        "bytes":{bytes},"sha256":"{sha256}","source":""}}]}}"#
    );
    std::fs::write(folder.join("model.json"), manifest).unwrap();
}

#[tokio::test]
async fn the_best_installed_model_is_used_from_the_start() {
    let models = [("tiny", 10), ("small", 30), ("base", 20)];
    let server = Server::start(&models, None);
    assert!(server.hear.is_available());
    assert_eq!(server.hears().await, "hello from small");
    let server = Server::start(&models, Some("base"));
    assert_eq!(server.hears().await, "hello from base");
    let server = Server::start(&models, Some("large"));
    assert_eq!(server.hears().await, NOBODY);
}

#[tokio::test]
async fn models_come_and_go_without_a_restart() {
    let server = Server::start(&[], None);
    assert_eq!(server.hears().await, NOBODY);
    let mut gone = TestCall::open(&server.hear);
    gone.say(1, &tone(100));
    let event = gone.event().await;
    assert!(
        matches!(event.kind, HearEventKind::Failed { .. }),
        "{event:?}"
    );
    install(&server.home, "tiny", 10, &[" one"]);
    server.until("one").await;
    let mut before = TestCall::open(&server.hear);
    install(&server.home, "base", 20, &[" better"]);
    server.until("better").await;
    before.say(1, &tone(1_200));
    assert_eq!(
        before.final_of(1).await.0,
        "one",
        "a call keeps what it began with"
    );
    // Replaced by another file.
    install(&server.home, "base", 20, &[" and", " newer"]);
    server.until("and newer").await;
    // One that cannot be loaded leaves the next best.
    let folder = ModelsFolder::of_data(server.home.folder.path());
    install(&server.home, "base", 20, &[" broken"]);
    let file = folder.folder("base").join("model.bin");
    let len = std::fs::metadata(&file).unwrap().len();
    std::fs::write(&file, vec![0; len as usize]).unwrap();
    server.until("one").await;
    // Mended.
    install(&server.home, "base", 20, &[" mended"]);
    server.until("mended").await;
    folder.remove("base").unwrap();
    server.until("one").await;
    folder.remove("tiny").unwrap();
    server.until(NOBODY).await;
}
