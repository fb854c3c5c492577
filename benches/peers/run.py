#!/usr/bin/env python3
"""Runs us, Pipecat and LiveKit Agents side by side and prints the table.

    python3 benches/peers/run.py [--calls 1,5,10,25,50] [--more 200,400,600] [--seconds 30]
                                 [--core 1] [--nice 0] [--write]

`--more` are numbers of calls that only our side is given. `--write` puts the table into
docs/peers.md. README.md beside this file says what is compared.
"""

import argparse
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = pathlib.Path.home() / ".cache/antiphon/peers"
DOCUMENT = ROOT / "docs/peers.md"
# Beyond the time that a level takes anyway.
START_S_MAX = 150
OVERHEAD_S_MAX = 0.100
OURS_OVERHEAD_S_MAX = 0.010
CALLS_RATIO_MIN = 20
MEMORY_RATIO_MIN = 20
# A row in which so much of the machine was busy may have wanted for its core: times and numbers of
# calls in it say how the machine was shared out as much as what an engine takes.
BUSY_SHARE_MAX = 0.95

# Each is one stretch of speech to every detector, and finished to every turn detector: whoever takes
# a phrase for unfinished waits seconds for more, which would be measured as its delay.
PHRASES = {
    "question1": "Can you help me with my order",
    "question2": "I want to change my order please",
    "question3": "Can you give me the address please",
    "barge": "Stop that please and tell me the price",
}

FIXED, OWN, PIPECAT, LIVEKIT = "Antiphon", "Antiphon, own turn ends", "Pipecat", "LiveKit Agents"


def prepare_venv():
    wanted = (HERE / "requirements.txt").read_bytes()
    mark = VENV / "requirements.sha256"
    digest = hashlib.sha256(wanted).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    pip = [VENV / "bin/pip", "install", "--quiet", "-r", HERE / "requirements.txt"]
    subprocess.run(pip, check=True)
    mark.write_text(digest)


def build():
    command = ["cargo", "build", "--release", "--quiet", "-p", "antiphon-benches", "--bin", "peers"]
    subprocess.run(command, cwd=ROOT, check=True)
    metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    found = subprocess.run(metadata, cwd=ROOT, check=True, capture_output=True).stdout
    return pathlib.Path(json.loads(found)["target_directory"]) / "release/peers"


def make_clips(folder):
    for name, text in PHRASES.items():
        path = str(pathlib.Path(folder) / f"{name}.wav")
        subprocess.run(["flite", "-voice", "slt", "-t", text, "-o", path], check=True)


def command_of(side, ours):
    python = str(VENV / "bin/python")
    return {
        FIXED: [str(ours), "--turn", "fixed"],
        OWN: [str(ours), "--turn", "own"],
        PIPECAT: [python, str(HERE / "pipecat_side.py")],
        LIVEKIT: [python, str(HERE / "livekit_side.py")],
    }[side]


def measure(side, calls, asked, ours, clips):
    """One side with so many calls: its result, or why there is none."""
    command = command_of(side, ours)
    command += ["--calls", str(calls), "--seconds", str(asked.seconds), "--clips", clips]
    pinned = ["taskset", "-c", str(asked.core), "nice", "-n", str(asked.nice), *command]
    load, busy = os.getloadavg()[0], machine_cpu()
    began = time.monotonic()
    try:
        limit = START_S_MAX + asked.seconds + 30
        run = subprocess.run(pinned, capture_output=True, text=True, timeout=limit)
        lines = [line for line in run.stdout.splitlines() if line.startswith("RESULT ")]
        if lines:
            result = json.loads(lines[-1].removeprefix("RESULT "))
        else:
            said = run.stderr.strip().splitlines()[-1:] or [f"status {run.returncode}"]
            result = {"fell": said[0][:120]}
    except subprocess.TimeoutExpired:
        result = {"fell": f"no result within {limit:.0f} s"}
    now = machine_cpu()
    result.update(row=side, asked_calls=calls, load=load)
    took = time.monotonic() - began
    result["machine_busy"] = (now[0] - busy[0]) / max(1e-9, now[1] - busy[1])
    print(f"{side}, {calls} calls: {took:.0f} s, load {load:.1f}", file=sys.stderr)
    return result


