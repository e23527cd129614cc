-- The calls that are over. Times are in microseconds since 1970.
CREATE TABLE sip_call (
	id       INTEGER NOT NULL PRIMARY KEY, -- when it ended
	device   TEXT NOT NULL, -- its address
	owner    TEXT NOT NULL, -- the account that it was assigned to then, or ''
	made     INTEGER NOT NULL, -- 1: the device has called, 0: it was called
	peer     TEXT NOT NULL, -- the other end
	began    INTEGER NOT NULL,
	answered INTEGER NOT NULL, -- 0: it was not
	how      TEXT NOT NULL, -- an event of RFC 4235, or ''
	code     INTEGER NOT NULL, -- a SIP status, or 0
	cause    TEXT NOT NULL, -- audit, reboot, or ''
	why      TEXT NOT NULL -- in words, or ''
) STRICT;
CREATE INDEX sip_call_device ON sip_call (device, id);
CREATE INDEX sip_call_owner ON sip_call (owner, id) WHERE owner <> '';
