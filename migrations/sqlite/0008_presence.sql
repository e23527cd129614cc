-- What is known of who has presence, for a restart. What presence_log has of a subject
-- is newer.
CREATE TABLE presence_subject (
	subject TEXT    NOT NULL PRIMARY KEY,
	kind    INTEGER NOT NULL,
	version INTEGER NOT NULL,
	state   TEXT    NOT NULL, -- that is shown; empty: none yet
	since   INTEGER NOT NULL, -- when it began, in microseconds since 1970
	last    INTEGER NOT NULL, -- the id of its latest entry in presence_journal; 0: there is none
	said    TEXT    NOT NULL  -- the contributions, as JSON
) STRICT, WITHOUT ROWID;

-- What has changed since presence_subject was written: a row holds all that one
-- transaction has stored, a line for each subject. Changing rows here and there would
-- cost each change a page.
CREATE TABLE presence_log (
	id      INTEGER NOT NULL PRIMARY KEY,
	records TEXT    NOT NULL
) STRICT;

-- Which states were shown when. Nothing is changed here, only added, and removed when
-- it is old. The entries of a subject are a chain from its last one backwards: an index
-- would cost each change a page.
CREATE TABLE presence_journal (
	id         INTEGER NOT NULL PRIMARY KEY, -- when, in microseconds since 1970, made unique
	prev       INTEGER NOT NULL, -- the id of the subject's entry before; 0: there was none
	subject    TEXT    NOT NULL,
	kind       INTEGER NOT NULL,
	from_state TEXT    NOT NULL, -- empty: nothing was known
	to_state   TEXT    NOT NULL,
	source     TEXT    NOT NULL, -- whose word has made it so; empty: the server
	cause      TEXT    NOT NULL,
	began      INTEGER NOT NULL, -- in microseconds since 1970; 0: unknown
	until      INTEGER NOT NULL  -- when it is planned to end; 0: unknown
) STRICT;

-- The runs of the program. There is one row.
CREATE TABLE presence_run (
	id    INTEGER NOT NULL PRIMARY KEY,
	epoch INTEGER NOT NULL, -- how many there were
	alive INTEGER NOT NULL  -- when the last one was alive, in microseconds since 1970; 0: never
) STRICT;

INSERT INTO presence_run (id, epoch, alive) VALUES (1, 0, 0);
