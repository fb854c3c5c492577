//! Simulated calls: `simulate --turns 1000000 [--from SEED] [--jobs N]`, or one of them again:
//! `simulate --seed SEED [--shrink]`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use antiphon_testkit::sim::random::{Counts, Scenario, Violation, shrink};

const USAGE: &str = "usage: simulate --turns N [--from SEED] [--jobs N] [--keep-going]
       simulate --seed SEED [--shrink]";
/// Progress is told every so many turns.
const PROGRESS_TURNS: u64 = 100_000;
/// Failing seeds told with `--keep-going`.
const FAILURES_MAX: usize = 400;

/// What a job came to: counts, and the seeds that broke a rule, with it and when, in milliseconds.
type Done = (Counts, Vec<(u64, Violation, u64)>);

#[derive(Clone, Copy, Debug, Default)]
struct Options {
    turns: u64,
    from: u64,
    jobs: u64,
    seed: Option<u64>,
    shrink: bool,
    keep_going: bool,
}

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let clean = match options.seed {
        Some(seed) => one(seed, options.shrink),
        None => many(options),
    };
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options {
        jobs: 1,
        from: 1,
        ..Options::default()
    };
    while let Some(arg) = args.next() {
        let mut number = || args.next()?.parse::<u64>().ok();
        match arg.as_str() {
            "--turns" => options.turns = number()?,
            "--from" => options.from = number()?,
            "--jobs" => options.jobs = number()?.max(1),
            "--seed" => options.seed = Some(number()?),
            "--shrink" => options.shrink = true,
            "--keep-going" => options.keep_going = true,
            _ => return None,
        }
    }
    (options.turns > 0 || options.seed.is_some()).then_some(options)
}

/// Runs one call and tells what happened last.
fn one(seed: u64, shrinks: bool) -> bool {
    let mut scenario = Scenario::draw(seed);
    if shrinks {
        scenario = shrink(&scenario, Scenario::run);
        println!(
            "{} acts are left of seed {seed}:\n{}",
            scenario.acts_count(),
            scenario.describe()
        );
    }
    let outcome = scenario.run_traced();
    for line in &outcome.trace {
        println!("{line}");
    }
    match &outcome.failure {
        Some((violation, at_ms)) => tell(seed, violation, *at_ms),
        None => println!("seed {seed}: clean"),
    }
    outcome.failure.is_none()
}

fn tell(seed: u64, violation: &Violation, at_ms: u64) {
    println!(
        "seed {seed} at {at_ms} ms: {}: {}",
        violation.rule, violation.detail
    );
    println!(
        "again: cargo run --release -p antiphon-testkit --bin simulate -- --seed {seed} --shrink"
    );
}

/// Runs calls of consecutive seeds until there were enough turns.
fn many(options: Options) -> bool {
    let began = Instant::now();
    let (next, turns) = (AtomicU64::new(options.from), AtomicU64::new(0));
    let stop = AtomicBool::new(false);
    let work = || work(options, &next, &turns, &stop, began);
    let done: Vec<Done> = std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        jobs.into_iter().filter_map(|job| job.join().ok()).collect()
    });
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    for (job_counts, job_failures) in done {
        counts.merge(&job_counts);
        failures.extend(job_failures);
    }
    let seconds = began.elapsed().as_secs_f64();
    for (what, count) in counts.iter() {
        println!("{count:>12}  {what}");
    }
    let turns = counts.of("turns");
    println!(
        "{turns} turns in {seconds:.1} s with {} job(s): {:.0} turns a minute",
        options.jobs,
        turns as f64 * 60.0 / seconds
    );
    for (seed, violation, at_ms) in &failures {
        tell(*seed, violation, *at_ms);
    }
    println!("{} calls broke a rule", failures.len());
    failures.is_empty()
}

fn work(
    options: Options,
    next: &AtomicU64,
    turns: &AtomicU64,
    stop: &AtomicBool,
    began: Instant,
) -> Done {
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let outcome = Scenario::draw(seed).run();
        let own = outcome.counts.of("turns");
        counts.merge(&outcome.counts);
        let before = turns.fetch_add(own, Ordering::Relaxed);
        let now = before + own;
        if now / PROGRESS_TURNS != before / PROGRESS_TURNS {
            eprintln!("{now} turns, {:.1} s", began.elapsed().as_secs_f64());
        }
        if let Some((violation, at_ms)) = outcome.failure {
            failures.push((seed, violation, at_ms));
            if !options.keep_going || failures.len() >= FAILURES_MAX {
                stop.store(true, Ordering::Relaxed);
            }
        }
        if now >= options.turns {
            stop.store(true, Ordering::Relaxed);
        }
    }
    (counts, failures)
}
