package main

import (
	"context"

	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// users lets streams and the server look up the accounts in the database.
type users struct{ *storage.Accounts }

// Lookup implements server.Accounts.
func (u users) Lookup(ctx context.Context, who jid.Bare) (int64, bool, error) {
	id, found, err := u.ID(ctx, who)
	return int64(id), found, err
}
