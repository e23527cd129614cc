-- Accounts whole, for moving them from one server to another. What is not here
-- is read and written by the queries of the things themselves.

-- name: keys
SELECT hash, salt, iterations, stored_key, server_key FROM credential WHERE account = $1 ORDER BY hash;

-- Whether an account comes from a directory.
-- name: elsewhere
SELECT 1 FROM directory_person WHERE account = $1;

-- name: create
INSERT INTO account (jid, created, disabled) VALUES ($1, $2, $3)
RETURNING id;

-- name: contacts
SELECT contact, name, in_groups, state, noted, left_groups FROM roster_item WHERE account = $1;

-- name: requests
SELECT contact FROM roster_request WHERE account = $1;

-- name: drop_items
DELETE FROM roster_item WHERE account = $1;

-- name: drop_tombstones
DELETE FROM roster_tombstone WHERE account = $1;

-- name: drop_requests
DELETE FROM roster_request WHERE account = $1;

-- Where a roster is. Nobody else changes it until the transaction ends.
-- name: roster_at
INSERT INTO roster (account, version, floor) VALUES ($1, 0, 0)
ON CONFLICT (account) DO UPDATE SET version = roster.version
RETURNING version, floor;

-- name: roster_to
UPDATE roster SET version = $2, floor = $3 WHERE account = $1;

-- name: vcard
SELECT xml FROM vcard WHERE account = $1;

-- Where the privacy lists are. Nobody else changes them until the transaction
-- ends.
-- name: privacy_at
INSERT INTO privacy (account, version, default_list) VALUES ($1, 0, '')
ON CONFLICT (account) DO UPDATE SET version = privacy.version
RETURNING version, default_list;

-- name: privacy_to
UPDATE privacy SET version = $2, default_list = $3 WHERE account = $1;

-- name: pep
SELECT id, name FROM pep_node WHERE account = $1;

-- name: private
SELECT namespace, xml FROM private_xml WHERE account = $1 ORDER BY namespace;

-- name: waiting
SELECT stanza FROM offline_message WHERE account = $1 AND id = $2;

-- name: message
SELECT sender, recipient, stanza FROM archive_message WHERE id = $1;

-- One more archive has a message.
-- name: also_kept
UPDATE archive_message SET keepers = keepers | CAST($2 AS BIGINT) WHERE id = $1;
