-- Calls that are over.

-- name: add
INSERT INTO sip_call (id, device, owner, made, peer, began, answered, how, code, cause, why)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO NOTHING;

-- $1 is a device, or whose it was; $3 the id that the page before ended with.
-- name: page
SELECT id, device, owner, made, peer, began, answered, how, code, cause, why FROM (
	SELECT * FROM (SELECT * FROM sip_call WHERE device = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4) AS its
	UNION ALL
	SELECT * FROM (SELECT * FROM sip_call WHERE owner = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4) AS theirs
) AS both_of_them ORDER BY id DESC LIMIT $4;

-- name: expire
DELETE FROM sip_call WHERE id IN (SELECT id FROM sip_call WHERE id < $1 ORDER BY id LIMIT $2);
