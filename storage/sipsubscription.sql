-- What phones have subscribed to.

-- name: list
SELECT id, expires, cseq, version, theirs, sip_user, entity, event, event_id, pace, content_type, profile,
	lang, phone, call_id, local_tag, remote_tag, from_header, to_header, target, routes, transport,
	remote, local
FROM sip_subscription ORDER BY id;

-- name: put
INSERT INTO sip_subscription (id, expires, cseq, version, theirs, sip_user, entity, event, event_id, pace, content_type, profile,
	lang, phone, call_id, local_tag, remote_tag, from_header, to_header, target, routes, transport,
	remote, local)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
	$23, $24)
ON CONFLICT (id) DO UPDATE SET
	expires = excluded.expires, cseq = excluded.cseq, version = excluded.version,
	theirs = excluded.theirs, target = excluded.target, transport = excluded.transport,
	remote = excluded.remote, local = excluded.local;

-- name: drop
DELETE FROM sip_subscription WHERE id = $1;
