-- Accounts and what verifies their passwords.

-- name: id
SELECT id FROM account WHERE jid = $1;

-- name: get
SELECT a.id, a.jid, a.created, a.disabled, COALESCE(l.at, 0),
	CASE WHEN p.account IS NULL THEN 0 ELSE 1 END, COALESCE(p.gone, 0)
FROM account a LEFT JOIN account_login l ON l.account = a.id LEFT JOIN directory_person p ON p.account = a.id
WHERE a.jid = $1;

-- name: list
SELECT a.id, a.jid, a.created, a.disabled, COALESCE(l.at, 0),
	CASE WHEN p.account IS NULL THEN 0 ELSE 1 END, COALESCE(p.gone, 0)
FROM account a LEFT JOIN account_login l ON l.account = a.id LEFT JOIN directory_person p ON p.account = a.id
WHERE a.jid > $1 ORDER BY a.jid LIMIT $2;

-- name: list_disabled
SELECT a.id, a.jid, a.created, a.disabled, COALESCE(l.at, 0),
	CASE WHEN p.account IS NULL THEN 0 ELSE 1 END, COALESCE(p.gone, 0)
FROM account a LEFT JOIN account_login l ON l.account = a.id LEFT JOIN directory_person p ON p.account = a.id
WHERE a.jid > $1 AND (a.disabled <> 0 OR p.gone <> 0) ORDER BY a.jid LIMIT $2;

-- name: everybody
SELECT jid FROM account ORDER BY jid;

-- name: count
SELECT count(*) FROM account;

-- name: count_disabled
SELECT count(*) FROM account a LEFT JOIN directory_person p ON p.account = a.id
WHERE a.disabled <> 0 OR p.gone <> 0;

-- Nobody logs in to an account that an operator disabled, or whose person is not in
-- the directory that it comes from.
-- name: admit
SELECT CASE WHEN a.disabled <> 0 OR COALESCE(p.gone, 0) <> 0 THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM privacy WHERE account = a.id) THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM vcard WHERE account = a.id) THEN 1 ELSE 0 END
FROM account a LEFT JOIN directory_person p ON p.account = a.id WHERE a.id = $1;

-- name: hashes
SELECT hash FROM credential WHERE account = $1 ORDER BY hash;

-- name: logged_in
INSERT INTO account_login (account, at)
SELECT id, CAST($2 AS BIGINT) FROM account WHERE id = $1
ON CONFLICT (account) DO UPDATE SET at = excluded.at
	WHERE excluded.at > account_login.at;

-- name: create
INSERT INTO account (jid, created, disabled) VALUES ($1, $2, 0)
ON CONFLICT (jid) DO NOTHING
RETURNING id;

-- name: disable
UPDATE account SET disabled = $2 WHERE jid = $1;

-- What refers to an account by a foreign key goes with it.
-- name: delete
DELETE FROM account WHERE id = $1;

-- name: drop_offline
DELETE FROM offline_message WHERE account = $1;

-- name: drop_prefs
DELETE FROM archive_prefs WHERE account = $1;

-- A message leaves the account's archive: keepers loses the bit of each side
-- that the account was. Messages that are not in the index yet are looked
-- through one by one; they are few.
-- name: leave_archive
UPDATE archive_message SET keepers = keepers
	& CASE WHEN sender = $2 OR substr(sender, 1, length($2) + 1) = $2 || '/' THEN 2 ELSE 3 END
	& CASE WHEN recipient = $2 OR substr(recipient, 1, length($2) + 1) = $2 || '/' THEN 1 ELSE 3 END
WHERE id IN (SELECT id FROM archive_index WHERE owner = $1)
	OR id > (SELECT COALESCE(max(value), 0) FROM archive_state WHERE name = 'indexed');

-- name: drop_unkept
DELETE FROM archive_message
WHERE keepers = 0 AND (id IN (SELECT id FROM archive_index WHERE owner = $1)
	OR id > (SELECT COALESCE(max(value), 0) FROM archive_state WHERE name = 'indexed'));

-- name: drop_index
DELETE FROM archive_index WHERE owner = $1;

-- The password of an account that comes from a directory is there: keys that came
-- with an import are of no account.
-- name: keys
SELECT c.salt, c.iterations, c.stored_key, c.server_key
FROM account a JOIN credential c ON c.account = a.id
WHERE a.jid = $1 AND c.hash = $2
	AND NOT EXISTS (SELECT 1 FROM directory_person p WHERE p.account = a.id);

-- name: lacking
SELECT count(*) FROM account a
WHERE a.disabled = 0 AND EXISTS (SELECT 1 FROM credential c WHERE c.account = a.id)
	AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.account = a.id AND c.hash = $1);

-- name: put_keys
INSERT INTO credential (account, hash, salt, iterations, stored_key, server_key)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account, hash) DO UPDATE SET
	salt = excluded.salt, iterations = excluded.iterations,
	stored_key = excluded.stored_key, server_key = excluded.server_key;

-- name: drop_keys
DELETE FROM credential WHERE account = $1;
