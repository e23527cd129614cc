-- Groups that the operator, or a directory, puts people into: their members see
-- one another, or are seen by the members of other groups, in their rosters.
CREATE TABLE shared_group (
	name      TEXT NOT NULL PRIMARY KEY, -- that the operator calls it by
	title     TEXT NOT NULL, -- that people see
	everybody INTEGER NOT NULL, -- 1: all accounts belong to it
	mutual    INTEGER NOT NULL, -- 1: its members see one another
	source    TEXT NOT NULL -- '' for the operator, or what keeps it
) STRICT, WITHOUT ROWID;

-- A member need not have an account here.
CREATE TABLE shared_member (
	in_group TEXT NOT NULL REFERENCES shared_group (name) ON DELETE CASCADE,
	jid      TEXT NOT NULL,
	name     TEXT NOT NULL, -- for people, or ''
	PRIMARY KEY (in_group, jid)
) STRICT, WITHOUT ROWID;

CREATE INDEX shared_member_jid ON shared_member (jid);

-- The members of to_group see those of the group shown.
CREATE TABLE shared_visible (
	shown    TEXT NOT NULL REFERENCES shared_group (name) ON DELETE CASCADE,
	to_group TEXT NOT NULL REFERENCES shared_group (name) ON DELETE CASCADE,
	PRIMARY KEY (shown, to_group)
) STRICT, WITHOUT ROWID;

-- 1: the owner never added the contact, the item only says what he calls somebody
-- whom a shared group shows.
ALTER TABLE roster_item ADD COLUMN noted INTEGER NOT NULL DEFAULT 0;

-- Titles of shared groups that the owner took the contact out of: a JSON list, or
-- nothing.
ALTER TABLE roster_item ADD COLUMN left_groups TEXT NOT NULL DEFAULT '';
