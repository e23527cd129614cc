#!/bin/bash
# Start the load tool's null relay on 127.0.0.1:19222: what a server costs that
# does nothing. Copied to the others' scripts, as start-rollcall.sh is.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$HERE/null"
ulimit -n "$(ulimit -Hn)"
PIN=; [ -n "${CORE:-}" ] && PIN="taskset -c $CORE"
setsid $PIN "$HERE/xmppload" nullserver -addr 127.0.0.1:19222 >"$HERE/null/out.log" 2>&1 </dev/null &
pid=$!
"$HERE/wait-port.sh" 19222
echo $pid | tee "$HERE/null/run.pid"
