#!/usr/bin/env bash
# Installs the Debian packages that are missing, and for tests ONNX Runtime's library; quiet and
# quick where nothing is.
# usage: setup.sh run|test
set -euo pipefail

run=(cmake g++ make pkg-config flite1-dev libpocketsphinx-dev libsphinxbase-dev pocketsphinx-en-us libasound2-dev)
test=("${run[@]}" chromium curl espeak-ng flite git)

# ONNX Runtime's library out of its wheel, for the tests of the neural voices.
onnxruntime=1.31.1
runtime() {
  local folder="${XDG_CACHE_HOME:-$HOME/.cache}/antiphon/onnxruntime" work
  [ -f "$folder/libonnxruntime.so" ] && return
  if ! command -v pip >/dev/null; then
    echo "SKIPPED the tests of neural voices: pip, which fetches onnxruntime, is absent"
    return
  fi
  echo "Fetching onnxruntime $onnxruntime …"
  work=$(mktemp -d)
  if pip download --quiet --no-deps --only-binary=:all: --dest "$work" "onnxruntime==$onnxruntime" \
    && python3 -m zipfile -e "$work"/onnxruntime-*.whl "$work/wheel"; then
    mkdir -p "$folder"
    cp "$work/wheel/onnxruntime/capi/libonnxruntime.so.$onnxruntime" "$folder/.partial"
    mv "$folder/.partial" "$folder/libonnxruntime.so"
  else
    echo "SKIPPED the tests of neural voices: onnxruntime could not be fetched"
  fi
  rm -rf "$work"
}

case "${1:-run}" in
  run) wanted=("${run[@]}") ;;
  test) wanted=("${test[@]}") ;;
  *) echo "usage: $0 run|test" >&2; exit 2 ;;
esac

missing=()
for package in "${wanted[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  [ "${1:-run}" = test ] && runtime
  exit 0
fi

if ! command -v apt-get >/dev/null; then
  echo "These packages are missing, and this system has no apt-get: ${missing[*]}" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Run as root, or install: ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "Installing ${missing[*]} …"
log=$(mktemp)
if ! { "${sudo[@]}" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "apt-get failed; the lines above say why." >&2
  exit 1
fi
rm -f "$log"
[ "${1:-run}" = test ] && runtime
exit 0
