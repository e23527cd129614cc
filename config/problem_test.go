package config

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// problemTests are files and all that is wrong with them.
var problemTests = []struct {
	text string
	want []string
}{
	{"[c2s]\nlisten = [\n  '127.0.0.1:5222',\n  '5222',\n]\n", []string{
		`c2s.listen[1] = "5222" (line 4): not an address; write "127.0.0.1:5222"`,
	}},
	{"[c2s]\nlisten = '127.0.0.1:5222'\nlisten_tls = ['::1', ':70000', 'a b:5223', 5223]\n", []string{
		`c2s.listen = "127.0.0.1:5222" (line 2): not a list; write ["127.0.0.1:5222"]`,
		`c2s.listen_tls[0] = "::1" (line 3): not an address; write "[::1]:5223"`,
		`c2s.listen_tls[1] = ":70000" (line 3): the port is not a number up to 65535; write ":5223"`,
		`c2s.listen_tls[2] = "a b:5223" (line 3): not an address; write "127.0.0.1:5223"`,
		`c2s.listen_tls[3] = 5223 (line 3): not a string; write "127.0.0.1:5223"`,
	}},
	{"[c2s]\nlisten = []\nlisten_tls = []\n", []string{
		`c2s.listen = [] (line 2): nobody can connect: listen_tls is empty too; write ["127.0.0.1:5222"]`,
	}},
	{"[c2s]\nlisten_tls = ['127.0.0.1:5222']\n", []string{
		`c2s.listen_tls[0] (line 2): c2s.listen has the same address; give one of them another port`,
	}},
	{"[c2s]\nlisten = [':5222']\n", []string{
		`c2s.listen = [":5222"] (line 2): other machines can connect and there is no certificate; name one in tls.certificates, or write self_signed = "always" in [tls]`,
	}},
	{"[sip]\nlisten = [':5060']\n", []string{
		`sip.advertise = "" (line 1): empty, and sip.listen[0] is every address of this machine; write the name or address that phones reach this server by`,
	}},
	{"[sip]\nadvertise = 'sip.example.org:5060'\n", []string{
		`sip.advertise = "sip.example.org:5060" (line 2): has a port; write "sip.example.org"; the port is the one that is listened at`,
	}},
	{"[sip]\nadvertise = '0.0.0.0'\n", []string{
		`sip.advertise = "0.0.0.0" (line 2): neither a host name nor an address of this server; write a name such as "sip.example.org", or an address`,
	}},
	{"[sip]\nlisten_tls = ['127.0.0.1:5060']\n", []string{
		`sip.listen_tls[0] (line 2): the same as sip.listen[0]; give one of them another port`,
	}},
	{"[sip]\nlisten_ws = ['127.0.0.1:5222']\n", []string{
		`sip.listen_ws[0] (line 2): [c2s] listens there; give one of them another port`,
	}},
	{"[sip]\nlisten_tls = ['127.0.0.1:5061']\n[c2s]\nplaintext_on_loopback = true\n[tls]\nself_signed = 'never'\n", []string{
		`tls.certificates = [] (line 5): empty, and SIP listens with TLS; name a certificate, or leave listen_tls and listen_wss in [sip] empty`,
	}},
	{"[[sip.upstreams]]\nname = 'hq'\nhost = 'sip:pbx'\ntransport = 'sctp'\nproxy = '192.0.2.17'\nline = '201'\npackages = ['calls']\nuser = ''\nnotes = 'yes'\nrealm = 'x'\n", []string{
		`sip.upstreams[0].host (line 3): not a host; write "pbx.example.org", or "192.0.2.17:5080"`,
		`sip.upstreams[0].transport (line 4): not one of the choices; write "udp" or "tcp" or "tls"`,
		`sip.upstreams[0].proxy (line 5): not a SIP URI; write "sip:192.0.2.17", or "sip:proxy.example.org;transport=tcp"`,
		`sip.upstreams[0].line (line 6): the same for all devices; write it with {user} or {number}, such as "ext-{user}"`,
		`sip.upstreams[0].packages[0] (line 7): not one of the choices; write "dialog" or "presence" or "reg"`,
		`sip.upstreams[0].user (line 8): empty; write a path, or leave the line out for the default`,
		`sip.upstreams[0].notes (line 9): neither true, false nor a table; write true, or { "out to lunch" = "lunch" }`,
		`sip.upstreams[0].realm (line 10): unknown key; known here: name, host, transport, proxy, user, secret, secret_file, packages, line, busy_is_call, notes, calls_from, certificate`,
	}},
	{"[[sip.upstreams]]\nname = 'hq'\nhost = 'pbx'\ncalls_from = ['0.0.0.0/0']\n[[sip.upstreams]]\nname = 'b'\nhost = 'pbx'\ncalls_from = ['pbx']\ncertificate = '*.example.org'\n", []string{
		`sip.upstreams[0] (line 1): with calls from everywhere; write the addresses of the PBX into calls_from, or the name in its certificate beside it`,
		`sip.upstreams[1].calls_from[0] (line 8): not a network; write "192.0.2.0/24" or "2001:db8::/32"`,
		`sip.upstreams[1].certificate (line 9): not the name of a host; write "pbx.example.org"`,
	}},
	{"[[sip.upstreams]]\nhost = 'pbx'\n[[sip.upstreams]]\nname = 'a b'\n[[sip.upstreams]]\nname = 'hq'\n[[sip.upstreams]]\nname = 'hq'\nhost = 'pbx'\nuser = 'tea'\n[[sip.upstreams]]\nname = 'hq'\nhost = 'pbx'\nsecret = 'tea'\n[[sip.upstreams]]\nname = 'hq'\nhost = 'pbx'\nsecret = 'tea'\nsecret_file = 'f'\n", []string{
		`sip.upstreams[0] (line 1): without a name; write name = "hq"; devices call it so`,
		`sip.upstreams[1].name (line 4): no name for a PBX; write letters, digits, dots and hyphens, such as "hq"`,
		`sip.upstreams[2] (line 5): without a host; write host = "pbx.example.org"`,
		`sip.upstreams[3] (line 7): with a user and without a secret; write secret_file = "…"`,
		`sip.upstreams[4] (line 11): with a secret and without a user; write user = "…"`,
		`sip.upstreams[5] (line 15): with a secret and a file for it; leave one of them out`,
	}},
	{"[[sip.upstreams]]\nname = 'hq'\nhost = 'pbx'\n[[sip.upstreams]]\nname = 'hq'\nhost = 'branch'\n", []string{
		`sip.upstreams[1] (line 4): there is another one named hq; give one of them another name`,
	}},
	{"[[sip.upstreams]]\nname = 'hq'\nhost = 'pbx'\nnotes = { tea = 'drinking_tea' }\n", []string{
		`sip.upstreams[0].notes.tea (line 4): there is no state drinking_tea; write one of people, such as "lunch"`,
	}},
	{"[sip]\nlisten = []\nupstreams = [{ name = 'hq', host = 'pbx' }]\n", []string{
		`sip.listen = [] (line 2): empty, so that no PBX can tell anything; write ["192.0.2.5:5060"]`,
	}},
	{"[tls]\nself_signed = 'never'\n", []string{
		`tls.self_signed = "never" (line 2): there is no certificate either; name one in tls.certificates`,
	}},
	{"\n[c2c]\nlisten = []\n[roaster]\n", []string{
		`c2c (line 2): unknown table; did you mean "c2s"?`,
		`roaster (line 4): unknown table; did you mean "roster"?`,
	}},
	{"wholly.different = 1\nserver = 3\n", []string{
		`wholly (line 1): unknown table; known here: server, log, c2s, tls, auth, limits, stream_management, client_state, keepalive, roster, groups, devices, privacy, offline, archive, vcard, private_xml, pep, search, presence, contact, registration, components, floodgate, directory, sip, sipgw, audit, storage`,
		`server = 3 (line 2): not a table; write [server] and its keys below it`,
	}},
	{"[server]\ndomain = ['x']\nresume_for = '1m'\n\"a b\" = 1\n", []string{
		`server.domain (line 2): unknown key; did you mean "domains"?`,
		`server.resume_for (line 3): unknown key; it belongs to [stream_management]`,
		`server."a b" (line 4): unknown key; known here: domains, data_dir, admins, shutdown_deadline`,
	}},
	{"[server]\ndomains = []\nadmins = ['alice', 'bob@localhost/home', 'carol@elsewhere']\ndata_dir = ''\nshutdown_deadline = 10\n", []string{
		`server.domains = [] (line 2): empty; name at least one, or leave the line out for the default`,
		`server.admins[0] = "alice" (line 3): not the address of a person; write "alice@example.org"`,
		`server.admins[1] = "bob@localhost/home" (line 3): has a resource; write "bob@localhost"`,
		`server.data_dir = "" (line 4): empty; write a path, or leave the line out for the default`,
		`server.shutdown_deadline = 10 (line 5): a duration needs a unit; write "10s"`,
	}},
	{"[server]\nadmins = ['carol@elsewhere']\n", []string{
		`server.admins[0] (line 2): not at a domain of this server; write an address at localhost`,
	}},
	{"[server]\ndomains = ['A.example', 'a.example', 'bob@a.example', '', 7, { nam = 'x', anonymous = 1 }, '..']\n", []string{
		`server.domains[1] = "a.example" (line 2): the same as [0]; leave one of them out`,
		`server.domains[2] = "bob@a.example" (line 2): an address, not a domain; write "a.example"`,
		`server.domains[3] = "" (line 2): a domain without a name; write "example.org"`,
		`server.domains[4] = 7 (line 2): not a domain; write "example.org"`,
		`server.domains[5].anonymous = 1 (line 2): not true or false; write true or false, without quotes`,
		`server.domains[5].nam = "x" (line 2): unknown key; did you mean "name"?`,
		`server.domains[5].name = "" (line 2): a domain without a name; write "example.org"`,
		`server.domains[6] = ".." (line 2): not a domain; write a name such as "example.org"`,
	}},
	{"[[server.domains]]\nname = 'a.example'\n\n[[server.domains]]\nname = 'a.example'\nanonymous = true\n", []string{
		`server.domains[1] (line 4): named twice; leave one of them out`,
	}},
	{"[presence]\ntime_zone = 'Berlin'\nwords = { fr = { since = 'depuis', messages = 'messages' }, FR = 1 }\nroles = [{ accounts = ['a'] }, 'x']\n", []string{
		`presence.roles[0] = { … } (line 4): role is missing; write { role = "dispatcher", groups = ["…"] }`,
		`presence.roles[0].accounts[0] = "a" (line 4): not the address of a person; write "alice@example.org"`,
		`presence.roles[1] = "x" (line 4): not a table; write { role = …, accounts = …, groups = … }`,
		`presence.time_zone = "Berlin" (line 2): not a time zone that this machine knows; write "local", "UTC" or a name such as "Europe/Berlin"`,
		`presence.words.FR = 1 (line 3): not a language; write a tag such as "fr" or "pt-br"`,
		`presence.words.fr = { … } (line 3): until is missing; write { since = "since {time}", until = "until {time}" }`,
		`presence.words.fr.messages = "messages" (line 3): not words around {count}; write "new messages: {count}", say`,
		`presence.words.fr.since = "depuis" (line 3): not words around {time}; write "since {time}", say`,
	}},
	{"[presence.states.person.meeting]\nrank = 300\nshow = 'busy'\nlabel = { en = 'In {room}' }\ncolour = 'red'\n[presence.states.person.nap]\nlabel.en = 'Nap'\n[presence.states.robot.x]\n", []string{
		`presence.states.person.meeting.colour = "red" (line 5): unknown key; known here: rank, show, label, aside, critical_show, critical_label, rpid, activity, set_by, lasts, longest, seen, labelled, traits, onward`,
		`presence.states.person.meeting.label = { … } (line 4): the text in "en" has a place that there is not; places are {text} {device} {source} {cause} {counterpart} {ref} {since} {until}, and [ ] around what may be left out`,
		`presence.states.person.meeting.rank = 300 (line 2): not a rank; write a whole number from 0 to 100`,
		`presence.states.person.meeting.show = "busy" (line 3): unknown show; write "none" or "chat" or "away" or "xa" or "dnd" or "unavailable"`,
		`presence.states.person.nap = { … } (line 6): a new state without rank; write its rank too, or the name of a state that there is`,
		`presence.states.person.nap = { … } (line 6): a new state without show; write its show too, or the name of a state that there is`,
		`presence.states.robot = { … } (line 8): unknown key; known here: person, device, team`,
	}},
	{"[presence.states.person.break]\nlabel = { en = 'Lunch', de = 'Mittagspause' }\nlasts = '9h'\nlongest = '1h'\n[presence.states.device.alarm]\nshow = 'none'\n[presence.states.person.\"custom:Ort\"]\nlabel.en = 'Site'\n", []string{
		`presence.states.device.alarm.show = "none" (line 6): it would be shown as available though nothing can be reached; write "away", "xa" or "dnd", or leave the trait "unreachable" out`,
		`presence.states.person."custom:Ort" = { … } (line 7): not the name of a state; write small letters, digits and _, such as "custom:site_visit"`,
		`presence.states.person.break.label = { … } (line 2): the same in "de" as that of lunch; give one of them another label`,
		`presence.states.person.break.label = { … } (line 2): the same in "en" as that of lunch; give one of them another label`,
		`presence.states.person.break.lasts = "9h" (line 3): more than longest; write at most "1h"`,
	}},
	{"presence.language = 'fr'\n", []string{
		`presence.language = "fr" (line 1): a language that times cannot be told in; add it to presence.words`,
	}},
	{"presence.language = 'Deutsch'\n", []string{
		`presence.language = "Deutsch" (line 1): not a language; write a tag such as "de" or "pt-br"`,
	}},
	{"[presence.states.person.break]\nlabel = { fr = 'Pause café' }\n", []string{
		`presence.states.person.break.label.fr (line 2): a language that times cannot be told in; add it to presence.words`,
	}},
	{"[[presence.audience]]\nwatchers = 'nobody'\nsubjects = 'self'\nlevel = 'all'\n[[presence.audience]]\nwatchers = { kind = 'person' }\nlevel = 'full'\n[[presence.audience]]\nwatchers = { jid = 'x' }\nsubjects = { kind = 'robot' }\nlevel = 'full'\n[[presence.audience]]\nlevel = 'full'\n", []string{
		`presence.audience[0].level = "all" (line 4): not a level; write "hidden", "basic", "status", "detail" or "full"`,
		`presence.audience[0].subjects = "self" (line 3): nothing to select by here; write "everybody" or { kind = "device" }`,
		`presence.audience[0].watchers = "nobody" (line 2): nothing to select by here; write "everybody" or { group = "Night shift" }`,
		`presence.audience[1].watchers = { … } (line 6): nothing to select by here; write "everybody" or { group = "Night shift" }`,
		`presence.audience[2].subjects.kind = "robot" (line 10): not one of the choices; write "person" or "device" or "team" or "role"`,
		`presence.audience[2].watchers.jid = "x" (line 9): not the address of a person; write "alice@example.org"`,
		`presence.audience[3] = { … } (line 12): watchers is missing; write { watchers = "staff", subjects = "everybody", level = "status" }`,
	}},
	{"presence.audience = [{ watchers = { role = 'clown' }, level = 'full' }]\n", []string{
		`presence.audience[0].watchers.role (line 1): nobody has this role; say in presence.roles who has it`,
	}},
	{"presence.audience = [{ watchers = 'everybody', level = 'full' }, { watchers = 'staff', level = 'basic' }]\n", []string{
		`presence.audience[0] (line 1): it fits everybody, so those after it never decide; write it last`,
	}},
	{"[log]\nlevel = 'loud'\nformat = true\n", []string{
		`log.format = true (line 3): not one of the choices; write "text" or "json"`,
		`log.level = "loud" (line 2): not one of the choices; write "debug" or "info" or "warn" or "error"`,
	}},
	{"[tls]\nmin_version = 1.2\ncertificates = [{ cert = 'a', kee = 'b' }, 'c']\n", []string{
		`tls.certificates[0] = { … } (line 3): key is missing; write { cert = "….crt", key = "….key" }`,
		`tls.certificates[0].kee = "b" (line 3): unknown key; did you mean "key"?`,
		`tls.certificates[1] = "c" (line 3): not a table; write { cert = …, key = … }`,
		`tls.min_version = 1.2 (line 2): not one of the choices; write "1.2" or "1.3"`,
	}},
	{"[auth]\nmechanisms = ['PLAIN', 'PLAIN', 'SCRAM-SHA-1-PLUS', 'anonymous', 'SCRAM-SHA256']\niterations = 1000\nattempts_per_stream = '3'\nbackoff_max = '100d'\n", []string{
		`auth.mechanisms[1] = "PLAIN" (line 2): the same as [0]; leave one of them out`,
		`auth.mechanisms[2] = "SCRAM-SHA-1-PLUS" (line 2): offered by itself wherever it can be; write "SCRAM-SHA-1"`,
		`auth.mechanisms[3] = "anonymous" (line 2): belongs to a domain; write { name = "guest.example.org", anonymous = true } in server.domains`,
		`auth.mechanisms[4] = "SCRAM-SHA256" (line 2): unknown mechanism; did you mean "SCRAM-SHA-256"?`,
		`auth.iterations = 1000 (line 3): too small; write 4096 or more`,
		`auth.attempts_per_stream = "3" (line 4): not a whole number; write 1 to 100, without quotes`,
		`auth.backoff_max = "100d" (line 5): too long; write "1d" or less`,
	}},
	{"[limits]\nstanza = 4096\nstanza_before_auth = '1KB'\noutbox = '2GiB'\nread_burst = '1B'\ndepth = 5000\nauth_timeout = 'soon'\n", []string{
		`limits.stanza = 4096 (line 2): a size needs a unit; write "4KiB"`,
		`limits.stanza_before_auth = "1KB" (line 3): not a size; write a whole number with B, KiB, MiB or GiB, such as "1MiB"`,
		`limits.outbox = "2GiB" (line 4): too large; write "1GiB" or less`,
		`limits.read_burst = "1B" (line 5): too small; write "16KiB" or more`,
		`limits.depth = 5000 (line 6): too large; write 128 or less`,
		`limits.auth_timeout = "soon" (line 7): not a duration; write a number with s, m, h or d, such as "90s" or "1h30m"`,
	}},
	{"[limits]\nexempt_networks = ['192.0.2.0/24', '192.0.2.1/24', '192.0.2.1', '::ffff:192.0.2.1', 'office', '::ffff:192.0.2.0/120', 'fe80::1%eth0']\n", []string{
		`limits.exempt_networks[1] = "192.0.2.1/24" (line 2): an address within a network; write "192.0.2.0/24" for all of it, or "192.0.2.1"`,
		`limits.exempt_networks[3] = "::ffff:192.0.2.1" (line 2): the same as [2]; leave one of them out`,
		`limits.exempt_networks[4] = "office" (line 2): not a network; write "192.0.2.0/24" or "2001:db8::/32"`,
		`limits.exempt_networks[5] = "::ffff:192.0.2.0/120" (line 2): not a network; write "192.0.2.0/24" or "2001:db8::/32"`,
		`limits.exempt_networks[6] = "fe80::1%eth0" (line 2): not a network; write "192.0.2.0/24" or "2001:db8::/32"`,
	}},
	{"[limits]\nstanza_before_auth = '1MiB'\noutbox = '64KiB'\n[stream_management]\nack_every = 60\nmax_unacked = 50\n", []string{
		`limits.stanza_before_auth = "1MiB" (line 2): larger than limits.stanza; write "256KiB" or less`,
		`limits.outbox = "64KiB" (line 3): smaller than limits.stanza, so that a large stanza could never be sent; write "256KiB" or more`,
		`stream_management.max_unacked = 50 (line 6): not more than ack_every; write 61 or more`,
	}},
	{"[directory]\nurls = ['ldap.example.org', 'http://x', 'ldap://u:p@x', 'ldaps://x/dc=y']\nbase_dn = 'here'\nuser_filter = '(uid=ada)'\ngroup_filter = 'cn=*'\ngroup_member_filter = '(memberOf={groups})'\nremove_after = '5'\nattributes = { login = '', phone = 'a b', fone = 'x' }\n", []string{
		`directory.urls[0] = "ldap.example.org" (line 2): it is no URL; write "ldaps://ldap.example.org", with a port if it is another than 636`,
		`directory.urls[1] = "http://x" (line 2): it begins with neither ldaps:// nor ldap://; write "ldaps://ldap.example.org", with a port if it is another than 636`,
		`directory.urls[2] = "ldap://u:p@x" (line 2): there is more than a host and a port in it; write "ldaps://ldap.example.org", with a port if it is another than 636`,
		`directory.urls[3] = "ldaps://x/dc=y" (line 2): there is more than a host and a port in it; write "ldaps://ldap.example.org", with a port if it is another than 636`,
		`directory.base_dn = "here" (line 3): it is no distinguished name (RFC 4514); write it as in "ou=people,dc=example,dc=org"`,
		`directory.user_filter = "(uid=ada)" (line 4): it has no {name}; write something like "(uid={name})"`,
		`directory.group_filter = "cn=*" (line 5): it is no LDAP filter (RFC 4515); write something like "(objectClass=groupOfNames)"`,
		`directory.group_member_filter = "(memberOf={groups})" (line 6): it has no {group}; write something like "(memberOf={group})"`,
		`directory.remove_after = "5" (line 7): not a duration; write a number with s, m, h or d, such as "90s" or "1h30m", or "never"`,
		`directory.attributes.login = "" (line 8): empty; name the attribute with the login name`,
		`directory.attributes.phone = "a b" (line 8): not the name of an attribute; write "telephoneNumber", say, or "" to leave it out`,
		`directory.attributes.fone = "x" (line 8): unknown key; did you mean "phone"?`,
	}},
	{"[directory]\nurls = ['ldaps://x']\n", []string{
		`directory.base_dn = "" (line 1): empty, and there is a directory; write where people are, such as "ou=people,dc=example,dc=org"`,
	}},
	{"[directory]\nurls = ['ldap://localhost', 'ldap://[::1]', 'ldap://x']\nbase_dn = 'dc=x'\nstarttls = false\n", []string{
		`directory.starttls = false (line 4): off, and passwords would be sent in the clear to ldap://x; leave it on, or use ldaps://`,
	}},
	{"[directory]\nurls = ['ldaps://x']\nbase_dn = 'dc=x'\nbind_dn = 'cn=y'\n", []string{
		`directory.bind_password_file = "" (line 1): empty, and there is a bind_dn; write the name of a file with its password`,
	}},
	{"[directory]\nurls = ['ldaps://x']\nbase_dn = 'dc=x'\nbind_password = 'y'\n", []string{
		`directory.bind_dn = "" (line 1): empty, and there is a password for it; write the DN of the account that the server searches with`,
	}},
	{"[directory]\nurls = ['ldaps://x']\nbase_dn = 'dc=x'\nbind_dn = 'cn=y'\nbind_password = 'y'\nbind_password_file = '/f'\n", []string{
		`directory.bind_password_file = "/f" (line 6): set, and bind_password is too; leave one of them out`,
	}},
	{"[directory]\nurls = ['ldaps://x']\nbase_dn = 'dc=x'\naccount_domain = 'elsewhere'\n", []string{
		`directory.account_domain = "elsewhere" (line 4): not a domain with accounts of this server; write one of server.domains`,
	}},
	{"[directory]\nurls = ['ldaps://x']\nbase_dn = 'dc=x'\ngroups = ['Sales']\n[auth]\nmechanisms = ['SCRAM-SHA-1']\n", []string{
		`auth.mechanisms = ["SCRAM-SHA-1"] (line 6): without PLAIN nobody from the directory can log in; add "PLAIN"`,
	}},
	{"[directory]\nurls = ['ldaps://x']\nbase_dn = 'dc=x'\ngroups = ['Sales']\n", []string{
		`directory.group_filter = "" (line 1): empty, so that no group is found; write "(objectClass=groupOfNames)", or what finds your groups`,
	}},
	{"[pep]\nmax_item = '4MiB'\n", []string{
		`pep.max_item = "4MiB" (line 2): larger than pep.max_account; write "2MiB" or less`,
	}},
	{"[private_xml]\nmax_element = '1MiB'\n", []string{
		`private_xml.max_element = "1MiB" (line 2): larger than private_xml.max_account; write "512KiB" or less`,
	}},
	{"[contact]\nabuse = ['mailto:abuse@example.org', 'abuse@example.org', 'ftp://x', 'mailto:abuse']\nadmin = 'xmpp:a@x'\n" +
		"status = ['https:', 'http://a b/']\nsupport = ['tel:help', 'xmpp:@', 'xmpp:a@x?message']\n", []string{
		`contact.abuse[1] = "abuse@example.org" (line 2): not an address that says of what kind it is; write "mailto:abuse@example.org" or "xmpp:abuse@example.org"`,
		`contact.abuse[2] = "ftp://x" (line 2): none of the kinds of address; begin it with mailto:, xmpp:, https:, http: or tel:`,
		`contact.abuse[3] = "mailto:abuse" (line 2): not a mail address; write "mailto:help@example.org"`,
		`contact.admin = "xmpp:a@x" (line 3): not a list; write ["xmpp:a@x"]`,
		`contact.status[0] = "https:" (line 4): an address without a host; write "https://example.org/help"`,
		`contact.status[1] = "http://a b/" (line 4): not a URI; write blanks and the like as %20`,
		`contact.support[0] = "tel:help" (line 5): not a telephone number; write "tel:+44-20-7946-0018"`,
		`contact.support[1] = "xmpp:@" (line 5): not a chat address; write "xmpp:help@example.org"`,
	}},
	{"[archive]\nretention = '5m'\n[offline]\nmax_age = -1\n[client_state]\nenabled = 'yes'\n", []string{
		`archive.retention = "5m" (line 2): too short; write "1h" or more, or "forever"`,
		`offline.max_age = -1 (line 4): a duration needs a unit; write "0s", or "forever"`,
		`client_state.enabled = "yes" (line 6): not true or false; write true or false, without quotes`,
	}},
	{"[sipgw]\nserver = 'xmpp.example.org:5347'\n", []string{
		`sipgw.server = "xmpp.example.org:5347" (line 2): on another machine, and the protocol has no encryption: who can read the line sees all messages, and the secret is as good as known; let the gateway run beside that server, or, if the line between them is protected, write plaintext = true`,
	}},
	{"[sipgw]\nserver = '127.0.0.1'\nsecret_file = 'f'\nsecret = 'hunter2'\n", []string{
		`sipgw.server = "127.0.0.1" (line 2): not an address; write "127.0.0.1:5347"`,
	}},
	{"[sipgw]\nsecret_file = 'f'\nsecret = 'hunter2'\n", []string{
		`sipgw.secret_file = "f" (line 2): secret is set too; leave one of them out`,
	}},
	{"[sipgw]\nsecret = 'hunter2'\n", []string{
		`sipgw.secret (line 2): short; write 12 characters or more`,
	}},
	{"[storage]\ndriver = 'postgres'\n", []string{
		`storage.dsn (line 1): empty, and storage.driver is postgres; write "postgres://user@host/database"`,
	}},
	{"[storage]\ndriver = 'mysql'\ndsn = 'db.example.org'\n", []string{
		`storage.driver = "mysql" (line 2): not one of the choices; write "sqlite" or "postgres"`,
		`storage.dsn (line 3): not a PostgreSQL address; write "postgres://user@host/database" or "host=… dbname=…"`,
	}},
}

