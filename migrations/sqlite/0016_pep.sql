-- What people publish about themselves (XEP-0163). Times are in microseconds since
-- 1970.
CREATE TABLE pep_node (
	id             INTEGER NOT NULL PRIMARY KEY,
	account        INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	name           TEXT NOT NULL,
	title          TEXT NOT NULL,
	type           TEXT NOT NULL,
	access         TEXT NOT NULL,    -- 'open', 'presence', 'roster' or 'whitelist'
	roster_groups  TEXT NOT NULL,    -- a line for each
	persist        INTEGER NOT NULL, -- 0 or 1, as all that follow but for two
	max_items      INTEGER NOT NULL, -- 0 is as many as there may be
	send_last      TEXT NOT NULL,    -- 'never', 'on_sub' or 'on_sub_and_presence'
	notify         INTEGER NOT NULL,
	payloads       INTEGER NOT NULL,
	notify_delete  INTEGER NOT NULL,
	notify_retract INTEGER NOT NULL,
	UNIQUE (account, name)
) STRICT;

CREATE TABLE pep_item (
	node    INTEGER NOT NULL REFERENCES pep_node (id) ON DELETE CASCADE,
	id      TEXT NOT NULL,
	seq     INTEGER NOT NULL, -- rises with each that is published
	at      INTEGER NOT NULL,
	payload BLOB NOT NULL,
	PRIMARY KEY (node, id)
) STRICT;

CREATE INDEX pep_item_in_order ON pep_item (node, seq);

-- Members and outcasts.
CREATE TABLE pep_affiliation (
	node INTEGER NOT NULL REFERENCES pep_node (id) ON DELETE CASCADE,
	jid  TEXT NOT NULL,
	kind TEXT NOT NULL, -- 'member' or 'outcast'
	PRIMARY KEY (node, jid)
) STRICT, WITHOUT ROWID;

CREATE TABLE pep_subscription (
	node INTEGER NOT NULL REFERENCES pep_node (id) ON DELETE CASCADE,
	jid  TEXT NOT NULL, -- bare or full
	PRIMARY KEY (node, jid)
) STRICT, WITHOUT ROWID;
