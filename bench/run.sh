#!/usr/bin/env bash
# make bench: the Go benchmarks, and then, where the load tools and the other
# servers are at hand, this server beside ejabberd and Prosody in one run, and for
# SIP beside Kamailio in another (sip.sh).
#
#   SIDES       "xmpp sip": what is compared
#   BENCH_DIR   where the load tool and the others' scripts are (../shared/bench);
#               its READMEs say how they work
#   PEERS_DIR   where they are set up, with their accounts (/tmp/peers)
#   RUNS        rounds of the comparison (3); each has every server once, so that
#               a busy minute hits all alike. One round takes about seven minutes.
#   SERVERS     "rollcall prosody ejabberd"
#   SCENARIOS   as measure.sh has them
#   OUT         directory for the results (bin/bench)
#   GO_BENCH=0  leave out the Go benchmarks; COMPARE=0 the comparison
set -euo pipefail
cd "$(dirname "$0")/.."

BENCH_DIR=${BENCH_DIR:-../shared/bench}
PEERS_DIR=${PEERS_DIR:-/tmp/peers}
RUNS=${RUNS:-3}
SIDES=${SIDES-xmpp sip}
SERVERS=${SERVERS:-rollcall prosody ejabberd}
SCENARIOS=${SCENARIOS:-login chat presence presence-big storm offline}
OUT=${OUT:-bin/bench}
GO=${GO:-go}
export ADDR_prosody=127.0.0.1:15222 ADDR_ejabberd=127.0.0.1:25222 ADDR_rollcall=127.0.0.1:18222 ADDR_null=127.0.0.1:19222
export MODES=pinned

go_benchmarks() {
	local packages
	# Only packages that have some: the others would fill the page.
	packages=$(grep -rlE '^func Benchmark' --include='*_test.go' . | xargs -rn1 dirname | sort -u)
	[ -z "$packages" ] || "$GO" test -run '^$' -bench . -benchmem $packages
}

have_peers() {
	[ -x "$BENCH_DIR/peers/measure.sh" ] || {
		echo "No load tool in $BENCH_DIR: no comparison. Set BENCH_DIR."
		return 1
	}
	command -v prosody >/dev/null && command -v ejabberdctl >/dev/null || {
		echo "No comparison without the others: apt-get install prosody ejabberd"
		return 1
	}
}

# set_up puts the scripts, the load tool and this server in place, and makes
# the accounts of the servers that have none yet.
set_up() {
	"$BENCH_DIR/peers/setup.sh" "$PEERS_DIR" >/dev/null 2>&1
	p256_key
	cp bench/start-rollcall.sh bench/start-null.sh "$PEERS_DIR/"
	mkdir -p "$PEERS_DIR/rollcall/data"
	CGO_ENABLED=0 "$GO" build -trimpath -buildvcs=false -o "$PEERS_DIR/rollcall/bin" ./cmd/rollcall
	"$GO" build -o "$PEERS_DIR/seed" ./bench/seed
	"$GO" build -o "$PEERS_DIR/ratios" ./bench/ratios
	"$PEERS_DIR/seed" -db "$PEERS_DIR/rollcall/seeded.db"
	local name
	for name in prosody ejabberd; do
		[ ! -f "$PEERS_DIR/$name/seeded" ] || continue
		echo "making the accounts of $name"
		FRESH=1 "$PEERS_DIR/start-$name.sh" >/dev/null
		"$PEERS_DIR/mkaccounts.sh" "$name" >"$PEERS_DIR/$name/mkaccounts.log" 2>&1 || {
			"$PEERS_DIR/stop.sh" "$name"
			tail -n 5 "$PEERS_DIR/$name/mkaccounts.log" >&2
			return 1
		}
		"$PEERS_DIR/stop.sh" "$name"
		touch "$PEERS_DIR/$name/seeded"
	done
}