def machine_cpu():
    """Busy and all CPU time of the machine, in ticks."""
    with open("/proc/stat") as file:
        fields = [int(field) for field in file.readline().split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def quantile(values, share):
    """By nearest rank."""
    values = sorted(values)
    rank = max(1, -(-round(share * len(values) * 1e6) // 10**6))
    return values[rank - 1] if values else None


def spread(values):
    if not values:
        return "–"
    return f"{1000 * quantile(values, 0.5):.0f} / {1000 * quantile(values, 0.99):.0f} ms"


def overheads(result):
    turns = [turn for turn in result["turns"] if turn["floor_s"] is not None]
    return [turn["reply_s"] - turn["floor_s"] for turn in turns]


def memory_kib(result):
    return (result["rss_kib"] - result["rss_base_kib"]) / result["calls"]


def size(kib):
    return f"{kib:.0f} KiB" if kib < 10_000 else f"{kib / 1024:.1f} MiB"


def row(result):
    head = f"| {result['asked_calls']} | {result['row']} |"
    if "fell" in result:
        return f"{head} fell over: {result['fell']} | | | | | | | | {result['load']:.1f} |"
    cpu = 100 * result["cpu_s"] / result["wall_s"]
    cells = [
        spread([turn["reply_s"] for turn in result["turns"]]),
        spread(overheads(result)),
        str(len(result["turns"])),
        spread(result["barges_s"]) + f" ({len(result['barges_s'])})",
        f"{cpu / result['calls']:.2f} % ({cpu:.0f} %)",
        size(memory_kib(result)),
        size(result["rss_kib"]),
        f"{result['unanswered']}, {result['early']}",
        f"{result['load']:.1f}, {100 * result['machine_busy']:.0f} %",
    ]
    return head + " " + " | ".join(cells) + " |"


HEAD = """\
| calls | side | end of speech to first audio, p50 / p99 | of it overhead | replies | barge-in \
to silence, p50 / p99 (times) | CPU a call (all) | memory a call | whole process | unanswered, \
answered too early | load, machine busy |
|---|---|---|---|---|---|---|---|---|---|---|"""


def holds(result):
    if "fell" in result or result["unanswered"] or not overheads(result):
        return False
    return quantile(overheads(result), 0.99) < OVERHEAD_S_MAX


def most(results, side):
    """The most calls of those tried at which this side holds, every smaller number held."""
    best = 0
    for result in results:
        if result["row"] == side:
            if not holds(result):
                return best
            best = result["asked_calls"]
    return best


def verdicts(results):
    starved = any(result["machine_busy"] > BUSY_SHARE_MAX for result in results)
    lines = []
    at_50 = [r for r in results if r["row"] == FIXED and r["asked_calls"] == 50 and "turns" in r]
    for result in at_50:
        p99 = quantile(overheads(result), 0.99)
        word = "met" if p99 is not None and p99 <= OURS_OVERHEAD_S_MAX else "missed"
        word = "not shown" if starved else word
        shown = "nothing" if p99 is None else f"{1000 * p99:.1f} ms"
        lines.append(f"- Overhead at most 10 ms at p99 with 50 calls: {shown}, **{word}**.")
    ours = most(results, FIXED)
    for peer in (PIPECAT, LIVEKIT):
        theirs = most(results, peer)
        if theirs:
            word = "met" if ours >= CALLS_RATIO_MIN * theirs else "missed"
            ratio = f"{ours / theirs:.0f} times"
        else:
            word = "met" if ours >= CALLS_RATIO_MIN else "missed"
            ratio = "it held at none of the numbers tried, so there is no ratio"
        word = "not shown" if starved else word
        lines.append(
            f"- Calls on one core with less than 100 ms overhead at p99 and every question "
            f"answered, of the numbers tried: {ours} against {theirs} of {peer} ({ratio}; target "
            f"20), **{word}**."
        )
        pair = [
            (mine, his)
            for mine in results
            for his in results
            if mine["row"] == FIXED and his["row"] == peer and "turns" in mine and "turns" in his
            if mine["asked_calls"] == his["asked_calls"]
        ]
        if pair:
            mine, his = pair[-1]
            ratio = memory_kib(his) / max(1.0, memory_kib(mine))
            word = "met" if ratio >= MEMORY_RATIO_MIN else "missed"
            lines.append(
                f"- Memory a call at {mine['asked_calls']} calls: {size(memory_kib(mine))} against "
                f"{size(memory_kib(his))} of {peer} (1/{ratio:.0f}; target 1/20), **{word}**."
            )
    return lines


def document(kept):
    results = kept["results"]
    sides = {r["row"]: r["settings"] for r in results if "settings" in r}
    model = next(
        (line.split(": ")[1] for line in open("/proc/cpuinfo").read().splitlines()
         if line.startswith("model name")), "unknown processor",
    )
    loads = [result["load"] for result in results]
    lines = [
        f"{kept['at']}, core {kept['core']} of {kept['cores']} of {model}, "
        f"{kept['seconds']:.0f} s a row, niceness {kept['nice']}. The machine had other work: load "
        f"average {min(loads):.1f} to {max(loads):.1f} when rows began (last column, with the busy "
        f"share of the whole machine during the row).",
        "",
        *(f"- {side} {s['version']}: VAD {s['vad']}; turn ends {s['turn']}"
          for side, s in sides.items()),
        "",
        HEAD,
        *(row(result) for result in results),
        "",
        *warning(results),
        *verdicts(results),
    ]
    return "\n".join(lines)


def warning(results):
    """What may not be concluded from rows of a machine that had no time to give."""
    starved = [r for r in results if r["machine_busy"] > BUSY_SHARE_MAX and r["row"] != OWN]
    if not starved:
        return []
    return [
        f"**{len(starved)} rows were measured while the whole machine was busy** (more than "
        f"{100 * BUSY_SHARE_MAX:.0f} %): the process under test shared its core with other programs. "
        f"Their times and their verdicts on latency and on calls a core are not to be quoted, "
        f"neither for nor against any side; memory may be. Measure again on a quiet machine.",
        "",
    ]


def write(text):
    begin, end = "<!-- peers: begin -->", "<!-- peers: end -->"
    before, rest = DOCUMENT.read_text().split(begin)
    DOCUMENT.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", default="1,5,10,25,50")
    parser.add_argument("--more", default="200,400,600")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--core", type=int, default=os.cpu_count() - 1)
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", help="a file for the raw results")
    parser.add_argument("--kept", help="such a file: makes its table again, measures nothing")
    asked = parser.parse_args()
    kept = json.loads(pathlib.Path(asked.kept).read_text()) if asked.kept else measured(asked)
    if asked.keep:
        pathlib.Path(asked.keep).write_text(json.dumps(kept))
    text = document(kept)
    print(text)
    if asked.write:
        write(text)


def measured(asked):
    numbers = [[int(n) for n in given.split(",") if n] for given in (asked.calls, asked.more)]
    prepare_venv()
    ours = build()
    results = []
    with tempfile.TemporaryDirectory() as clips:
        make_clips(clips)
        for calls in numbers[0]:
            ends = calls in (numbers[0][0], numbers[0][-1])
            for side in (FIXED, *([OWN] if ends else []), PIPECAT, LIVEKIT):
                results.append(measure(side, calls, asked, ours, clips))
        for calls in numbers[1]:
            results.append(measure(FIXED, calls, asked, ours, clips))
    about = {"at": time.strftime("%Y-%m-%d %H:%M"), "core": asked.core, "cores": os.cpu_count()}
    return {**about, "seconds": asked.seconds, "nice": asked.nice, "results": results}


if __name__ == "__main__":
    main()
