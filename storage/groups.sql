-- Shared groups: who is in them, and who sees whom by them.

-- name: list
SELECT name, title, everybody, mutual, source FROM shared_group ORDER BY name;

-- name: members
SELECT in_group, jid, name FROM shared_member ORDER BY in_group, jid;

-- name: visible
SELECT shown, to_group FROM shared_visible ORDER BY shown, to_group;

-- name: put
INSERT INTO shared_group (name, title, everybody, mutual, source) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name) DO UPDATE SET
	title = excluded.title, everybody = excluded.everybody,
	mutual = excluded.mutual, source = excluded.source;

-- Its members, and who sees it, go with it.
-- name: drop
DELETE FROM shared_group WHERE name = $1;

-- name: put_member
INSERT INTO shared_member (in_group, jid, name) VALUES ($1, $2, $3)
ON CONFLICT (in_group, jid) DO UPDATE SET name = excluded.name;

-- name: drop_member
DELETE FROM shared_member WHERE in_group = $1 AND jid = $2;

-- An account that is removed is out of all groups.
-- name: drop_account
DELETE FROM shared_member WHERE jid = $1;

-- name: show
INSERT INTO shared_visible (shown, to_group) VALUES ($1, $2)
ON CONFLICT (shown, to_group) DO NOTHING;

-- name: unshow
DELETE FROM shared_visible WHERE shown = $1 AND to_group = $2;
