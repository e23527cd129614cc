-- How much of their telephones people let others see.

-- name: list
SELECT a.jid, s.choice FROM presence_sharing s JOIN account a ON a.id = s.account;

-- name: put
INSERT INTO presence_sharing (account, choice)
SELECT id, $2 FROM account WHERE jid = $1
ON CONFLICT (account) DO UPDATE SET choice = excluded.choice;
