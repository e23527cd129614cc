package main

import (
	"context"

	"rollcall/server"
	"rollcall/server/features/offline"
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

// outcome tells those concerned what became of messages to be stored: the
// sender of one that was lost, and who hands out those that wait.
type outcome struct {
	*server.Server
	*offline.Feature
}
