#!/usr/bin/env bash
# Real clients against a running server: slixmpp, profanity, go-sendxmpp and a
# mellium client; people who move from Prosody to bin/rollcall and back; at
# servers of their own, telephones (linphonec and baresip), SIPp as a panel of lamps,
# a publisher and a PBX, and Kamailio as a PBX and a proxy; and the SIP gateway alone
# as a component of a Prosody. Each check prints a PASS or FAIL line; the end says how
# many, and the exit status is 1 if any failed.
#
#   interop/run.sh [slixmpp] [profanity] [sendxmpp] [mellium] [migration] [phones]
#                  [sipp] [kamailio] [component]
#
# By default the server is bin/rollcall, started here on free ports of the
# loopback with a directory, database and certificate of its own. For another
# one set
#
#   ADD_ACCOUNT   a program: `ADD_ACCOUNT name` adds name@DOMAIN with the
#                 password on its standard input
#   GROUP         a program: `GROUP add|member|remove ...` does what `rollcall
#                 group` does; may be unset
#   HOST PORT TLS_PORT DOMAIN
#   ADMIN ADMIN_PASSWORD  an administrator of it; without one commands are not checked
#   COMPONENT COMPONENT_PORT COMPONENT_SECRET  a domain that a component may serve;
#                 may be unset
#   CA            a PEM file with the certificate to trust
#   STRICT=1      what a server may lack (some SASL mechanisms, ALPN) is
#                 demanded, as it is of ours
#
# What is missing of the clients is installed from Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

PYTHON=${PYTHON:-/usr/bin/python3} # Debian's, which python3-slixmpp is for
work=$(mktemp -d)
server=
passed=0 failed=0

