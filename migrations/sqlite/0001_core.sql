-- Accounts and what is theirs. Times are microseconds since 1970.

-- An id is never given twice, not even after its account is gone.
CREATE TABLE account (
	id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	jid      TEXT NOT NULL UNIQUE,
	created  INTEGER NOT NULL,
	disabled INTEGER NOT NULL DEFAULT 0 -- 1: nobody can log in to it
) STRICT;

-- What verifies a password; the password itself is nowhere.
CREATE TABLE credential (
	account    INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	hash       TEXT NOT NULL, -- the SCRAM mechanism's: "SCRAM-SHA-256"
	salt       BLOB NOT NULL,
	iterations INTEGER NOT NULL,
	stored_key BLOB NOT NULL,
	server_key BLOB NOT NULL,
	PRIMARY KEY (account, hash)
) STRICT, WITHOUT ROWID;

-- An account without a row here never changed its roster: version 0.
CREATE TABLE roster (
	account INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	version INTEGER NOT NULL,
	floor   INTEGER NOT NULL -- tombstones up to this version are forgotten
) STRICT;

CREATE TABLE roster_item (
	account   INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	contact   TEXT NOT NULL,
	name      TEXT NOT NULL,
	in_groups TEXT NOT NULL, -- a JSON list of names, or nothing
	state     INTEGER NOT NULL, -- 1 to, 2 from, 4 the owner asked, 16 approved beforehand
	version   INTEGER NOT NULL, -- the roster's, when the item was last changed
	PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

-- Requests to subscribe that wait for the account's answer.
CREATE TABLE roster_request (
	account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	contact TEXT NOT NULL,
	stanza  BLOB NOT NULL,
	PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

-- Removed items, so that a client can be told what is gone since its version.
CREATE TABLE roster_tombstone (
	account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	contact TEXT NOT NULL,
	version INTEGER NOT NULL,
	PRIMARY KEY (account, contact)
) STRICT, WITHOUT ROWID;

CREATE TABLE vcard (
	account INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	xml     BLOB NOT NULL,
	updated INTEGER NOT NULL
) STRICT;

-- The server's own: secrets that it made at its first start.
CREATE TABLE setting (
	name  TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
