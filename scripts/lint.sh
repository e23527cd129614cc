#!/usr/bin/env bash
# What can be found without running the program. The tools are pinned here and
# come through the module proxy.
set -euo pipefail
cd "$(dirname "$0")/.."

go=${GO:-go}
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0

echo "gofmt"
unformatted=$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l)
if [ -n "$unformatted" ]; then
	echo "not formatted, run gofmt -w on:" >&2
	echo "$unformatted" >&2
	exit 1
fi

echo "go vet"
"$go" vet ./...

echo "staticcheck"
"$go" run "$staticcheck" ./...

echo "tables"
./scripts/tables.sh check

# Whether a known weakness is in what we call. It has to ask a database on the
# network: where that cannot be reached, nothing is known, which is said but is
# no fault of the code.
echo "govulncheck"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
if "$go" run "$govulncheck" ./... >"$out" 2>&1; then
	tail -n 1 "$out"
elif grep -q 'fetching vulnerabilities' "$out"; then
	echo "govulncheck: NOT CHECKED: the vulnerability database cannot be reached" >&2
	grep 'fetching vulnerabilities' "$out" >&2
else
	cat "$out" >&2
	exit 1
fi
