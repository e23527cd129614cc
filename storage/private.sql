-- What clients keep for themselves.

-- name: get
SELECT xml FROM private_xml WHERE account = $1 AND namespace = $2;

-- name: put
INSERT INTO private_xml (account, namespace, xml)
SELECT id, $2, $3 FROM account WHERE id = $1
ON CONFLICT (account, namespace) DO UPDATE SET xml = excluded.xml;

-- name: drop
DELETE FROM private_xml WHERE account = $1 AND namespace = $2;

-- name: size
SELECT COALESCE(sum(octet_length(xml) + octet_length(namespace)), 0) FROM private_xml WHERE account = $1;
