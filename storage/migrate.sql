-- What has been applied. Each migration is recorded in the transaction that
-- made it.

-- name: applied
SELECT version, name, checksum FROM schema_version ORDER BY version;

-- name: record
INSERT INTO schema_version (version, name, checksum, applied) VALUES ($1, $2, $3, $4);
