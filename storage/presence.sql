-- What is known of who has presence, and what was. The entries of a subject in the
-- journal are a chain from its last one backwards.

-- name: begin
UPDATE presence_run SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch, alive;

-- name: alive
UPDATE presence_run SET alive = $1 WHERE id = 1 AND alive < $1;

-- name: subjects
SELECT subject, kind, version, state, since, last, said FROM presence_subject;

-- name: put
INSERT INTO presence_subject (subject, kind, version, state, since, last, said)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (subject) DO UPDATE SET kind = excluded.kind, version = excluded.version, state = excluded.state,
	since = excluded.since, last = excluded.last, said = excluded.said;

-- Whoever is at work on presence_log keeps others out with this.
-- name: lock
UPDATE presence_run SET epoch = epoch WHERE id = 1;

-- name: append
INSERT INTO presence_log (id, records) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM presence_log), $1);

-- name: log
SELECT id, records FROM presence_log ORDER BY id;

-- name: logged
SELECT count(*) FROM presence_log;

-- name: clear
DELETE FROM presence_log;

-- name: drop
DELETE FROM presence_subject WHERE subject = $1;

-- name: note
INSERT INTO presence_journal (id, prev, subject, kind, from_state, to_state, source, cause, began, until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: latest
SELECT coalesce(max(id), 0) FROM presence_journal;

-- name: last
SELECT last FROM presence_subject WHERE subject = $1;

-- name: state
SELECT kind, state, since, last FROM presence_subject WHERE subject = $1;

-- $1 is where the chain of subject $2 begins. Found are those from $3 to before $4, so
-- many as $5.
-- name: chain
WITH RECURSIVE chain (id, prev, hits) AS (
	SELECT id, prev, CASE WHEN id < $4 THEN 1 ELSE 0 END
	FROM presence_journal WHERE id = $1 AND subject = $2
	UNION ALL
	SELECT j.id, j.prev, chain.hits + CASE WHEN j.id < $4 THEN 1 ELSE 0 END
	FROM chain JOIN presence_journal j ON j.id = chain.prev
	WHERE j.id >= $3 AND chain.hits < $5
)
SELECT j.id, j.prev, j.subject, j.kind, j.from_state, j.to_state, j.source, j.cause, j.began, j.until
FROM chain JOIN presence_journal j ON j.id = chain.id
WHERE j.id >= $3 AND j.id < $4 ORDER BY j.id DESC;

-- name: range
SELECT id, prev, subject, kind, from_state, to_state, source, cause, began, until
FROM presence_journal WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- Of a subject that has been forgotten there is no chain.
-- name: forgotten
SELECT id, prev, subject, kind, from_state, to_state, source, cause, began, until
FROM presence_journal WHERE subject = $1 AND id >= $2 AND id < $3 ORDER BY id DESC LIMIT $4;

-- The last entry of subject $2 at $3 or before, or the first that there is after it.
-- $1 is where its chain begins.
-- name: at
WITH RECURSIVE chain (id, prev) AS (
	SELECT id, prev FROM presence_journal WHERE id = $1 AND subject = $2
	UNION ALL
	SELECT j.id, j.prev FROM chain JOIN presence_journal j ON j.id = chain.prev WHERE chain.id > $3
)
SELECT j.id, j.prev, j.subject, j.kind, j.from_state, j.to_state, j.source, j.cause, j.began, j.until
FROM chain JOIN presence_journal j ON j.id = chain.id ORDER BY j.id LIMIT 1;

-- name: expire
DELETE FROM presence_journal WHERE id IN (SELECT id FROM presence_journal WHERE id < $1 ORDER BY id LIMIT $2);