clean() {
	if [ -n "$server" ] && kill -0 "$server" 2>/dev/null; then
		kill -KILL "$server"
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

verdict() { # verdict PASS|FAIL text...
	echo "$*" | tee -a "$work/verdicts"
}

clients() {
	"$PYTHON" -c 'import slixmpp' 2>/dev/null || install python3-slixmpp
	need tmux tmux
	need profanity profanity
	need go-sendxmpp go-sendxmpp
}

# kamailio_too has Kamailio there, with its presence server and SQLite.
kamailio_too() {
	command -v kamailio >/dev/null 2>&1 && ls /usr/lib/*/kamailio/modules/presence.so /usr/lib/*/kamailio/modules/db_sqlite.so >/dev/null 2>&1 ||
		install kamailio kamailio-presence-modules kamailio-sqlite-modules
}

# free_port prints a port of the loopback that nobody listens on.
free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# wait_for SECONDS COMMAND... tries the command until it succeeds.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

listening() {
	kill -0 "$server" && (exec 3<>"/dev/tcp/$HOST/$PORT" 4<>"/dev/tcp/$HOST/$TLS_PORT") 2>/dev/null
}

gone() { ! kill -0 "$server" 2>/dev/null; }

# start_ours builds the program, unless it is there, and starts it.
start_ours() {
	[ -x bin/rollcall ] || make build
	export HOST=127.0.0.1 DOMAIN=localhost STRICT=1 PORT TLS_PORT
	PORT=$(free_port) TLS_PORT=$(free_port)
	export COMPONENT=bots.$DOMAIN COMPONENT_PORT COMPONENT_SECRET=$RANDOM-$RANDOM-$RANDOM-$RANDOM
	COMPONENT_PORT=$(free_port)
	export SIP_PORT
	SIP_PORT=$(free_port)
	export CA=$work/data/tls/self-signed.crt ADD_ACCOUNT=$work/add-account GROUP=$work/group
	cat >"$work/rollcall.toml" <<-TOML
		[server]
		domains = ["$DOMAIN"]
		data_dir = "$work/data"
		admins = ["admin@$DOMAIN"]
		[c2s]
		listen = ["$HOST:$PORT"]
		listen_tls = ["$HOST:$TLS_PORT"]
		[sip]
		listen = ["$HOST:$SIP_PORT"]
		[components]
		listen = ["$HOST:$COMPONENT_PORT"]
		domains = [{ name = "$COMPONENT", secret = "$COMPONENT_SECRET" }]
	TOML
	cat >"$ADD_ACCOUNT" <<-SH
		#!/bin/sh
		exec "$PWD/bin/rollcall" account add "\$1@$DOMAIN" --password-stdin --config "$work/rollcall.toml"
	SH
	cat >"$GROUP" <<-SH
		#!/bin/sh
		exec "$PWD/bin/rollcall" group "\$@" --config "$work/rollcall.toml"
	SH
	chmod +x "$ADD_ACCOUNT" "$GROUP"
	export ADMIN=admin ADMIN_PASSWORD=$RANDOM-$RANDOM-$RANDOM
	echo "$ADMIN_PASSWORD" | "$ADD_ACCOUNT" "$ADMIN"
	bin/rollcall serve --config "$work/rollcall.toml" >"$work/server.log" 2>&1 &
	server=$!
	if ! wait_for 30 listening; then
		cat "$work/server.log"
		verdict "FAIL rollcall: start: it did not listen within 30 s"
		return 1
	fi
}

# stop_ours stops it as an administrator would, and looks at its log.
stop_ours() {
	kill -TERM "$server"
	local status=0
	if ! wait_for 20 gone; then
		verdict "FAIL rollcall: stop: it was still there 20 s after SIGTERM"
		return
	fi
	wait "$server" || status=$?
	server=
	if [ $status = 0 ]; then
		verdict "PASS rollcall: stop in good order"
	else
		tail -n 20 "$work/server.log"
		verdict "FAIL rollcall: stop: exit status $status"
	fi
	if grep -nE 'level=ERROR|^panic:|DATA RACE' "$work/server.log" | head -n 20; then
		verdict "FAIL rollcall: log: there are errors in it, see above"
	else
		verdict "PASS rollcall: no errors in the log"
	fi
}

# run NAME COMMAND... runs the checks with one client.
run() {
	local name=$1 status=0 before
	shift
	before=$(wc -l <"$work/verdicts")
	timeout --kill-after=10 600 "$@" 2>&1 | tee -a "$work/verdicts" || status=${PIPESTATUS[0]}
	# A program that breaks off has said nothing about what it did not reach.
	if [ "$status" -gt 1 ] || ! tail -n "+$((before + 1))" "$work/verdicts" | grep -qE '^(PASS|FAIL) '; then
		verdict "FAIL $name: the checks broke off with status $status"
	fi
}

checks() {
	export PYTHONPATH=$PWD/interop/lib PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
	local client
	for client in "$@"; do
		case $client in
		slixmpp) run slixmpp "$PYTHON" interop/slixmpp/checks.py ;;
		profanity) run profanity "$PYTHON" interop/profanity/checks.py ;;
		sendxmpp) run go-sendxmpp "$PYTHON" interop/sendxmpp/checks.py ;;
		mellium)
			"${GO:-go}" build -o "$work/mellium" ./interop/mellium
			run mellium "$work/mellium"
			;;
		migration)
			need prosody prosody
			ROLLCALL=$PWD/bin/rollcall run migration "$PYTHON" interop/migration/checks.py
			;;
		phones)
			need baresip baresip-core
			need linphonec linphone-cli
			ROLLCALL=$PWD/bin/rollcall run phones "$PYTHON" interop/phones/checks.py
			;;
		sipp)
			need baresip baresip-core
			need sipp sip-tester
			ROLLCALL=$PWD/bin/rollcall PYTHONPATH=$PYTHONPATH:$PWD/interop/phones \
				run sipp "$PYTHON" interop/sipp/checks.py
			;;
		kamailio)
			need baresip baresip-core
			need linphonec linphone-cli
			need sipp sip-tester
			kamailio_too
			ROLLCALL=$PWD/bin/rollcall PYTHONPATH=$PYTHONPATH:$PWD/interop/phones:$PWD/interop/sipp \
				run kamailio "$PYTHON" interop/kamailio/checks.py
			;;
		component)
			need prosody prosody
			ROLLCALL=$PWD/bin/rollcall PYTHONPATH=$PYTHONPATH:$PWD/interop/migration \
				run component "$PYTHON" interop/component/checks.py
			;;
		*)
			echo "no such client: $client" >&2
			exit 2
			;;
		esac
	done
}

touch "$work/verdicts"
clients
ours=
if [ -z "${ADD_ACCOUNT:-}" ]; then
	ours=1
	start_ours || set -- none
fi
[ $# -gt 0 ] || set -- slixmpp profanity sendxmpp mellium ${ours:+migration phones sipp kamailio component}
if [ "$1" != none ]; then
	checks "$@"
	[ -z "$ours" ] || stop_ours
fi
passed=$(grep -c '^PASS ' "$work/verdicts" || true)
failed=$(grep -c '^FAIL ' "$work/verdicts" || true)
echo
grep '^FAIL ' "$work/verdicts" || true
echo "interop: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
