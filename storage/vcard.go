package storage

import (
	"context"
	"time"

	"rollcall/xmpp/jid"
)

// VCards keeps one vCard for each account, as XML bytes.
type VCards struct{ db *DB }

// VCards returns the store of vCards.
func (db *DB) VCards() *VCards { return &VCards{db} }

// Get returns an account's vCard; found is false when it has none.
func (s *VCards) Get(ctx context.Context, owner jid.Bare) (xml []byte, found bool, err error) {
	found, err = s.db.one(ctx, "vcard.get", []any{string(owner)}, &xml)
	return xml, found, err
}

// Set keeps an account's vCard. Without such an account the error is
// [ErrNoAccount].
func (s *VCards) Set(ctx context.Context, owner jid.Bare, xml []byte) error {
	if xml == nil {
		xml = []byte{}
	}
	n, err := s.db.exec(ctx, "vcard.put", string(owner), xml, time.Now().UnixMicro())
	if err == nil && n == 0 {
		err = ErrNoAccount
	}
	return err
}
