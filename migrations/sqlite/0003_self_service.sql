-- What people keep on the server for themselves, and how they are found.

-- Elements that clients keep (XEP-0049), those of one namespace in a row.
CREATE TABLE private_xml (
	account   INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	namespace TEXT NOT NULL,
	xml       BLOB NOT NULL,
	PRIMARY KEY (account, namespace)
) STRICT, WITHOUT ROWID;

-- When the last session of an account ended. An account without a row here was
-- never connected since there is this table.
CREATE TABLE last_activity (
	account INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	ended   INTEGER NOT NULL,
	status  TEXT NOT NULL -- what it said goodbye with
) STRICT;

-- SHA-1 of the picture in the vCard in hexadecimal digits, empty if there is
-- none; a question mark while nobody has looked.
ALTER TABLE vcard ADD COLUMN photo TEXT NOT NULL DEFAULT '?';

-- What a search shows of an account. The words that it is found by are in
-- search_word; without any it is not found.
CREATE TABLE search_entry (
	account INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	version INTEGER NOT NULL, -- of the rules by which the words were made
	domain  TEXT NOT NULL,
	name    TEXT NOT NULL,
	given   TEXT NOT NULL,
	family  TEXT NOT NULL,
	nick    TEXT NOT NULL,
	email   TEXT NOT NULL,
	unit    TEXT NOT NULL
) STRICT;

CREATE TABLE search_word (
	account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	word    TEXT NOT NULL, -- in lower case, without accents
	fields  INTEGER NOT NULL, -- in which fields it stands, a bit for each
	PRIMARY KEY (account, word)
) STRICT, WITHOUT ROWID;

CREATE INDEX search_word_begins ON search_word (word, account);
