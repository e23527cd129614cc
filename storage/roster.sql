-- A roster is read as two texts, one for its items and one for its tombstones:
-- $2 stands between the fields and $3 between the rows. Fifty rows that cross
-- from the database one by one cost three times as much.

-- name: load
SELECT a.id, COALESCE(r.version, 0), COALESCE(r.floor, 0),
	(SELECT string_agg(concat_ws($2, contact, name, in_groups, state + 256 * noted, version, left_groups), $3)
		FROM roster_item WHERE account = a.id),
	(SELECT string_agg(concat_ws($2, contact, version), $3)
		FROM roster_tombstone WHERE account = a.id),
	(SELECT count(*) FROM roster_request WHERE account = a.id)
FROM account a LEFT JOIN roster r ON r.account = a.id
WHERE a.jid = $1;

-- name: requests
SELECT contact, stanza FROM roster_request WHERE account = $1;

-- Moves the roster from version $4 to $2. No row: it was not at $4, or there is
-- no such account.
-- name: advance
INSERT INTO roster (account, version, floor)
SELECT id, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM account
WHERE jid = $1 AND (CAST($4 AS BIGINT) = 0
	OR EXISTS (SELECT 1 FROM roster WHERE roster.account = account.id))
ON CONFLICT (account) DO UPDATE SET version = excluded.version, floor = excluded.floor
	WHERE roster.version = CAST($4 AS BIGINT)
RETURNING account;

-- name: put_item
INSERT INTO roster_item (account, contact, name, in_groups, state, version, noted, left_groups)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (account, contact) DO UPDATE SET
	name = excluded.name, in_groups = excluded.in_groups,
	state = excluded.state, version = excluded.version,
	noted = excluded.noted, left_groups = excluded.left_groups;

-- name: drop_item
DELETE FROM roster_item WHERE account = $1 AND contact = $2;

-- name: put_tombstone
INSERT INTO roster_tombstone (account, contact, version) VALUES ($1, $2, $3)
ON CONFLICT (account, contact) DO UPDATE SET version = excluded.version;

-- The contact's tombstone, and those that are too old.
-- name: drop_tombstones
DELETE FROM roster_tombstone WHERE account = $1 AND (contact = $2 OR version <= $3);

-- name: put_request
INSERT INTO roster_request (account, contact, stanza) VALUES ($1, $2, $3)
ON CONFLICT (account, contact) DO UPDATE SET stanza = excluded.stanza;

-- name: drop_request
DELETE FROM roster_request WHERE account = $1 AND contact = $2;
