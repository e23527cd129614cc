-- Privacy lists (XEP-0016), the blocklist among them. An account without a row
-- here never had any: version 0.
CREATE TABLE privacy (
	account      INTEGER NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	version      INTEGER NOT NULL,
	default_list TEXT NOT NULL -- its name, or nothing
) STRICT;

CREATE TABLE privacy_list (
	account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	name    TEXT NOT NULL,
	items   TEXT NOT NULL, -- JSON
	PRIMARY KEY (account, name)
) STRICT, WITHOUT ROWID;
