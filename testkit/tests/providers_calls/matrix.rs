//! Every fault of every adapter, in a call: who goes on, and how long the person waits.
//! `cargo test -p antiphon-testkit --test providers_calls matrix -- --nocapture` prints the table;
//! `WRITE_MATRIX=1` writes it to `docs/faults.md`.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use antiphon_proto::{Event, NoticeCode, Role};
use antiphon_providers::route::Stage;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::builders::{FAULTS, HEAR, SPEAK, THINK, Wrong, hear, speak, think};
use crate::support::{
    APOLOGY, Providers, QUESTION, Turn, answer, call, scripted_hear, scripted_speak, scripted_think,
};

/// Calls at once: two cores carry them, and the deadlines of many are waited for together.
const CALLS_MAX: usize = 24;
/// Nobody waits longer in silence.
const SILENCE_MS_MAX: u64 = 3_000;

/// One fault of one adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// 0 to 2: hear, think, speak.
    stage: usize,
    adapter: usize,
    /// Nobody stands behind it.
    alone: bool,
    fault: usize,
}

const STAGES: [Stage; 3] = [Stage::Hear, Stage::Think, Stage::Speak];

/// What became of it.
struct Cell {
    text: String,
    /// What should not have been.
    wrong: Vec<String>,
}

impl Place {
    fn all() -> Vec<Self> {
        let mut places = Vec::new();
        // The longest first.
        for alone in [true, false] {
            for fault in 0..FAULTS.len() {
                for (stage, adapters) in [HEAR.len(), THINK.len(), SPEAK.len()].iter().enumerate() {
                    // Alone, how long a call waits is the adapter's own deadline: one of each.
                    let adapters = if alone { 1 } else { *adapters };
                    places.extend((0..adapters).map(|adapter| Self {
                        stage,
                        adapter,
                        alone,
                        fault,
                    }));
                }
            }
        }
        places
    }

    fn adapter_name(self) -> String {
        match STAGES[self.stage] {
            Stage::Hear => HEAR[self.adapter].0.to_owned(),
            Stage::Think => format!("{} {}", THINK[self.adapter].0, THINK[self.adapter].2),
            Stage::Speak => SPEAK[self.adapter].0.to_owned(),
        }
    }

    fn fault(self) -> Wrong {
        FAULTS[self.fault].0
    }

    async fn providers(self) -> (Providers, Box<dyn Any + Send + Sync>) {
        let mut providers = Providers::scripted();
        let behind = !self.alone;
        let keep = match STAGES[self.stage] {
            Stage::Hear => {
                let built = hear(self.adapter, self.fault(), |_| true).await;
                providers.hear = vec![built.provider];
                providers.hear.extend(behind.then(scripted_hear));
                built.keep
            }
            Stage::Think => {
                let built = think(self.adapter, self.fault()).await;
                providers.think = vec![built.provider];
                providers.think_last = behind.then(scripted_think);
                built.keep
            }
            Stage::Speak => {
                let built = speak(self.adapter, self.fault(), |_| true).await;
                providers.speak = vec![built.provider];
                providers.speak.extend(behind.then(scripted_speak));
                built.keep
            }
        };
        (providers, keep)
    }

    async fn run(self) -> Cell {
        let (providers, _keep) = self.providers().await;
        let call = call(&providers.router()).await;
        let said = call.say().await;
        let mut cell = Cell {
            text: self.told(&said),
            wrong: self.judge(&said),
        };
        // The call goes on.
        let typed = call.type_text("foxtrot golf").await;
        let mut more = self.judge_any(&typed);
        if typed.sentences().is_empty() {
            more.push("what is typed afterwards is not answered".to_owned());
        }
        if call.ended() {
            more.push("the call is over".to_owned());
        }
        cell.wrong
            .extend(more.into_iter().map(|wrong| format!("then: {wrong}")));
        if !cell.wrong.is_empty() {
            let events = said.events.iter();
            let events = events.filter(|(_, event)| !matches!(event, Event::Meter { .. }));
            let events: Vec<_> = events.collect();
            cell.wrong.push(format!("{:?} {events:?}", said.words()));
        }
        cell
    }

    /// True where something must be heard.
    fn is_heard(self) -> bool {
        !self.alone || STAGES[self.stage] != Stage::Speak
    }

    /// What holds for every turn, with anybody behind or not.
    fn judge_any(self, turn: &Turn) -> Vec<String> {
        let mut wrong = Vec::new();
        if turn.hung {
            wrong.push("it hangs".to_owned());
        }
        let silence_ms = turn.longest_silence_ms();
        if self.is_heard() && silence_ms > SILENCE_MS_MAX {
            wrong.push(format!("{silence_ms} ms of silence"));
        }
        if self.is_heard() && turn.first_sound_ms().is_none() {
            wrong.push("nothing is heard".to_owned());
        }
        let sentences = turn.sentences();
        let whole = answer();
        let told: Vec<&String> = sentences
            .iter()
            .map(|(_, text)| text)
            // Fillers may come again.
            .filter(|text| whole.contains(text.as_str()) || *text == APOLOGY)
            .collect();
        for (nth, text) in told.iter().enumerate() {
            if told[..nth].contains(text) {
                wrong.push(format!("said twice: {text}"));
            }
        }
        wrong
    }

