-- Calls that are up.

-- name: list
SELECT d.id, d.call_id, d.began, d.answered, d.session, d.refreshed,
	e.side, e.device, e.aor, e.binding, e.label, e.header, e.identity, e.display, e.contact, e.routes, e.cseq, e.held, e.since,
	e.transport, e.remote, e.local
FROM sip_dialog d JOIN sip_dialog_end e ON e.dialog = d.id ORDER BY d.id, e.side;

-- name: put
INSERT INTO sip_dialog (id, call_id, began, answered, session, refreshed)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET
	call_id = excluded.call_id, began = excluded.began, answered = excluded.answered,
	session = excluded.session, refreshed = excluded.refreshed;

-- name: put_end
INSERT INTO sip_dialog_end (dialog, side, device, aor, binding, label, header, identity, display, contact, routes, cseq, held, since,
	transport, remote, local)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (dialog, side) DO UPDATE SET
	device = excluded.device, aor = excluded.aor, binding = excluded.binding, label = excluded.label, header = excluded.header,
	identity = excluded.identity, display = excluded.display, contact = excluded.contact, routes = excluded.routes,
	cseq = excluded.cseq, held = excluded.held, since = excluded.since,
	transport = excluded.transport, remote = excluded.remote, local = excluded.local;

-- name: drop
DELETE FROM sip_dialog WHERE id = $1;
