package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/xmpp/jid"
)

// PrivacyLists is a [privacy.Store].
type PrivacyLists struct{ db *DB }

// PrivacyLists returns the store of privacy lists.
func (db *DB) PrivacyLists() *PrivacyLists { return &PrivacyLists{db} }

// storedItem is an item in the form in which it is kept. The numbers of types,
// actions and kinds are for good.
type storedItem struct {
	Type   privacy.Type   `json:"t,omitempty"`
	Value  string         `json:"v,omitempty"`
	Action privacy.Action `json:"a,omitempty"`
	Order  uint32         `json:"o"`
	Kinds  privacy.Kinds  `json:"k,omitempty"`
}

// LoadLists implements [privacy.Store].
func (s *PrivacyLists) LoadLists(ctx context.Context, owner jid.Bare) (privacy.Contents, error) {
	var c privacy.Contents
	var account int64
	found, err := s.db.one(ctx, "privacy.load", []any{string(owner)}, &account, &c.Version, &c.Default)
	switch {
	case err != nil:
		return c, err
	case !found:
		return c, roster.ErrNoAccount
	case c.Version == 0:
		return c, nil
	}
	err = s.db.each(ctx, "privacy.lists", []any{account}, func(rows *sql.Rows) error {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			return err
		}
		var stored []storedItem
		if err := json.Unmarshal([]byte(text), &stored); err != nil {
			return err
		}
		items := make([]privacy.Item, len(stored))
		for i, it := range stored {
			items[i] = privacy.Item(it)
		}
		c.Lists = append(c.Lists, privacy.NewList(name, items))
		return nil
	})
	return c, err
}

// SaveLists implements [privacy.Store].
func (s *PrivacyLists) SaveLists(ctx context.Context, owner jid.Bare, u privacy.Update) error {
	return s.db.tx(ctx, "save the privacy lists of "+string(owner), func(t *tx) error {
		var account int64
		found, err := t.one(ctx, "privacy.advance", []any{string(owner), int64(u.After), u.Default, int64(u.Before)}, &account)
		if err != nil {
			return err
		}
		if !found {
			if found, err := t.one(ctx, "account.id", []any{string(owner)}, &account); err != nil || found {
				return errors.Join(privacy.ErrStale, err)
			}
			return roster.ErrNoAccount
		}
		if u.Remove != "" {
			if _, err := t.exec(ctx, "privacy.drop_list", account, u.Remove); err != nil {
				return err
			}
		}
		if u.Put == nil {
			return nil
		}
		text, err := json.Marshal(storedItems(u.Put.Items()))
		if err != nil {
			return failed("save a privacy list", err)
		}
		_, err = t.exec(ctx, "privacy.put_list", account, u.Put.Name(), string(text))
		return err
	})
}
