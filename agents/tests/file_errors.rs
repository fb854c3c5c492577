//! A broken personality file: file, line, column, what is wrong, what to write instead.
#![allow(clippy::unwrap_used)]

use antiphon_agents::{Agent, LintKind, lint, load_folder};

const GOOD: &str = "name = \"A\"\ntitle = \"T\"\ntagline = \"G\"\ngreeting = \"Hi.\"\n";

fn check(text: &str, line: usize, column: usize, parts: &[&str]) {
    let error = Agent::parse("a", "a.toml", text).unwrap_err();
    let shown = error.to_string();
    assert_eq!((error.line, error.column), (line, column), "{shown}");
    assert!(
        shown.starts_with(&format!("a.toml:{line}:{column}: ")),
        "{shown}"
    );
    for part in parts {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
}

fn after(more: &str) -> String {
    format!("{GOOD}{more}")
}

#[test]
fn minimal_file_has_defaults() {
    let agent = Agent::parse("a", "a.toml", GOOD).unwrap();
    assert_eq!(
        (agent.turn.endpointing_ms_min, agent.turn.endpointing_ms_max),
        (400, 1_800)
    );
    assert_eq!(
        (agent.turn.interruption_ms_min, agent.turn.interruption),
        (250, antiphon_agents::Interruptible::Normal)
    );
    assert_eq!(
        (
            agent.voice.backend.as_str(),
            agent.voice.name.as_str(),
            agent.voice.pace
        ),
        ("flite", "rms", 1.0)
    );
    assert!(agent.small_talk("goodbye").unwrap().ends_call);
    assert!(lint(&agent).iter().any(|lint| lint.kind == LintKind::Thin));
}

#[test]
fn unknown_keys_and_values_get_a_guess() {
    check(
        "gretting = \"x\"\n",
        1,
        1,
        &["unknown key `gretting`", "did you mean `greeting`?"],
    );
    check(
        &after("[voice]\nname = \"rsm\"\n"),
        6,
        8,
        &["unknown voice `rsm`", "did you mean `rms`?"],
    );
    check(
        &after("[voice]\nname = \"nobody\"\n"),
        6,
        8,
        &["`rms`, `slt`, `awb`, `kal16`"],
    );
    check(
        &after("[voice]\nname = \"rms\"\nbackend = \"flit\"\n"),
        7,
        11,
        &["voice backend", "`flite`?"],
    );
    check(
        &after("[voice]\nnmae = \"rms\"\n"),
        6,
        1,
        &["unknown key `nmae`", "did you mean `name`?"],
    );
    check(
        &after("[[small_talk]]\nname = \"thansk\"\n"),
        6,
        8,
        &["did you mean `thanks`?"],
    );
}

#[test]
fn values_out_of_range_say_the_range() {
    check(
        &after("color = \"blue\"\n"),
        5,
        9,
        &["`blue` is no colour", "six hexadecimal digits"],
    );
    check(
        &after("[voice]\nname = \"rms\"\npace = 9.0\n"),
        7,
        8,
        &["pace of 9", "0.5", "2.0"],
    );
    check(&after("call_seconds_max = 0\n"), 5, 20, &["1 to 14400"]);
    check(
        &after("[turn]\nendpointing_ms_min = 3000\n"),
        6,
        22,
        &["3000", "no greater than"],
    );
    check(
        "name = \"\"\ntitle = \"T\"\ntagline = \"G\"\ngreeting = \"Hi.\"\n",
        1,
        8,
        &["`name` is empty"],
    );
}

#[test]
fn broken_toml_names_the_place() {
    check("name = \"A\ntitle = 1\n", 1, 10, &["write it as TOML"]);
    check(&after("suggestions = 3\n"), 5, 15, &["docs/agents.md"]);
    let error = Agent::parse("a", "a.toml", "name = \"A\"\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("`title` is missing"), "{error}");
}

#[test]
fn references_are_checked() {
    let intent = "[[intents]]\nname = \"x\"\nexamples = [\"a {sise}\"]\nanswers = [\"b\"]\n";
    check(
        &after(&format!("{intent}[slots]\nsize = [\"small\"]\n")),
        7,
        13,
        &["unknown slot", "did you mean `{size}`?"],
    );
    check(
        &after("[[intents]]\nname = \"x\"\n"),
        6,
        8,
        &["cannot be reached"],
    );
    let twice = "[[intents]]\nname = \"x\"\nexamples = [\"a\"]\nanswers = [\"b\"]\n".repeat(2);
    check(&after(&twice), 10, 8, &["second intent named `x`"]);
    let topic = "[[intents]]\nname = \"x\"\nexamples = [\"a\"]\nanswers = [\"b\"]\ntopic = \"pricse\"\n\
                 [[knowledge]]\ntitle = \"prices\"\ntext = \"t\"\n";
    check(&after(topic), 9, 9, &["did you mean `prices`?"]);
}

#[test]
fn ids_and_sizes_are_bounded() {
    assert!(
        Agent::parse("Bad Id", "x.toml", GOOD)
            .unwrap_err()
            .to_string()
            .contains("lower-case")
    );
    let huge = format!(
        "{GOOD}# {}",
        "x".repeat(antiphon_agents::AGENT_FILE_BYTES_MAX)
    );
    assert!(
        Agent::parse("a", "a.toml", &huge)
            .unwrap_err()
            .problem
            .contains("bytes")
    );
}

#[test]
fn a_folder_reports_every_broken_file() {
    let folder = std::env::temp_dir().join(format!("antiphon-agents-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("good.toml"), GOOD).unwrap();
    std::fs::write(folder.join("one.toml"), "nam = 1\n").unwrap();
    std::fs::write(folder.join("two.toml"), [0xff, 0xfe]).unwrap();
    std::fs::write(folder.join("note.txt"), "no agent").unwrap();
    let errors = load_folder(&folder).unwrap_err();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].file.ends_with("one.toml") && errors[1].file.ends_with("two.toml"));
    assert!(
        load_folder(&folder).unwrap_err()[0]
            .problem
            .contains("cannot be read")
    );
}

#[test]
fn lint_finds_what_makes_a_worse_agent() {
    let text = "name = \"A\"\ntitle = \"T\"\ntagline = \"G\"\n\
        greeting = \"Hello * and welcome.\"\n\
        [[intents]]\nname = \"one\"\nexamples = [\"open the door\"]\nanswers = [\"It opens.\"]\n\
        [[intents]]\nname = \"two\"\nexamples = [\"open the door\", \"door open\", \"let me in\"]\nanswers = [\"Yes.\", \"Okay.\"]\n";
    let agent = Agent::parse("a", "a.toml", text).unwrap();
    let kinds: Vec<LintKind> = lint(&agent).into_iter().map(|lint| lint.kind).collect();
    for kind in [
        LintKind::Unspeakable,
        LintKind::FewExamples,
        LintKind::FewAnswers,
        LintKind::Collision,
        LintKind::Thin,
    ] {
        assert!(kinds.contains(&kind), "{kind:?} in {kinds:?}");
    }
}

#[test]
fn a_pronunciation_is_read_and_its_faults_are_placed() {
    let agent = Agent::parse(
        "a",
        "a.toml",
        &after("[pronounce]\n\"Antiphon\" = \"an-tih-fon\"\n"),
    )
    .unwrap();
    assert!(agent.pronounce.find("antiphon").is_some());
    check(
        &after("[pronounce]\n\"Antiphon\" = \"4n\"\n"),
        6,
        14,
        &["`4n` cannot be read aloud", "an-tih-fon"],
    );
    check(
        &after("[pronounce]\nGood = \"gud\"\n\"--\" = \"x\"\n"),
        7,
        1,
        &["`--` has no letter"],
    );
    let idle = Agent::parse("a", "a.toml", &after("[pronounce]\nWord = \"word\"\n")).unwrap();
    assert!(
        lint(&idle)
            .iter()
            .any(|lint| lint.kind == LintKind::IdlePronunciation)
    );
}