func TestProblems(t *testing.T) {
	for _, tt := range problemTests {
		_, err := Parse("r.toml", []byte(tt.text))
		var p *Problems
		if !errors.As(err, &p) {
			t.Errorf("%s\ngot %v, want %v", tt.text, err, tt.want)
			continue
		}
		var got []string
		for _, problem := range p.List {
			got = append(got, problem.String())
		}
		// The order is that of the lines; the table is written by key where
		// that reads better.
		less := func(a, b string) bool { return a < b }
		if diff := cmp.Diff(tt.want, got, cmpopts.SortSlices(less)); diff != "" {
			t.Errorf("%s\nwant (-), got (+):\n%s", tt.text, diff)
		}
		for i := 1; i < len(p.List); i++ {
			if p.List[i-1].Line > p.List[i].Line {
				t.Errorf("not in the order of lines: %v", got)
			}
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	tests := []struct {
		text string
		line string
	}{
		{"[server]\ndata_dir = \n", "line 2"},
		{"[server]\n\n\ndata_dir = 'a'\ndata_dir = 'b'\n", "line 5"},
		{"[server\n", "line 1"},
		{"[server]\nx = \"\x00\"\n", "line 2"},
	}
	for _, tt := range tests {
		_, err := Parse("r.toml", []byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.line) {
			t.Errorf("%q: got %v, want a problem on %s", tt.text, err, tt.line)
		}
	}
}

func TestErrorNamesTheFile(t *testing.T) {
	_, err := Parse("some.toml", []byte("[log]\nlevel = 1\nformat = 2\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "some.toml: 2 problems\n  log.level = 1 (line 2)") {
		t.Errorf("got %v", err)
	}
	_, err = Parse("some.toml", []byte("[log]\nlevel = 1\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "some.toml: one problem\n") {
		t.Errorf("got %v", err)
	}
}

func TestUnits(t *testing.T) {
	durations := map[string]time.Duration{
		"0s": 0, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "365d": 365 * day, "1d12h": 36 * time.Hour, "2m": 2 * time.Minute, "100ms": 100 * time.Millisecond,
	}
	for s, want := range durations {
		if d, err := parseDuration(s); err != nil || d != want {
			t.Errorf("%s is %v and %v, want %v", s, d, err, want)
		}
		if d, err := parseDuration(formatDuration(want)); err != nil || d != want {
			t.Errorf("%v is written %s and read %v", want, formatDuration(want), d)
		}
	}
	for _, s := range []string{"", "5", "-5s", "+5s", "d", "-1d", "1d-1h", "1.5d", "99999999999d", "1d1d", "200000d"} {
		if d, err := parseDuration(s); err == nil {
			t.Errorf("%q was read as %v", s, d)
		}
	}
	sizes := map[string]int{"0B": 0, "1000B": 1000, "16KiB": 16 << 10, "3MiB": 3 << 20, "1GiB": 1 << 30}
	for s, want := range sizes {
		if n, err := parseSize(s); err != nil || n != want || formatSize(n) != s {
			t.Errorf("%s is %d and %v and written %s", s, n, err, formatSize(n))
		}
	}
	for _, s := range []string{"", "B", "-1B", "1.5MiB", "1 KiB", "1KB", "9999999999GiB", "0x10B"} {
		if n, err := parseSize(s); err == nil {
			t.Errorf("%q was read as %d", s, n)
		}
	}
}

func TestEdits(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"listen", "lisen", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 2}}
	for _, tt := range tests {
		if got := edits(tt.a, tt.b); got != tt.want || edits(tt.b, tt.a) != tt.want {
			t.Errorf("%q to %q: %d edits, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
