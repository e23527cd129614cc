-- name: get
SELECT value FROM setting WHERE name = $1;

-- name: make
INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING;
