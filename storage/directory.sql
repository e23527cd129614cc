-- Accounts that come from a directory of people.

-- name: accounts
SELECT a.jid, a.disabled, CASE WHEN p.account IS NULL THEN 0 ELSE 1 END,
	COALESCE(p.entry, ''), COALESCE(p.name, ''), COALESCE(p.given, ''), COALESCE(p.family, ''), COALESCE(p.mail, ''),
	COALESCE(p.phone, ''), COALESCE(p.title, ''), COALESCE(p.org, ''), COALESCE(p.unit, ''), COALESCE(p.gone, 0)
FROM account a LEFT JOIN directory_person p ON p.account = a.id
WHERE substr(a.jid, length(a.jid) - length($1)) = '@' || $1;

-- name: account
SELECT a.jid, a.disabled, CASE WHEN p.account IS NULL THEN 0 ELSE 1 END,
	COALESCE(p.entry, ''), COALESCE(p.name, ''), COALESCE(p.given, ''), COALESCE(p.family, ''), COALESCE(p.mail, ''),
	COALESCE(p.phone, ''), COALESCE(p.title, ''), COALESCE(p.org, ''), COALESCE(p.unit, ''), COALESCE(p.gone, 0)
FROM account a LEFT JOIN directory_person p ON p.account = a.id
WHERE a.jid = $1;

-- name: add
INSERT INTO directory_person (account, entry, name, given, family, mail, phone, title, org, unit, gone)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0)
ON CONFLICT (account) DO NOTHING;

-- name: update
UPDATE directory_person SET entry = $2, name = $3, given = $4, family = $5, mail = $6,
	phone = $7, title = $8, org = $9, unit = $10, gone = 0
WHERE account = $1;

-- name: vanish
UPDATE directory_person SET gone = $2
WHERE gone = 0 AND account = (SELECT id FROM account WHERE jid = $1);

-- name: leave
DELETE FROM directory_person WHERE account = $1;

-- A vCard that is made of what the directory says takes the place of none, and of
-- the one that was made before: never of one that a person made.
-- name: put_card
INSERT INTO vcard (account, xml, photo, updated) VALUES ($1, $2, '', $3)
ON CONFLICT (account) DO UPDATE SET xml = excluded.xml, photo = '', updated = excluded.updated
WHERE vcard.xml = $4;
