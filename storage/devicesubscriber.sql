-- Who has subscribed to the presence of devices by themselves.

-- name: list
SELECT device, watcher FROM device_subscriber ORDER BY device, watcher;

-- name: add
INSERT INTO device_subscriber (device, watcher) VALUES ($1, $2) ON CONFLICT (device, watcher) DO NOTHING;

-- name: drop
DELETE FROM device_subscriber WHERE device = $1 AND watcher = $2;
