-- Phones, door intercoms and the like. That no two have the same SIP user is seen
-- to where they are changed: a list may exchange two.
CREATE TABLE device (
	id         TEXT COLLATE "C" NOT NULL PRIMARY KEY, -- what stands before the @ of its address
	name       TEXT NOT NULL,
	class      TEXT NOT NULL,
	site       TEXT NOT NULL,
	critical   BIGINT NOT NULL,
	shared     BIGINT NOT NULL,
	disabled   BIGINT NOT NULL,
	upstream   TEXT NOT NULL, -- the PBX that it is registered at; '': it registers here
	sip_user   TEXT NOT NULL,
	numbers    TEXT NOT NULL, -- with blanks between them
	realm      TEXT NOT NULL, -- that its secret is for
	ha1_md5    TEXT NOT NULL, -- what its secret is checked against, or ''
	ha1_sha256 TEXT NOT NULL
);

-- Whom devices are assigned to. An account that is removed has none.
CREATE TABLE device_owner (
	device  TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
	account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE
);

CREATE INDEX device_owner_account ON device_owner (account);
