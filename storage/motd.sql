-- The message of the day, and who has seen it when.

-- name: get
SELECT body, changed FROM motd WHERE id = 1;

-- name: set
INSERT INTO motd (id, body, changed) VALUES (1, $1, $2)
ON CONFLICT (id) DO UPDATE SET body = excluded.body, changed = excluded.changed;

-- name: edit
UPDATE motd SET body = $1 WHERE id = 1;

-- name: drop
DELETE FROM motd;

-- name: shown
SELECT at FROM motd_shown WHERE account = $1;

-- A row comes back if it was not shown since $3.
-- name: show
INSERT INTO motd_shown (account, at)
SELECT id, CAST($2 AS BIGINT) FROM account WHERE id = $1
ON CONFLICT (account) DO UPDATE SET at = excluded.at
	WHERE motd_shown.at < CAST($3 AS BIGINT)
RETURNING account;
