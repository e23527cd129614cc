-- Devices: phones, door intercoms and the like.

-- name: list
SELECT d.id, d.name, d.class, d.site, d.critical, d.shared, d.disabled, d.upstream, d.sip_user, d.numbers,
	d.realm, d.ha1_md5, d.ha1_sha256, COALESCE(a.jid, '')
FROM device d LEFT JOIN device_owner o ON o.device = d.id LEFT JOIN account a ON a.id = o.account ORDER BY d.id;

-- name: put
INSERT INTO device (id, name, class, site, critical, shared, disabled, upstream, sip_user, numbers, realm, ha1_md5, ha1_sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (id) DO UPDATE SET
	name = excluded.name, class = excluded.class, site = excluded.site, critical = excluded.critical, shared = excluded.shared,
	disabled = excluded.disabled, upstream = excluded.upstream, sip_user = excluded.sip_user, numbers = excluded.numbers,
	realm = excluded.realm, ha1_md5 = excluded.ha1_md5, ha1_sha256 = excluded.ha1_sha256;

-- name: assign
INSERT INTO device_owner (device, account) VALUES ($1, $2)
ON CONFLICT (device) DO UPDATE SET account = excluded.account;

-- name: unassign
DELETE FROM device_owner WHERE device = $1;

-- What refers to a device by a foreign key goes with it.
-- name: drop
DELETE FROM device WHERE id = $1;
