#!/bin/bash
# Start this server as a background process on 127.0.0.1:18222, for measuring
# it beside others. It is copied to where their scripts are: measure.sh and
# idle.sh call it.
#   CORE=0      pin it to that core (taskset); unset = all cores
#   PEER_MAM=1  keep an archive, and commit it durably
# Prints the pid; also left in $DIR/run.pid (see stop.sh).
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
DIR=${PEER_DIR:-$HERE/rollcall} TLS=${PEER_TLS:-$HERE/tls}
ulimit -n "$(ulimit -Hn)"
mkdir -p "$DIR/data"
archive=false
[ "${PEER_MAM:-0}" = 1 ] && archive=true
# As the others are configured: no rate limits, warnings only, 4096 iterations,
# logins without TLS from this machine.
cat > "$DIR/rollcall.toml" <<TOML
[server]
domains = ["localhost"]
data_dir = "$DIR/data"
[log]
level = "warn"
[c2s]
listen = ["127.0.0.1:18222"]
listen_tls = []
plaintext_on_loopback = true
[sip]
listen = []
[tls]
certificates = [{ cert = "$TLS/cert.pem", key = "$TLS/key.pem" }]
[auth]
iterations = 4096
backoff_after = 0
[limits]
read_rate = "0B"
connections_per_address = 0
connects_per_minute = 0
[offline]
max_messages = 100000
max_from_strangers = 0
[floodgate]
messages_per_minute = 0
addresses_per_hour = 0
subscriptions_per_hour = 0
requests_per_minute = 0
presence_per_minute = 0
[archive]
enabled = $archive
[registration]
open = true
per_address_hour = 0
min_password = 1
TOML
PIN=; [ -n "${CORE:-}" ] && PIN="taskset -c $CORE"
setsid $PIN "$HERE/rollcall/bin" serve --config "$DIR/rollcall.toml" >"$DIR/out.log" 2>&1 </dev/null &
pid=$!
"$HERE/wait-port.sh" 18222 || { tail -n 5 "$DIR/out.log" >&2; kill "$pid" 2>/dev/null; exit 1; }
echo $pid | tee "$DIR/run.pid"
