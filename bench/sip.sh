#!/usr/bin/env bash
# The SIP side of make bench: where the load tool and Kamailio are at hand, this server
# beside Kamailio in one run.
#
#   BENCH_DIR   where the load tool and Kamailio's scripts are (../shared/bench); its
#               READMEs say how they work
#   SIP_DIR     where everything is put in place (/tmp/peers-sip)
#   RUNS        rounds of the comparison (3); each has every server once, so that a busy
#               minute hits all alike. One round takes about seven minutes.
#   SIP_SERVERS "rollcall kamailio"; kamailio_writeback besides is one that stores
#               registrations every minute, and not in memory only
#   SIP_SCENARIOS as measure.sh has them
#   PRIORITY    put before what measures how long things take, on a machine that has
#               other things to do: "chrt -r 1"
#   OUT         directory for the results (bin/bench)
set -euo pipefail
cd "$(dirname "$0")/.."

BENCH_DIR=${BENCH_DIR:-../shared/bench}
SIP_DIR=${SIP_DIR:-/tmp/peers-sip}
RUNS=${RUNS:-3}
SERVERS=${SIP_SERVERS:-rollcall kamailio}
SCENARIOS=${SIP_SCENARIOS:-register register-sha256 publish presence-20x200 dialog-20x200 presence-1x1000 dialog-1x1000 call}
OUT=${OUT:-bin/bench}
GO=${GO:-go}
PRIORITY=${PRIORITY:-}
phones="-domain phones.localhost -pass passpass"
export ADDR_rollcall=127.0.0.1:28060 ADDR_kamailio=127.0.0.1:45060 ADDR_kamailio_writeback=127.0.0.1:45060
export FLAGS_rollcall="$phones -calls modify" FLAGS_kamailio="-calls ring" FLAGS_kamailio_writeback="-calls ring"
export MODES=pinned SIPLOAD=$SIP_DIR/sipload

have_peers() {
	[ -x "$BENCH_DIR/peers-sip/measure.sh" ] && [ -f "$BENCH_DIR/sipload/main.go" ] || {
		echo "No load tool for SIP in $BENCH_DIR: no comparison. Set BENCH_DIR."
		return 1
	}
	[[ " $SERVERS " != *kamailio* ]] || command -v kamailio >/dev/null && command -v sqlite3 >/dev/null || {
		echo "No comparison without Kamailio: apt-get install kamailio kamailio-presence-modules kamailio-sqlite-modules sqlite3"
		return 1
	}
}

# set_up puts the scripts, the tools and this server in place, with the devices.
set_up() {
	mkdir -p "$SIP_DIR/rollcall"
	cp "$BENCH_DIR"/peers-sip/* "$SIP_DIR/"
	cp bench/sip/*.sh "$SIP_DIR/"
	local dir
	dir=$(realpath "$SIP_DIR")
	(cd "$BENCH_DIR/sipload" && "$GO" build -o "$dir/sipload" .)
	CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -o "$SIP_DIR/rollcall/bin" ./cmd/rollcall
	"$GO" build -o "$SIP_DIR/seed" ./bench/seed
	"$GO" build -o "$SIP_DIR/hold" ./bench/hold
	"$GO" build -o "$SIP_DIR/ratios" ./bench/ratios
	"$SIP_DIR/seed" -db "$SIP_DIR/rollcall/seeded.db" -devices phones.localhost -pass passpass
}

# alone LABEL TOOL FLAGS...: one measurement of this server just started, with what
# nobody else has anything to compare.
alone() {
	local label=rollcall/pinned/$1 tool=$2 before=${before:-} pid
	shift 2
	# shellcheck disable=SC2086
	pid=$(CORE=0 $before "$SIP_DIR/start-rollcall.sh")
	# shellcheck disable=SC2086
	timeout 300 $before taskset -c 1 "$SIP_DIR/$tool" "$@" $phones -addr "$ADDR_rollcall" -pid "$pid" -label "$label" \
		>>"$plain" 2>>"$plain.log" || echo "$label: not ok" >&2
	"$SIP_DIR/stop-rollcall.sh"
}

# latency LABEL FLAGS...: how long from what a phone publishes until chat clients have it.
latency() {
	local label=$1 before=$PRIORITY
	shift
	alone "$label" sipload latency-xmpp "$@" -watchers 200 -duration 5s -timeout 15s \
		-xmpp-addr 127.0.0.1:28222 -xmpp-domain localhost -jid '{user}@phones.localhost'
}

# ours measures what only this server does: calls that are published anew each time, the
# way to chat clients, and devices that only are there.
ours() {
	alone dialog-new-20x200 sipload notify -event dialog -calls new -publishers 20 -watchers 200 -rate 10 -duration 4s -timeout 15s
	alone dialog-new-1x1000 sipload notify -event dialog -calls new -publishers 1 -watchers 1000 -rate 2 -duration 4s -timeout 15s
	latency latency-5000 -devices 5000 -watcher-prefix see -rate 1000
	latency latency-50x200 -devices 50 -prefix line -watcher-prefix all -rate 50
	alone hold-10000 hold -devices 10000
}

stop_all() {
	local name
	for name in $SERVERS; do
		[ ! -x "$SIP_DIR/stop-$name.sh" ] || "$SIP_DIR/stop-$name.sh" || true
	done
}

compare() {
	mkdir -p "$OUT"
	plain=$(realpath "$OUT")/sip.jsonl
	rm -f "$plain" "$plain.log"
	trap stop_all EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	set_up
	local n
	for n in $(seq "$RUNS"); do
		echo "SIP, round $n of $RUNS"
		# shellcheck disable=SC2086
		RUNS=1 SCENARIOS=$SCENARIOS "$SIP_DIR/measure.sh" "$plain" $SERVERS
		[[ " $SERVERS " != *" rollcall "* ]] || ours
	done
	"$SIP_DIR/sipload" summary "$plain" >"$OUT/sip.md"
	echo
	"$SIP_DIR/ratios" -goals sip "$plain" | tee "$OUT/sip-ratios.md"
	echo
	echo "All figures: $OUT/sip.md"
}

have_peers || exit 0
compare
