-- Privacy lists (XEP-0016), the blocklist among them. An account without a row
-- here never had any: version 0.
CREATE TABLE privacy (
	account      BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	version      BIGINT NOT NULL,
	default_list TEXT NOT NULL -- its name, or nothing
);

CREATE TABLE privacy_list (
	account BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	name    TEXT COLLATE "C" NOT NULL,
	items   TEXT NOT NULL, -- JSON
	PRIMARY KEY (account, name)
);
