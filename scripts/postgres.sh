# A private PostgreSQL for tests: its own directory, its own port on loopback,
# gone afterwards. To be sourced by bash after lib.sh.

# postgres_bin prints where the newest PostgreSQL of Debian is.
postgres_bin() {
	local dir
	dir=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
	if [ -n "$dir" ] && [ -x "$dir/initdb" ]; then
		echo "$dir"
	fi
}

# as_postgres runs a command as a user whom PostgreSQL agrees to run as: it
# refuses root.
as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u postgres -- "$@")
	else
		"$@"
	fi
}

# postgres_install installs PostgreSQL when it is missing, without the cluster
# that Debian would make and start.
postgres_install() {
	[ -z "$(postgres_bin)" ] || return 0
	need pg_createcluster postgresql-common
	mkdir -p /etc/postgresql-common/createcluster.d
	echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/tests.conf
	local failed=0
	install postgresql || failed=1
	rm -f /etc/postgresql-common/createcluster.d/tests.conf
	return $failed
}

# postgres_start starts a server and sets ROLLCALL_TEST_POSTGRES.
postgres_start() {
	postgres_install
	PG_BIN=$(postgres_bin)
	PG_DIR=$(mktemp -d)
	local password
	password=$(head -c 18 /dev/urandom | base64 | tr -d '+/=')
	(umask 077 && printf '%s\n' "$password" >"$PG_DIR/password")
	[ "$(id -u)" != 0 ] || chown -R postgres "$PG_DIR"
	as_postgres "$PG_BIN/initdb" -D "$PG_DIR/data" -U rollcall -E UTF8 --locale=C \
		-A scram-sha-256 --pwfile="$PG_DIR/password" >"$PG_DIR.log" 2>&1 || { cat "$PG_DIR.log" >&2; return 1; }
	local port try
	for try in 1 2 3 4 5 6 7 8; do
		port=$((20000 + RANDOM % 10000))
		if as_postgres "$PG_BIN/pg_ctl" start -s -w -t 60 -D "$PG_DIR/data" -l "$PG_DIR/server.log" \
			-o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200" 2>/dev/null; then
			export ROLLCALL_TEST_POSTGRES="postgres://rollcall:$password@127.0.0.1:$port/postgres?sslmode=disable"
			return 0
		fi
	done
	cat "$PG_DIR/server.log" >&2
	return 1
}

# postgres_stop stops it, by the pid that it wrote down, and removes its files.
postgres_stop() {
	[ -n "${PG_DIR:-}" ] || return 0
	if [ -f "$PG_DIR/data/postmaster.pid" ]; then
		as_postgres "$PG_BIN/pg_ctl" stop -s -w -m fast -D "$PG_DIR/data" || true
	fi
	rm -rf "$PG_DIR" "$PG_DIR.log"
	PG_DIR=
}
