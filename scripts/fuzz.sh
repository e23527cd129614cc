#!/usr/bin/env bash
# Each fuzz target for a bounded time (FUZZTIME, 10s).
set -euo pipefail
cd "$(dirname "$0")/.."

go=${GO:-go}
count=0
for package in $("$go" list ./...); do
	for target in $("$go" test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "$package $target"
		"$go" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$package"
		count=$((count + 1))
	done
done
echo "$count fuzz targets passed"
