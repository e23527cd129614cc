-- Where devices can be reached: the bindings of the SIP registrar. Times are in
-- microseconds since 1970.
CREATE TABLE sip_binding (
	id         INTEGER NOT NULL PRIMARY KEY,
	aor        TEXT NOT NULL, -- user@host
	contact    TEXT NOT NULL, -- a URI
	params     TEXT NOT NULL, -- of the contact, as they were written
	q          INTEGER NOT NULL, -- in thousandths
	instance   TEXT NOT NULL, -- or ''
	reg_id     INTEGER NOT NULL, -- or 0
	path       TEXT NOT NULL, -- a line for each address
	call_id    TEXT NOT NULL,
	cseq       INTEGER NOT NULL,
	user_agent TEXT NOT NULL,
	transport  INTEGER NOT NULL, -- 0 udp, 1 tcp, 2 tls, 3 ws, 4 wss
	remote     TEXT NOT NULL, -- address and port, or ''
	local      TEXT NOT NULL, -- the socket, or ''
	created    INTEGER NOT NULL,
	refreshed  INTEGER NOT NULL,
	expires    INTEGER NOT NULL
) STRICT;

-- What phones publish of themselves (RFC 3903).
CREATE TABLE sip_publication (
	id           INTEGER NOT NULL PRIMARY KEY,
	resource     TEXT NOT NULL, -- that it is about: user@host
	event        TEXT NOT NULL, -- the event package
	etag         TEXT NOT NULL,
	publisher    TEXT NOT NULL, -- who has proved to be that
	content_type TEXT NOT NULL,
	body         BLOB NOT NULL,
	since        INTEGER NOT NULL,
	expires      INTEGER NOT NULL
) STRICT;
