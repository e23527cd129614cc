-- Where devices can be reached.

-- name: list
SELECT id, aor, contact, params, q, instance, reg_id, path, call_id, cseq, user_agent,
	transport, remote, local, created, refreshed, expires
FROM sip_binding ORDER BY id;

-- name: put
INSERT INTO sip_binding (id, aor, contact, params, q, instance, reg_id, path, call_id, cseq, user_agent,
	transport, remote, local, created, refreshed, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (id) DO UPDATE SET
	aor = excluded.aor, contact = excluded.contact, params = excluded.params, q = excluded.q,
	instance = excluded.instance, reg_id = excluded.reg_id, path = excluded.path,
	call_id = excluded.call_id, cseq = excluded.cseq, user_agent = excluded.user_agent,
	transport = excluded.transport, remote = excluded.remote, local = excluded.local,
	created = excluded.created, refreshed = excluded.refreshed, expires = excluded.expires;

-- name: drop
DELETE FROM sip_binding WHERE id = $1;
