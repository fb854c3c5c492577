#!/usr/bin/env bash
# Builds the page into web/dist; does nothing where it is up to date.
set -euo pipefail
cd "$(dirname "$0")/../web"

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: install Node.js 20 or later" >&2; exit 1; }
done
if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing the page's build tools …"
  npm ci --no-audit --no-fund --loglevel=error
  touch node_modules/.package-lock.json
fi
if [ ! -f dist/.built ] || [ -n "$(find src index.html vite.config.* package.json -newer dist/.built -type f -print -quit)" ]; then
  echo "Building the page …"
  npm run --silent build -- --logLevel warn
  touch dist/.built
fi
