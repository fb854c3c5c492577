//! What a process uses, from `/proc`.

use std::fs;
use std::io;

/// CPU time that all threads of `pid` have used, in seconds: the run time that the scheduler
/// counts in nanoseconds (`/proc/PID/task/*/schedstat`, first field). Threads that have ended are
/// not in it.
///
/// # Errors
/// Where the process is gone.
pub fn cpu_seconds(pid: u32) -> io::Result<f64> {
    let mut total_ns = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the listing and the reading.
        let text = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let run_ns = text.split_whitespace().next().unwrap_or("0");
        total_ns += run_ns.parse::<u64>().unwrap_or(0);
    }
    Ok(total_ns as f64 / 1e9)
}

/// Memory that only `pid` has, in KiB (`Private_Clean` and `Private_Dirty` of
/// `/proc/PID/smaps_rollup`): what would be free without it.
///
/// # Errors
/// Where the process is gone.
pub fn private_kib(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    Ok(text.lines().filter_map(private_line_kib).sum())
}

fn private_line_kib(line: &str) -> Option<u64> {
    let rest = line
        .strip_prefix("Private_Clean:")
        .or_else(|| line.strip_prefix("Private_Dirty:"))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// CPU time of the whole machine since its start, in seconds.
#[derive(Clone, Copy, Debug)]
pub struct MachineCpu {
    /// Spent on anything, stolen by the hypervisor included.
    pub busy_s: f64,
    /// Spent on nothing.
    pub idle_s: f64,
}

/// Reads `/proc/stat`. Its unit is 10 ms on every Linux there is (`getconf CLK_TCK`).
///
/// # Errors
/// Where there is no such file.
pub fn machine_cpu() -> io::Result<MachineCpu> {
    let text = fs::read_to_string("/proc/stat")?;
    let fields: Vec<f64> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        // Guest time is in user time already.
        .take(8)
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let idle: f64 = fields.iter().skip(3).take(2).sum();
    let all: f64 = fields.iter().sum();
    Ok(MachineCpu {
        busy_s: (all - idle) / 100.0,
        idle_s: idle / 100.0,
    })
}

/// Load average over the last minute; empty where the system does not say.
pub fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The processor's name and how many cores this process may use.
pub fn machine_name() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores of {model}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn work_is_seen() {
        let pid = std::process::id();
        let before = cpu_seconds(pid).unwrap();
        let mut sum = 0_u64;
        while cpu_seconds(pid).unwrap() < before + 0.02 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(private_kib(pid).unwrap() > 100);
        assert!(machine_cpu().unwrap().busy_s > 0.0);
    }
}
