# OpenLDAP for tests. The tests start private servers themselves, each with its
# own directory and ports on loopback, gone afterwards (internal/slapd). To be
# sourced by bash after lib.sh.

# slapd_install installs slapd when it is missing, without the directory that
# Debian would make and start, and sets ROLLCALL_TEST_LDAP.
slapd_install() {
	local program=${ROLLCALL_TEST_LDAP:-/usr/sbin/slapd}
	if [ ! -x "$program" ]; then
		if [ "$(id -u)" = 0 ] && command -v debconf-set-selections >/dev/null 2>&1; then
			echo "slapd slapd/no_configuration boolean true" | debconf-set-selections
		fi
		install slapd
	fi
	export ROLLCALL_TEST_LDAP=$program
}
