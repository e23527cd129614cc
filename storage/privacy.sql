-- name: load
SELECT a.id, COALESCE(p.version, 0), COALESCE(p.default_list, '')
FROM account a LEFT JOIN privacy p ON p.account = a.id
WHERE a.jid = $1;

-- name: lists
SELECT name, items FROM privacy_list WHERE account = $1;

-- Moves the lists from version $4 to $2. No row: they were not at $4, or there is
-- no such account.
-- name: advance
INSERT INTO privacy (account, version, default_list)
SELECT id, CAST($2 AS BIGINT), CAST($3 AS TEXT) FROM account
WHERE jid = $1 AND (CAST($4 AS BIGINT) = 0
	OR EXISTS (SELECT 1 FROM privacy WHERE privacy.account = account.id))
ON CONFLICT (account) DO UPDATE SET version = excluded.version, default_list = excluded.default_list
	WHERE privacy.version = CAST($4 AS BIGINT)
RETURNING account;

-- name: put_list
INSERT INTO privacy_list (account, name, items) VALUES ($1, $2, $3)
ON CONFLICT (account, name) DO UPDATE SET items = excluded.items;

-- name: drop_list
DELETE FROM privacy_list WHERE account = $1 AND name = $2;
