-- The archive keeps a message once. Writing is appending: the index over it is
-- filled behind the commit, in large sorted batches.
CREATE TABLE archive_message (
	id        BIGINT NOT NULL PRIMARY KEY, -- microseconds since 1970, made by the server
	keepers   SMALLINT NOT NULL, -- 1 the sender's archive has it, 2 the recipient's
	sender    TEXT NOT NULL, -- full address
	recipient TEXT NOT NULL, -- full address
	stanza    BYTEA NOT NULL
);

CREATE TABLE archive_index (
	owner BIGINT NOT NULL, -- account.id
	id    BIGINT NOT NULL, -- archive_message.id
	peer  BIGINT NOT NULL, -- hash of the other side's bare address
	PRIMARY KEY (owner, id)
);

-- Numbers that the archive remembers: "indexed" is the highest id in the index.
CREATE TABLE archive_state (
	name  TEXT NOT NULL PRIMARY KEY,
	value BIGINT NOT NULL
);

CREATE TABLE archive_prefs (
	account BIGINT NOT NULL PRIMARY KEY, -- account.id
	value   TEXT NOT NULL -- JSON
);

CREATE TABLE offline_message (
	account BIGINT NOT NULL, -- account.id
	id      BIGINT NOT NULL,
	stored  BIGINT NOT NULL, -- microseconds since 1970
	stanza  BYTEA NOT NULL,
	PRIMARY KEY (account, id)
);
