#!/usr/bin/env bash
# The README's table of features, printed from what the features say of
# themselves: `write` puts it in place, `check` fails when it is not.
set -euo pipefail
cd "$(dirname "$0")/.."

table=$("${GO:-go}" run ./cmd/rollcall features)
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
TABLE=$table awk '
	/^<!-- features: end -->$/   { inside = 0 }
	!inside                      { print }
	/^<!-- features: begin/      { print ENVIRON["TABLE"]; inside = 1 }
' README.md >"$fresh"

case ${1:-check} in
write)
	cat "$fresh" >README.md
	;;
check)
	if ! diff -u README.md "$fresh"; then
		echo "the README's table of features is not what the program says; run make tables" >&2
		exit 1
	fi
	;;
*)
	echo "usage: $0 write|check" >&2
	exit 2
	;;
esac
