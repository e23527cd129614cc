-- The archive keeps a message once. Writing is appending: the index over it is
-- filled behind the commit, in large sorted batches.
CREATE TABLE archive_message (
	id        INTEGER NOT NULL PRIMARY KEY, -- microseconds since 1970, made by the server
	keepers   INTEGER NOT NULL, -- 1 the sender's archive has it, 2 the recipient's
	sender    TEXT NOT NULL, -- full address
	recipient TEXT NOT NULL, -- full address
	stanza    BLOB NOT NULL
) STRICT;

CREATE TABLE archive_index (
	owner INTEGER NOT NULL, -- account.id
	id    INTEGER NOT NULL, -- archive_message.id
	peer  INTEGER NOT NULL, -- hash of the other side's bare address
	PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

-- Numbers that the archive remembers: "indexed" is the highest id in the index.
CREATE TABLE archive_state (
	name  TEXT NOT NULL PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE archive_prefs (
	account INTEGER NOT NULL PRIMARY KEY, -- account.id
	value   TEXT NOT NULL -- JSON
) STRICT;

CREATE TABLE offline_message (
	account INTEGER NOT NULL, -- account.id
	id      INTEGER NOT NULL,
	stored  INTEGER NOT NULL, -- microseconds since 1970
	stanza  BLOB NOT NULL,
	PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