    fn judge(self, turn: &Turn) -> Vec<String> {
        let mut wrong = self.judge_any(turn);
        let is_slow = self.fault() == Wrong::Slow;
        if self.alone && !is_slow {
            return wrong;
        }
        let whole = answer();
        let words = turn.answered();
        if words != [(Role::User, QUESTION.to_owned()), (Role::Agent, whole)] {
            wrong.push(format!("history: {words:?}"));
        }
        if is_slow != turn.changes().is_empty() {
            wrong.push(format!("changes: {:?}", turn.changes()));
        }
        wrong
    }

    /// The table's words for it.
    fn told(self, turn: &Turn) -> String {
        let whole = answer();
        let sentences = turn.sentences();
        let said = |words: &str| sentences.iter().any(|(_, text)| text == words);
        let known = |text: &str| whole.contains(text) || text == APOLOGY;
        let mut what = Vec::new();
        if sentences.iter().any(|(_, text)| !known(text)) {
            what.push("filler".to_owned());
        }
        let changes = turn.changes();
        match changes.first() {
            Some((_, _, Some(_), fault)) => what.push(format!("next (`{fault}`)")),
            Some((_, _, None, fault)) => what.push(format!("`{fault}`")),
            None => what.push("itself".to_owned()),
        }
        if said(APOLOGY) {
            what.push("apology".to_owned());
        }
        if turn.has_notice(NoticeCode::VoiceTrouble) {
            what.push("captions only".to_owned());
        }
        let first = match turn.first_sound_ms() {
            Some(ms) => ms.to_string(),
            None => "–".to_owned(),
        };
        format!(
            "{}: {first} / {}",
            what.join(", "),
            turn.longest_silence_ms()
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_every_adapter_is_survived() {
    let room = Arc::new(Semaphore::new(CALLS_MAX));
    let mut running = JoinSet::new();
    for place in Place::all() {
        let room = Arc::clone(&room);
        running.spawn(async move {
            let _permit = room.acquire_owned().await.unwrap();
            (place, place.run().await)
        });
    }
    let mut cells = BTreeMap::new();
    while let Some(done) = running.join_next().await {
        let (place, cell) = done.unwrap();
        cells.insert(place, cell);
    }
    let page = page(&cells);
    println!("{page}");
    let wrong: Vec<String> = cells
        .iter()
        .filter(|(_, cell)| !cell.wrong.is_empty())
        .map(|(place, cell)| {
            let name = place.adapter_name();
            let fault = place.fault();
            format!("{name} {fault:?} {place:?}: {}", cell.wrong.join("; "))
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    if std::env::var_os("WRITE_MATRIX").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
        std::fs::write(path, page).unwrap();
    }
}

/// The tables, as Markdown.
fn page(cells: &BTreeMap<Place, Cell>) -> String {
    let mut page = "# What a call does when a provider fails\n\n\
        Made by `WRITE_MATRIX=1 cargo test -p antiphon-testkit --test providers_calls matrix`: a \
        person speaks to a real session over the router; the provider under test is the real \
        adapter against a server that fails. Each cell: what happened, then milliseconds from the \
        end of the person's speech to the first sound / the longest silence until the agent was \
        done. `next` means that the provider behind it went on, with the fault that the router \
        told; in every such cell the words heard were the whole answer, none of them twice.\n"
        .to_owned();
    for (at, stage) in STAGES.iter().enumerate() {
        let of_stage = || cells.iter().filter(move |(place, _)| place.stage == at);
        let mut columns: Vec<(bool, usize)> = of_stage()
            .map(|(place, _)| (place.alone, place.adapter))
            .collect();
        columns.sort_unstable();
        columns.dedup();
        let name = |(alone, adapter): &(bool, usize)| {
            let place = Place {
                stage: at,
                adapter: *adapter,
                alone: *alone,
                fault: 0,
            };
            let alone = if *alone { ", nobody behind it" } else { "" };
            format!("{}{alone}", place.adapter_name())
        };
        let names: Vec<String> = columns.iter().map(name).collect();
        writeln!(
            page,
            "\n## {}\n\n| fault | {} |",
            stage.name(),
            names.join(" | ")
        )
        .unwrap();
        writeln!(page, "|---|{}", "---|".repeat(names.len())).unwrap();
        for (fault, (_, words)) in FAULTS.iter().enumerate() {
            let texts = columns.iter().map(|&(alone, adapter)| {
                let place = Place {
                    stage: at,
                    adapter,
                    alone,
                    fault,
                };
                cells.get(&place).map_or("", |cell| cell.text.as_str())
            });
            let texts: Vec<&str> = texts.collect();
            writeln!(page, "| {words} | {} |", texts.join(" | ")).unwrap();
        }
    }
    page
}
