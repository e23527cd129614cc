# Shared by the scripts. To be sourced by bash.

# need PROGRAM PACKAGE... installs the Debian packages unless the program is
# there.
need() {
	local program=$1
	shift
	command -v "$program" >/dev/null 2>&1 || install "$@"
}

# install PACKAGE... installs Debian packages, quietly unless it fails. The services in
# them are not started (invoke-rc.d(8)): scripts start what they need themselves, on
# ports of its own.
install() {
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		echo "missing: $*. Install it, or run this as root on Debian." >&2
		return 1
	fi
	local log policy=/usr/sbin/policy-rc.d status=0
	log=$(mktemp)
	echo "installing $*" >&2
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod +x $policy
	fi
	{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 || status=1
	[ -z "$policy" ] || rm -f "$policy"
	[ $status = 0 ] || tail -n 30 "$log" >&2
	rm -f "$log"
	return $status
}
