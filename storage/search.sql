-- Who is found by what.

-- The terms: from, to and fields of each. The first is always there; the others
-- are empty where there are fewer.
-- name: find
SELECT a.jid, e.name, e.given, e.family, e.nick, e.email, e.unit
FROM search_entry e JOIN account a ON a.id = e.account
WHERE e.domain = $1 AND a.disabled = 0
	AND e.account IN (SELECT account FROM search_word WHERE word >= $3 AND word < $4 AND (fields & $5) <> 0)
	AND ($6 = '' OR EXISTS (SELECT 1 FROM search_word w
		WHERE w.account = e.account AND w.word >= $6 AND w.word < $7 AND (w.fields & $8) <> 0))
	AND ($9 = '' OR EXISTS (SELECT 1 FROM search_word w
		WHERE w.account = e.account AND w.word >= $9 AND w.word < $10 AND (w.fields & $11) <> 0))
	AND ($12 = '' OR EXISTS (SELECT 1 FROM search_word w
		WHERE w.account = e.account AND w.word >= $12 AND w.word < $13 AND (w.fields & $14) <> 0))
	AND ($15 = '' OR EXISTS (SELECT 1 FROM search_word w
		WHERE w.account = e.account AND w.word >= $15 AND w.word < $16 AND (w.fields & $17) <> 0))
ORDER BY a.jid LIMIT $2;

-- name: put
INSERT INTO search_entry (account, version, domain, name, given, family, nick, email, unit)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (account) DO UPDATE SET version = excluded.version, domain = excluded.domain, name = excluded.name,
	given = excluded.given, family = excluded.family, nick = excluded.nick, email = excluded.email, unit = excluded.unit;

-- Unless somebody was faster, who has seen a newer vCard then.
-- name: fill
INSERT INTO search_entry (account, version, domain, name, given, family, nick, email, unit)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (account) DO UPDATE SET version = excluded.version, domain = excluded.domain, name = excluded.name,
	given = excluded.given, family = excluded.family, nick = excluded.nick, email = excluded.email, unit = excluded.unit
WHERE search_entry.version <> excluded.version;

-- name: drop_words
DELETE FROM search_word WHERE account = $1;

-- name: put_word
INSERT INTO search_word (account, word, fields) VALUES ($1, $2, $3);

-- name: lacking
SELECT a.id, a.jid, v.xml
FROM account a LEFT JOIN search_entry e ON e.account = a.id LEFT JOIN vcard v ON v.account = a.id
WHERE e.account IS NULL OR e.version <> $1
ORDER BY a.id LIMIT $2;
