-- Who has subscribed to the presence of devices by themselves. Whom shared groups
-- show a device is not in here.
CREATE TABLE device_subscriber (
	device  TEXT COLLATE "C" NOT NULL, -- address
	watcher TEXT COLLATE "C" NOT NULL, -- address, of anybody
	PRIMARY KEY (device, watcher)
);
