-- What phones have subscribed to (RFC 6665).
CREATE TABLE sip_subscription (
	id           BIGINT NOT NULL PRIMARY KEY,
	expires      BIGINT NOT NULL, -- in microseconds since 1970
	cseq         BIGINT NOT NULL, -- no NOTIFY had a higher one
	version      BIGINT NOT NULL, -- no document had a higher one
	theirs       BIGINT NOT NULL, -- the CSeq of the last SUBSCRIBE
	sip_user     TEXT NOT NULL, -- who has subscribed
	entity       TEXT NOT NULL, -- the URI that they have subscribed to
	event        TEXT NOT NULL, -- the event package
	event_id     TEXT NOT NULL,
	pace         BIGINT NOT NULL, -- the least time between notifications, in microseconds
	content_type TEXT NOT NULL, -- of the documents
	profile      TEXT NOT NULL, -- of the make of the phone
	lang         TEXT NOT NULL,
	phone        TEXT NOT NULL, -- its instance, or its contact at first
	call_id      TEXT NOT NULL,
	local_tag    TEXT NOT NULL,
	remote_tag   TEXT NOT NULL,
	from_header  TEXT NOT NULL, -- of a NOTIFY
	to_header    TEXT NOT NULL,
	target       TEXT NOT NULL, -- the URI of the contact
	routes       TEXT NOT NULL, -- a line for each
	transport    SMALLINT NOT NULL, -- 0 udp, 1 tcp, 2 tls, 3 ws, 4 wss
	remote       TEXT NOT NULL, -- address and port, or ''
	local        TEXT NOT NULL -- the socket, or ''
);
