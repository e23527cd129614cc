# Shared by the scripts. To be sourced by bash.

# need PROGRAM PACKAGE... installs the Debian packages unless the program is
# there.
need() {
	local program=$1
	shift
	command -v "$program" >/dev/null 2>&1 || install "$@"
}

# install PACKAGE... installs Debian packages, quietly unless it fails.
install() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		echo "missing: $*. Install it, or run this as root on Debian." >&2
		return 1
	fi
	local log
	log=$(mktemp)
	echo "installing $*" >&2
	if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
