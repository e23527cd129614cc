-- What operators do and want to know. Times are microseconds since 1970.

-- Who did what to whom; the newest has the highest id.
CREATE TABLE audit (
	id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	at      INTEGER NOT NULL,
	who     TEXT NOT NULL, -- a full address, or a user of the machine
	origin  TEXT NOT NULL, -- an IP address, or a word for the command line
	action  TEXT NOT NULL, -- "account.remove"
	subject TEXT NOT NULL, -- addresses with blanks between them
	detail  TEXT NOT NULL, -- values that are no secrets
	outcome TEXT NOT NULL -- nothing if it was done, else why not
) STRICT;

CREATE INDEX audit_at ON audit (at);

-- When an account last logged in. No row: never, as far as is known.
CREATE TABLE account_login (
	account INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	at      INTEGER NOT NULL
) STRICT;

-- The message of the day; at most one row.
CREATE TABLE motd (
	id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
	body    TEXT NOT NULL,
	changed INTEGER NOT NULL -- when it was set; who has seen it since has seen it
) STRICT;

CREATE TABLE motd_shown (
	account INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	at      INTEGER NOT NULL
) STRICT;
