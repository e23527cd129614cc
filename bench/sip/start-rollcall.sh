#!/bin/bash
# Start this server as a background process with SIP on 127.0.0.1:28060, for
# measuring it beside others. It is copied to where their scripts are:
# measure.sh calls it.
#   CORE=0    pin it to that core (taskset); unset = all cores
#   ALG=MD5   the digest algorithm that is asked for: MD5 or SHA-256
# Prints the pid; also left in $DIR/run.pid (see stop-rollcall.sh).
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${PEER_DIR:-$HERE/rollcall}
ulimit -n "$(ulimit -Hn)"
# Each start has the seeded database, without what was left before.
rm -rf "$DIR/data"
mkdir -p "$DIR/data"
cp "$DIR/seeded.db" "$DIR/data/rollcall.db"
# As the other is configured: no limits, changes told at once, warnings only.
cat > "$DIR/rollcall.toml" <<TOML
[server]
domains = ["localhost"]
data_dir = "$DIR/data"
[log]
level = "warn"
[c2s]
listen = ["127.0.0.1:28222"]
listen_tls = []
plaintext_on_loopback = true
[auth]
iterations = 4096
backoff_after = 0
[limits]
read_rate = "0B"
connections_per_address = 0
connects_per_minute = 0
[devices]
domain = "phones.localhost"
max_devices = 20000
[presence]
settle = "0s"
settle_released = "0s"
flaps = 0
[sip]
listen = ["127.0.0.1:28060"]
trusted_networks = ["127.0.0.0/8"]
algorithms = ["${ALG:-MD5}"]
max_expires_udp = "1h"
qualify = "0s"
qualify_critical = "0s"
presence_pace = "0s"
dialog_pace = "0s"
registration_pace = "0s"
waiting_pace = "0s"
TOML
PIN=; [ -n "${CORE:-}" ] && PIN="taskset -c $CORE"
setsid $PIN "$HERE/rollcall/bin" serve --config "$DIR/rollcall.toml" >"$DIR/out.log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 100); do
	if [ -d "/proc/$pid" ] && ss -Hlun "sport = :28060" | grep -q .; then
		echo "$pid" | tee "$DIR/run.pid"
		exit 0
	fi
	sleep 0.1
done
tail -n 5 "$DIR/out.log" >&2
kill "$pid" 2>/dev/null
exit 1
