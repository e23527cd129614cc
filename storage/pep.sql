-- What people publish about themselves.

-- name: nodes
SELECT n.id, n.name, n.title, n.type, n.access, n.roster_groups, n.persist, n.max_items, n.send_last, n.notify, n.payloads,
	n.notify_delete, n.notify_retract, (SELECT count(*) FROM pep_item i WHERE i.node = n.id)
FROM pep_node n WHERE n.account = $1 ORDER BY n.name;

-- name: owners
SELECT jid FROM account a WHERE EXISTS (SELECT 1 FROM pep_node n WHERE n.account = a.id);

-- What a removed account was to others' nodes. Whoever gets its address is somebody else.
-- name: drop_person
DELETE FROM pep_affiliation WHERE jid = $1;

-- name: drop_subscriber
DELETE FROM pep_subscription WHERE jid = $1 OR substr(jid, 1, length($1) + 1) = $1 || '/';

-- The last item of each node, and what is in it if that is small.
-- name: last
SELECT i.node, i.id, i.at, CASE WHEN octet_length(i.payload) <= 8192 THEN i.payload ELSE NULL END
FROM pep_node n JOIN pep_item i ON i.node = n.id AND i.seq = (SELECT max(x.seq) FROM pep_item x WHERE x.node = n.id)
WHERE n.account = $1;

-- name: affiliations
SELECT a.node, a.jid, a.kind FROM pep_node n JOIN pep_affiliation a ON a.node = n.id WHERE n.account = $1 ORDER BY a.node, a.jid;

-- name: subscriptions
SELECT s.node, s.jid FROM pep_node n JOIN pep_subscription s ON s.node = n.id WHERE n.account = $1 ORDER BY s.node, s.jid;

-- name: count
SELECT count(*) FROM pep_node WHERE account = $1;

-- name: make
INSERT INTO pep_node (account, name, title, type, access, roster_groups, persist, max_items, send_last, notify, payloads, notify_delete, notify_retract)
SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM account WHERE id = $1
ON CONFLICT (account, name) DO UPDATE SET title = excluded.title, type = excluded.type, access = excluded.access,
	roster_groups = excluded.roster_groups, persist = excluded.persist, max_items = excluded.max_items, send_last = excluded.send_last,
	notify = excluded.notify, payloads = excluded.payloads, notify_delete = excluded.notify_delete, notify_retract = excluded.notify_retract
RETURNING id;

-- name: find
SELECT id FROM pep_node WHERE account = $1 AND name = $2;

-- name: seq
SELECT COALESCE(max(seq), 0) FROM pep_item WHERE node = $1;

-- name: put
INSERT INTO pep_item (node, id, seq, at, payload) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (node, id) DO UPDATE SET seq = excluded.seq, at = excluded.at, payload = excluded.payload;

-- All but the last so many.
-- name: trim
DELETE FROM pep_item WHERE node = $1 AND seq <= COALESCE((SELECT x.seq FROM pep_item x WHERE x.node = $1 ORDER BY x.seq DESC LIMIT 1 OFFSET $2), -1);

-- name: retract
DELETE FROM pep_item WHERE node = $1 AND id = $2;

-- name: purge
DELETE FROM pep_item WHERE node = $1;

-- name: delete
DELETE FROM pep_node WHERE id = $1;

-- name: affiliate
INSERT INTO pep_affiliation (node, jid, kind) VALUES ($1, $2, $3) ON CONFLICT (node, jid) DO UPDATE SET kind = excluded.kind;

-- name: disaffiliate
DELETE FROM pep_affiliation WHERE node = $1 AND jid = $2;

-- name: subscribe
INSERT INTO pep_subscription (node, jid) VALUES ($1, $2) ON CONFLICT (node, jid) DO NOTHING;

-- name: unsubscribe
DELETE FROM pep_subscription WHERE node = $1 AND jid = $2;

-- All items, members and outcasts of an account, with so much for each.
-- name: size
SELECT (SELECT COALESCE(sum(octet_length(i.payload) + octet_length(i.id)), 0) + $2 * count(*)
		FROM pep_node n JOIN pep_item i ON i.node = n.id WHERE n.account = $1)
	+ (SELECT COALESCE(sum(octet_length(a.jid)), 0) + $2 * count(*)
		FROM pep_node n JOIN pep_affiliation a ON a.node = n.id WHERE n.account = $1);

-- name: items
SELECT id, at, payload FROM pep_item WHERE node = $1 ORDER BY seq DESC LIMIT $2;

-- name: item
SELECT at, payload FROM pep_item WHERE node = $1 AND id = $2;

-- name: item_count
SELECT count(*) FROM pep_item WHERE node = $1;
