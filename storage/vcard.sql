-- name: get
SELECT v.xml FROM account a JOIN vcard v ON v.account = a.id WHERE a.jid = $1;

-- name: put
INSERT INTO vcard (account, xml, updated)
SELECT id, $2, $3 FROM account WHERE jid = $1
ON CONFLICT (account) DO UPDATE SET xml = excluded.xml, updated = excluded.updated;
