-- When accounts were last there.

-- name: get
SELECT ended, status FROM last_activity WHERE account = $1;

-- name: put
INSERT INTO last_activity (account, ended, status)
SELECT id, $2, $3 FROM account WHERE id = $1
ON CONFLICT (account) DO UPDATE SET ended = excluded.ended, status = excluded.status;
