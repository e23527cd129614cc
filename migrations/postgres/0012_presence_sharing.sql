-- How much of their telephones people let others see, of those who have chosen.
CREATE TABLE presence_sharing (
	account BIGINT NOT NULL PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
	choice  TEXT NOT NULL -- "on", "busy-only" or "off"
);
