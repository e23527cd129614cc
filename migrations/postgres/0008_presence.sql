-- What is known of who has presence, for a restart. What presence_log has of a subject
-- is newer.
CREATE TABLE presence_subject (
	subject TEXT   NOT NULL PRIMARY KEY,
	kind    BIGINT NOT NULL,
	version BIGINT NOT NULL,
	state   TEXT   NOT NULL, -- that is shown; empty: none yet
	since   BIGINT NOT NULL, -- when it began, in microseconds since 1970
	last    BIGINT NOT NULL, -- the id of its latest entry in presence_journal; 0: there is none
	said    TEXT   NOT NULL  -- the contributions, as JSON
) WITH (fillfactor = 70);

-- What has changed since presence_subject was written: a row holds all that one
-- transaction has stored, a line for each subject. Changing rows here and there would
-- cost each change a page.
CREATE TABLE presence_log (
	id      BIGINT NOT NULL PRIMARY KEY,
	records TEXT   NOT NULL
);

-- Which states were shown when. Nothing is changed here, only added, and removed when
-- it is old. The entries of a subject are a chain from its last one backwards: an index
-- would cost each change a page.
CREATE TABLE presence_journal (
	id         BIGINT NOT NULL PRIMARY KEY, -- when, in microseconds since 1970, made unique
	prev       BIGINT NOT NULL, -- the id of the subject's entry before; 0: there was none
	subject    TEXT   NOT NULL,
	kind       BIGINT NOT NULL,
	from_state TEXT   NOT NULL, -- empty: nothing was known
	to_state   TEXT   NOT NULL,
	source     TEXT   NOT NULL, -- whose word has made it so; empty: the server
	cause      TEXT   NOT NULL,
	began      BIGINT NOT NULL, -- in microseconds since 1970; 0: unknown
	until      BIGINT NOT NULL  -- when it is planned to end; 0: unknown
);

-- The runs of the program. There is one row.
CREATE TABLE presence_run (
	id    BIGINT NOT NULL PRIMARY KEY,
	epoch BIGINT NOT NULL, -- how many there were
	alive BIGINT NOT NULL  -- when the last one was alive, in microseconds since 1970; 0: never
);

INSERT INTO presence_run (id, epoch, alive) VALUES (1, 0, 0);
