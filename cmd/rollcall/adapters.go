package main

import (
	"context"

	"rollcall/server"
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

// outcome tells those concerned what became of messages to be stored.
type outcome struct{ srv *server.Server }

// Lost implements storage.Outcome.
func (o outcome) Lost(k *server.Kept, err error) { o.srv.Lost(k, err) }

// Waits implements storage.Outcome.
func (o outcome) Waits(account, id int64, stored bool) {}

// Gone implements storage.Outcome.
func (o outcome) Gone(account, id int64) {}
