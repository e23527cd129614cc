#!/usr/bin/env bash
# All tests, with the race detector, on both databases and with a directory.
# Arguments go to `go test`; without any it is all packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/postgres.sh
. scripts/slapd.sh

need gcc gcc libc6-dev # the race detector is linked with it

trap postgres_stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
postgres_start
slapd_install

# The race detector makes garbage of its own, so that what must make none is
# looked at without it first.
if [ $# = 0 ]; then
	packages=$(grep -rlE '^func Test[A-Za-z]*Allocates\(' --include='*_test.go' . | xargs -n1 dirname | sort -u)
	"${GO:-go}" test -run 'Allocates$' $packages
	set -- ./...
fi
CGO_ENABLED=1 "${GO:-go}" test -race -timeout 20m "$@"
