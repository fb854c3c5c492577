#!/usr/bin/env bash
# Every measurement of docs/quality.md, docs/performance.md and docs/hear.md, one after the other: they share
# the processor. Close everything else first. Takes about a quarter of an hour.
set -euo pipefail
cd "$(dirname "$0")/.."

bench() {
  local name=$1
  shift
  echo "== $name"
  cargo run --release --quiet --package antiphon-benches --bin "$name" -- "$@"
}

cargo build --release --package antiphon-benches --bins
bench hear-quality --write
bench calls --write "$@"
bench turn --write
bench whisper --write
