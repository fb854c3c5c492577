#!/usr/bin/env bash
# Every check. Ends with one line: N passed, N failed.
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
logs=$(mktemp -d)
passed=0
failed=0
export CARGO_TERM_COLOR=never NO_COLOR=1 FORCE_COLOR=0
[ -n "${CI:-}" ] && export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/antiphon/target}"
target="${CARGO_TARGET_DIR:-$root/target}"

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && rm -rf "$logs" && exit 0
  exit 1
}

# check NAME COMMAND…: one check; its output is shown only where it fails.
check() {
  local name=$1 log="$logs/${1// /-}" started=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok      $name ($((SECONDS - started)) s)"
    passed=$((passed + 1))
    grep -h '^SKIPPED' "$log" | sort -u
    return 0
  fi
  echo "FAILED  $name ($((SECONDS - started)) s)"
  tail -n 60 "$log"
  failed=$((failed + 1))
  return 1
}

# suite NAME PASSED_PATTERN COMMAND…: a runner whose own counts are added up.
suite() {
  local name=$1 kind=$2 log="$logs/${1// /-}" started=$SECONDS rc=0 ok bad
  shift 2
  "$@" >"$log" 2>&1 || rc=$?
  case $kind in
    cargo)
      ok=$(grep -hoE '^test result: .* [0-9]+ passed' "$log" | grep -oE '[0-9]+ passed' | awk '{n+=$1} END {print n+0}')
      bad=$(grep -hoE '; [0-9]+ failed;' "$log" | grep -oE '[0-9]+' | awk '{n+=$1} END {print n+0}') ;;
    vitest)
      ok=$(grep -hE '^ *Tests ' "$log" | grep -oE '[0-9]+ passed' | awk '{n+=$1} END {print n+0}')
      bad=$(grep -hE '^ *Tests ' "$log" | grep -oE '[0-9]+ failed' | awk '{n+=$1} END {print n+0}') ;;
    node)
      ok=$(grep -hoE '^(#|ℹ) pass [0-9]+' "$log" | awk '{n+=$3} END {print n+0}')
      bad=$(grep -hoE '^(#|ℹ) fail [0-9]+' "$log" | awk '{n+=$3} END {print n+0}') ;;
  esac
  [ "$rc" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
  [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ] && bad=1 # a suite that ran nothing has not passed
  passed=$((passed + ok))
  failed=$((failed + bad))
  grep -h 'SKIPPED' "$log" | sort -u
  if [ "$bad" -eq 0 ]; then
    echo "ok      $name: $ok ($((SECONDS - started)) s)"
  else
    echo "FAILED  $name: $ok passed, $bad failed ($((SECONDS - started)) s)"
    grep -hE -A 30 '^---- |^error|^not ok|✖' "$log" | head -n 120
    tail -n 20 "$log"
  fi
}

deny() {
  local bin="${CARGO_HOME:-$HOME/.cargo}/bin/cargo-deny"
  [ -x "$bin" ] || cargo install --quiet --locked --version 0.20.2 cargo-deny || return 1
  "$bin" check licenses bans sources || return 1
  if "$bin" fetch db >/dev/null 2>&1; then
    "$bin" check advisories
  else
    echo "SKIPPED advisories: the advisory database cannot be fetched from here"
  fi
}

check "debian packages" scripts/setup.sh test || finish
check "page builds" scripts/web.sh || finish
check "formatting" cargo fmt --check
check "clippy" cargo clippy --workspace --all-targets --locked -- -D warnings
suite "rust tests" cargo cargo test --workspace --locked --no-fail-fast
check "vendors' clients on our fakes" scripts/fakes.py "$target/debug/fakes"
check "vendors' clients on our fake voices" scripts/voice_fakes.py "$target/debug/voice_fakes"
check "licences and sources" deny
check "page types" npm --prefix web run --silent check
suite "page units" vitest npm --prefix web run --silent test
suite "page in Chromium" node npm --prefix web run --silent e2e:page
check "server builds" cargo build --locked --package antiphon
suite "calls in Chromium" node scripts/e2e.sh "$target/debug/antiphon"
finish
