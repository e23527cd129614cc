-- Messages that wait for their recipients.

-- name: put
INSERT INTO offline_message (account, id, stored, stanza) VALUES ($1, $2, $3, $4)
ON CONFLICT (account, id) DO NOTHING;

-- name: drop
DELETE FROM offline_message WHERE account = $1 AND id = $2;

-- name: page
SELECT id, stored, stanza FROM offline_message WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3;

-- name: count
SELECT count(*) FROM offline_message WHERE account = $1;

-- name: next_account
SELECT account FROM offline_message WHERE account > $1 ORDER BY account LIMIT 1;

-- name: expire
DELETE FROM offline_message WHERE account = $1 AND id IN (
	SELECT id FROM offline_message WHERE account = $1 AND id < $2 ORDER BY id LIMIT $3
);
