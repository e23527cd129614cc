-- name: get
SELECT v.xml FROM account a JOIN vcard v ON v.account = a.id WHERE a.jid = $1;

-- name: put
INSERT INTO vcard (account, xml, photo, updated) VALUES ($1, $2, $3, $4)
ON CONFLICT (account) DO UPDATE SET xml = excluded.xml, photo = excluded.photo, updated = excluded.updated;

-- name: photo
SELECT photo FROM vcard WHERE account = $1;

-- name: of
SELECT xml FROM vcard WHERE account = $1;

-- Unless somebody set another one meanwhile.
-- name: put_photo
UPDATE vcard SET photo = $2 WHERE account = $1 AND photo = '?';