# p256_key makes a certificate with an ECDSA key, beside the one with an RSA key
# (2048 bits) that the others' scripts make.
p256_key() {
	local dir=$PEERS_DIR/tls-p256
	[ ! -f "$dir/both.pem" ] || return 0
	mkdir -p "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 \
		-keyout "$dir/key.pem" -out "$dir/cert.pem" \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,DNS:conference.localhost 2>/dev/null
	cat "$dir/key.pem" "$dir/cert.pem" >"$dir/both.pem"
	chmod 644 "$dir"/*.pem # a throw-away key: the servers run as other users
}

# logins measures what measure.sh does not: logins with a roster of 50, and with
# TLS by an ECDSA key.
logins() {
	local name
	for name in $SERVERS; do
		login "$name" "" roster50 --users 1000 --prefix storm
		login "$name" "$PEERS_DIR/tls-p256" tls-p256 --users 500 --tls
	done
}

# login NAME KEYS LABEL FLAGS...: one measurement of a server just started. What
# comes first is not measured: everybody has logged in once.
login() {
	local name=$1 keys=$2 label=$1/pinned/login-$3 address pid n
	shift 3
	address=ADDR_$name
	pid=$(export CORE=0; [ -z "$keys" ] || export PEER_TLS=$keys; exec "$PEERS_DIR/start-$name.sh")
	for n in /dev/null "$plain"; do
		timeout 300 taskset -c 1 "$PEERS_DIR/xmppload" login "$@" --addr "${!address}" --pid "$pid" --timeout 30s \
			--salts "$PEERS_DIR/salts-$name.json" --label "$label" >>"$n" 2>>"$plain.log" || echo "$label: failed" >&2
	done
	"$PEERS_DIR/stop.sh" "$name"
}

# around measures what this server costs more with privacy lists and shared
# groups. The others have their own ways; these are compared with themselves.
around() {
	local pid
	pid=$(CORE=0 "$PEERS_DIR/start-rollcall.sh")
	chat_of user no-lists
	chat_of lst lists
	"$PEERS_DIR/stop.sh" rollcall
	login rollcall "" own200 --users 201 --prefix own
	login rollcall "" shared200 --users 201 --prefix shr
}

# chat_of PREFIX LABEL: chat between accounts of that prefix, the second time.
chat_of() {
	local out
	for out in /dev/null "$plain"; do
		timeout 300 taskset -c 1 "$PEERS_DIR/xmppload" chat --prefix "$1" --users 200 --window 4 --addr "$ADDR_rollcall" --pid "$pid" \
			--duration 5s --timeout 30s --salts "$PEERS_DIR/salts-rollcall.json" --label "rollcall/pinned/chat-$2" \
			>>"$out" 2>>"$plain.log" || echo "chat-$2: failed" >&2
	done
}

# relay measures the null relay: what the kernel and the load tool cost alone.
relay() {
	RUNS=1 SCENARIOS=chat "$PEERS_DIR/measure.sh" "$plain" null
	local pid
	pid=$(CORE=0 "$PEERS_DIR/start-null.sh")
	relay_presence 20x200 --prefix wat --users 200 --publishers 20
	relay_presence 1x2000 --prefix bigw --users 2000 --pub-prefix bigp --publishers 1
	"$PEERS_DIR/stop.sh" null
}

# relay_presence NAME FLAGS...: the relay has no rosters, and any password will do.
relay_presence() {
	local label=null/pinned/presence-$1-saturated
	shift
	timeout 300 taskset -c 1 "$PEERS_DIR/xmppload" presence "$@" --window 1 --check-rosters=false --mech PLAIN \
		--addr "$ADDR_null" --pid "$pid" --duration 5s --timeout 30s --label "$label" >>"$plain" 2>>"$plain.log" ||
		echo "$label: failed" >&2
}

# fresh gives this server the seeded database, without what earlier rounds left.
fresh() {
	rm -rf "$PEERS_DIR/rollcall/data"
	mkdir -p "$PEERS_DIR/rollcall/data"
	cp "$PEERS_DIR/rollcall/seeded.db" "$PEERS_DIR/rollcall/data/rollcall.db"
}

stop_all() {
	local name
	for name in $SERVERS null; do
		[ ! -x "$PEERS_DIR/stop.sh" ] || "$PEERS_DIR/stop.sh" "$name" || true
	done
}

# round N measures everybody once, with archives off and then on.
round() {
	echo "round $1 of $RUNS"
	fresh
	RUNS=1 SCENARIOS=$SCENARIOS "$PEERS_DIR/measure.sh" "$plain" $SERVERS
	relay
	logins
	[[ " $SERVERS " != *" rollcall "* ]] || around
	fresh
	PEER_MAM=1 RUNS=1 SCENARIOS=chat "$PEERS_DIR/measure.sh" "$archived" $SERVERS
	fresh
	"$PEERS_DIR/idle.sh" "$plain" $SERVERS
}

compare() {
	mkdir -p "$OUT"
	plain=$(realpath "$OUT")/runs.jsonl archived=$(realpath "$OUT")/archive.jsonl
	rm -f "$plain" "$archived" "$plain.log" "$archived.log"
	trap stop_all EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	set_up
	local n
	for n in $(seq "$RUNS"); do
		round "$n"
	done
	"$PEERS_DIR/xmppload" summary "$plain" >"$OUT/runs.md"
	"$PEERS_DIR/xmppload" summary "$archived" >"$OUT/archive.md"
	echo
	"$PEERS_DIR/ratios" -archive "$archived" "$plain" | tee "$OUT/ratios.md"
	echo
	echo "All figures: $OUT/runs.md, $OUT/archive.md"
}

[ "${GO_BENCH:-1}" = 0 ] || go_benchmarks
[ "${COMPARE:-1}" != 0 ] || exit 0
if [[ " $SIDES " == *" xmpp "* ]] && have_peers; then
	(compare)
fi
if [[ " $SIDES " == *" sip "* ]]; then
	bench/sip.sh
fi
