#!/usr/bin/env bash
# Real calls in a real browser against a real server on embedded defaults.
# usage: e2e.sh ANTIPHON_BINARY
set -euo pipefail
cd "$(dirname "$0")/.."
antiphon=$1
work=$(mktemp -d)
server=
cleanup() {
  [ -n "$server" ] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

flite -voice rms -t "How do I choose a domain name?" -o "$work/spoken.wav"
node scripts/pad-wav.mjs "$work/spoken.wav" "$work/microphone.wav" 4 2
node scripts/pad-wav.mjs "$work/spoken.wav" "$work/question.wav" 0.2 1

env -u OPENAI_API_KEY -u ANTIPHON_THINK_URL "$antiphon" serve --listen 127.0.0.1:0 --data "$work/data" >"$work/server.log" 2>&1 &
server=$!
url=
for _ in $(seq 1 300); do
  url=$(grep -oE 'http://[0-9.:]+' "$work/server.log" | head -1 || true)
  [ -n "$url" ] && [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/ready" || true)" = 200 ] && break
  kill -0 "$server" 2>/dev/null || { cat "$work/server.log"; exit 1; }
  sleep 0.2
done

rc=0
export BASE_URL=$url SCREENSHOTS=${SCREENSHOTS:-$work/screenshots}
mkdir -p "$SCREENSHOTS"
MIC_WAV="$work/microphone.wav" AUDIO_WAV="$work/question.wav" EXPECT='domain|name' node --test --test-concurrency=1 web/e2e/call.spec.mjs || rc=1

jfk="${ANTIPHON_MATERIAL:-../shared/material}/A_stt/jfk/jfk.wav"
if [ -f "$jfk" ]; then
  node scripts/pad-wav.mjs "$jfk" "$work/recording.wav" 4 2
  env -u SCREENSHOTS AUDIO_WAV="$work/recording.wav" EXPECT='[a-z]{3}' \
    node --test --test-name-pattern='recorded speech' web/e2e/call.spec.mjs || rc=1
else
  echo "SKIPPED a real recording as microphone: $jfk is absent"
fi

kill -TERM "$server"
if wait "$server"; then stopped=0; else stopped=$?; fi
server=
[ "$stopped" -eq 0 ] || { echo "not ok - the server exited with $stopped on SIGTERM"; cat "$work/server.log"; rc=1; }
calls=$(wc -l <"$work/data/calls.jsonl")
echo "# settled calls: $calls"
[ "$calls" -ge 1 ] || rc=1
exit $rc
