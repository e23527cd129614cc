-- Messages in archives: archive_message holds each once, archive_index says
-- whose archive it is in. See writer.go for how the index is filled.

-- name: put
INSERT INTO archive_message (id, keepers, sender, recipient, stanza) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING;

-- name: index
INSERT INTO archive_index (owner, id, peer) VALUES ($1, $2, $3)
ON CONFLICT (owner, id) DO NOTHING;

-- name: set_indexed
INSERT INTO archive_state (name, value) VALUES ('indexed', $1)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: indexed
SELECT value FROM archive_state WHERE name = 'indexed';

-- name: last
SELECT max(id) FROM (
    SELECT COALESCE(max(id), 0) AS id FROM archive_message
    UNION ALL SELECT COALESCE(max(id), 0) FROM offline_message
) AS ids;

-- name: unindexed
SELECT id, keepers, sender, recipient FROM archive_message WHERE id > $1 ORDER BY id LIMIT $2;

-- Pages. $4 is an address that the other side has, or nothing; $5 its hash; $6
-- what its full addresses begin with, if it is bare. The hash finds candidates;
-- the addresses decide.

-- name: forward
SELECT m.id, m.sender, m.recipient, m.stanza
FROM archive_index i JOIN archive_message m ON m.id = i.id
WHERE i.owner = $1 AND i.id > $2 AND i.id < $3
	AND ($4 = '' OR i.peer = $5 AND (m.sender = $4 OR m.recipient = $4
		OR $6 <> '' AND (substr(m.sender, 1, length($6)) = $6 OR substr(m.recipient, 1, length($6)) = $6)))
ORDER BY i.owner, i.id LIMIT $7 OFFSET $8;

-- name: backward
SELECT m.id, m.sender, m.recipient, m.stanza
FROM archive_index i JOIN archive_message m ON m.id = i.id
WHERE i.owner = $1 AND i.id > $2 AND i.id < $3
	AND ($4 = '' OR i.peer = $5 AND (m.sender = $4 OR m.recipient = $4
		OR $6 <> '' AND (substr(m.sender, 1, length($6)) = $6 OR substr(m.recipient, 1, length($6)) = $6)))
ORDER BY i.owner DESC, i.id DESC LIMIT $7 OFFSET $8;

-- name: count
SELECT count(*) FROM (
	SELECT 1 FROM archive_index WHERE owner = $1 AND id > $2 AND id < $3 LIMIT $4
) AS hits;

-- name: count_with
SELECT count(*) FROM (
	SELECT 1 FROM archive_index i JOIN archive_message m ON m.id = i.id
	WHERE i.owner = $1 AND i.id > $2 AND i.id < $3
		AND i.peer = $5 AND (m.sender = $4 OR m.recipient = $4
			OR $6 <> '' AND (substr(m.sender, 1, length($6)) = $6 OR substr(m.recipient, 1, length($6)) = $6))
	LIMIT $7
) AS hits;

-- name: pick
SELECT m.id, m.sender, m.recipient, m.stanza
FROM archive_index i JOIN archive_message m ON m.id = i.id
WHERE i.owner = $1 AND i.id = $2;

-- name: prefs
SELECT value FROM archive_prefs WHERE account = $1;

-- An account that is gone gets none.
-- name: set_prefs
INSERT INTO archive_prefs (account, value) SELECT id, $2 FROM account WHERE id = $1
ON CONFLICT (account) DO UPDATE SET value = excluded.value;

-- Retention. Index rows go first, so that no page holds a message that is not
-- there any more.

-- name: next_owner
SELECT owner FROM archive_index WHERE owner > $1 ORDER BY owner LIMIT 1;

-- name: sweep_index
DELETE FROM archive_index WHERE owner = $1 AND id IN (
	SELECT id FROM archive_index WHERE owner = $1 AND id < $2 ORDER BY id LIMIT $3
);

-- name: sweep_messages
DELETE FROM archive_message WHERE id IN (
	SELECT id FROM archive_message WHERE id < $1 ORDER BY id LIMIT $2
);
