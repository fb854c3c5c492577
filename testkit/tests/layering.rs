//! Who may depend on whom: the last column of the workspace table in `docs/ARCHITECTURE.md`.

use std::collections::BTreeMap;
use std::process::Command;

/// Every crate of the workspace and those of ours that it may depend on. Development dependencies
/// are free.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("antiphon-proto", &[]),
    ("antiphon-audio", &[]),
    ("antiphon-engine", &["antiphon-proto"]),
    ("antiphon-safety", &["antiphon-proto"]),
    ("antiphon-billing-meter", &["antiphon-proto"]),
    ("antiphon-agents", &["antiphon-proto"]),
    (
        "antiphon-providers",
        &["antiphon-proto", "antiphon-audio", "antiphon-agents"],
    ),
    (
        "antiphon-runtime",
        &[
            "antiphon-proto",
            "antiphon-audio",
            "antiphon-engine",
            "antiphon-safety",
            "antiphon-billing-meter",
            "antiphon-agents",
            "antiphon-providers",
        ],
    ),
    (
        "antiphon-transports",
        &["antiphon-proto", "antiphon-audio", "antiphon-runtime"],
    ),
];

/// Crates that may depend on everything but the server.
const ALL_BUT_SERVER: &[&str] = &["antiphon-testkit"];
/// Crates that may depend on everything.
const ALL: &[&str] = &["antiphon", "antiphon-benches"];

#[test]
fn crates_depend_only_on_what_lies_below_them() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata is JSON");
    let allowed: BTreeMap<&str, &[&str]> = MAY_DEPEND_ON.iter().copied().collect();
    let packages = metadata["packages"].as_array().expect("packages");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        if ALL.contains(&name) {
            continue;
        }
        let dependencies = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter();
        let ours = dependencies
            .filter(|dependency| dependency["kind"].is_null() && dependency["path"].is_string());
        for dependency in ours.map(|dependency| dependency["name"].as_str().expect("a name")) {
            let fine = if ALL_BUT_SERVER.contains(&name) {
                dependency != "antiphon"
            } else {
                allowed
                    .get(name)
                    .unwrap_or_else(|| panic!("{name} is not in the table"))
                    .contains(&dependency)
            };
            assert!(fine, "{name} must not depend on {dependency}");
        }
    }
}
