-- What phones have published of themselves.

-- name: list
SELECT id, resource, event, etag, publisher, content_type, body, since, expires
FROM sip_publication ORDER BY id;

-- name: put
INSERT INTO sip_publication (id, resource, event, etag, publisher, content_type, body, since, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (id) DO UPDATE SET
	resource = excluded.resource, event = excluded.event, etag = excluded.etag,
	publisher = excluded.publisher, content_type = excluded.content_type, body = excluded.body,
	since = excluded.since, expires = excluded.expires;

-- name: drop
DELETE FROM sip_publication WHERE id = $1;
