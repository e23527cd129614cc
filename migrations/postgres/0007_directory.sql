-- Accounts that come from a directory of people, and what it said of them when it
-- was last read. An account without a row here was made here.
CREATE TABLE directory_person (
	account BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	entry   TEXT NOT NULL, -- names the entry there for good; empty if nothing does
	name    TEXT NOT NULL,
	given   TEXT NOT NULL,
	family  TEXT NOT NULL,
	mail    TEXT NOT NULL,
	phone   TEXT NOT NULL,
	title   TEXT NOT NULL,
	org     TEXT NOT NULL,
	unit    TEXT NOT NULL,
	gone    BIGINT NOT NULL -- when the person was first missed, in microseconds since 1970; 0: they are there
);
