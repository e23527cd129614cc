-- Who did what to whom.

-- name: add
INSERT INTO audit (at, who, origin, action, subject, detail, outcome)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- $2 is who it was, with all clients if it is a bare address, or nothing; $3 the
-- id that the page before ended with.
-- name: page
SELECT id, at, who, origin, action, subject, detail, outcome FROM audit
WHERE at >= $1 AND ($2 = '' OR who = $2 OR substr(who, 1, length($2) + 1) = $2 || '/') AND id < $3
ORDER BY id DESC LIMIT $4;

-- name: expire
DELETE FROM audit WHERE at < $1;
