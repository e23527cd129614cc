package storage

import (
	"context"
	"time"

	"rollcall/server/features/vcard"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// VCards keeps one vCard for each account, as XML bytes: a [vcard.Store].
type VCards struct{ db *DB }

// VCards returns the store of vCards.
func (db *DB) VCards() *VCards { return &VCards{db} }

// Get returns an account's vCard; found is false when it has none.
func (s *VCards) Get(ctx context.Context, owner jid.Bare) (xml []byte, found bool, err error) {
	found, err = s.db.one(ctx, "vcard.get", []any{string(owner)}, &xml)
	return xml, found, err
}

// Set keeps an account's vCard, what its picture is known by, and what people
// find the account by. Without such an account the error is [ErrNoAccount].
func (s *VCards) Set(ctx context.Context, owner jid.Bare, xml []byte) error {
	if xml == nil {
		xml = []byte{}
	}
	e := card(xml)
	return s.db.tx(ctx, "keep the vCard of "+string(owner), func(t *tx) error {
		id, err := t.account(ctx, owner)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "vcard.put", int64(id), xml, photo(e), time.Now().UnixMicro()); err != nil {
			return err
		}
		return t.describe(ctx, "search.put", id, owner, e)
	})
}

// unseen is in place of the hash of a picture that nobody has looked at: that of
// a vCard from before there were hashes.
const unseen = "?"

// Photo implements [vcard.Store].
func (s *VCards) Photo(ctx context.Context, account int64) (hash string, kept bool, err error) {
	kept, err = s.db.one(ctx, "vcard.photo", []any{account}, &hash)
	if err != nil || !kept || hash != unseen {
		return hash, kept, err
	}
	var xml []byte
	if kept, err = s.db.one(ctx, "vcard.of", []any{account}, &xml); err != nil || !kept {
		return "", kept, err
	}
	hash = photo(card(xml))
	_, err = s.db.exec(ctx, "vcard.put_photo", account, hash)
	return hash, true, err
}

// photo returns the hash of the picture in a vCard, which may be nil.
func photo(card *stanza.Element) string {
	if card == nil {
		return ""
	}
	hash, _ := vcard.Photo(card)
	return hash
}
