-- The calls that are up, so that they are known after a restart. Times are in
-- microseconds since 1970.
CREATE TABLE sip_dialog (
	id        INTEGER NOT NULL PRIMARY KEY,
	call_id   TEXT NOT NULL,
	began     INTEGER NOT NULL,
	answered  INTEGER NOT NULL,
	session   INTEGER NOT NULL, -- the interval of its session timer, in microseconds; or 0
	refreshed INTEGER NOT NULL
) STRICT;

-- Their two ends.
CREATE TABLE sip_dialog_end (
	dialog    INTEGER NOT NULL REFERENCES sip_dialog (id) ON DELETE CASCADE,
	side      INTEGER NOT NULL, -- 0 has called, 1 has answered
	device    TEXT NOT NULL, -- its id, or '' for what is not registered here
	aor       TEXT NOT NULL, -- user@host, or ''
	binding   INTEGER NOT NULL, -- of sip_binding, or 0
	label     TEXT NOT NULL, -- of the dialog in documents about the device, or ''
	header    TEXT NOT NULL, -- From or To, with the tag
	identity  TEXT NOT NULL,
	display   TEXT NOT NULL,
	contact   TEXT NOT NULL,
	routes    TEXT NOT NULL, -- a line for each address
	cseq      INTEGER NOT NULL, -- of its last request
	held      INTEGER NOT NULL, -- 1: it does not play what it receives
	since     INTEGER NOT NULL, -- that, or the call
	transport INTEGER NOT NULL, -- 0 udp, 1 tcp, 2 tls, 3 ws, 4 wss
	remote    TEXT NOT NULL, -- address and port, or ''
	local     TEXT NOT NULL, -- the socket, or ''
	PRIMARY KEY (dialog, side)
) STRICT, WITHOUT ROWID;
