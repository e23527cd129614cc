package storage

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"rollcall/server/features/privatexml"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// Get reads an account, but for its messages: see Offline and Archive. Without
// such an account the error is [ErrNoAccount].
func (p *Portable) Get(ctx context.Context, who jid.Bare) (AccountID, *Parcel, error) {
	a, err := p.db.Accounts().Lookup(ctx, who)
	if err != nil {
		return 0, nil, err
	}
	out := &Parcel{Account: a.JID, Created: a.Created, Disabled: a.Disabled}
	for _, read := range pack {
		if err := read(p, ctx, a.ID, out); err != nil {
			return 0, nil, err
		}
	}
	return a.ID, out, nil
}

// pack is how a parcel is filled.
var pack = []func(*Portable, context.Context, AccountID, *Parcel) error{
	(*Portable).getKeys, (*Portable).getRoster, (*Portable).getVCard, (*Portable).getPrefs, (*Portable).getPrivate, (*Portable).getLists,
	(*Portable).getPEP,
}

func (p *Portable) getKeys(ctx context.Context, id AccountID, out *Parcel) error {
	out.Keys = map[sasl.Hash]sasl.Keys{}
	return p.db.each(ctx, "portable.keys", []any{int64(id)}, func(rows *sql.Rows) error {
		var name string
		var k sasl.Keys
		err := rows.Scan(&name, &k.Salt, &k.Iterations, &k.StoredKey, &k.ServerKey)
		if h, known := sasl.HashOf(name); known {
			out.Keys[h] = k
		}
		return err
	})
}

func (p *Portable) getRoster(ctx context.Context, _ AccountID, out *Parcel) error {
	c, err := p.db.Rosters().LoadRoster(ctx, out.Account)
	if err != nil {
		return err
	}
	out.Roster = c.Items
	return nil
}

func (p *Portable) getVCard(ctx context.Context, _ AccountID, out *Parcel) (err error) {
	out.VCard, _, err = p.db.VCards().Get(ctx, out.Account)
	return err
}

func (p *Portable) getPrefs(ctx context.Context, id AccountID, out *Parcel) error {
	_, err := p.db.one(ctx, "archive.prefs", []any{int64(id)}, &out.Prefs)
	return err
}

func (p *Portable) getPrivate(ctx context.Context, id AccountID, out *Parcel) error {
	return p.db.each(ctx, "portable.private", []any{int64(id)}, func(rows *sql.Rows) error {
		var it privatexml.Item
		err := rows.Scan(&it.Namespace, &it.XML)
		out.Private = append(out.Private, it)
		return err
	})
}

func (p *Portable) getLists(ctx context.Context, _ AccountID, out *Parcel) error {
	c, err := p.db.PrivacyLists().LoadLists(ctx, out.Account)
	if err != nil || len(c.Lists) == 0 {
		return err
	}
	out.Lists = &PrivacyParcel{Default: c.Default}
	for _, l := range c.Lists {
		out.Lists.Lists = append(out.Lists.Lists, PrivacyList{Name: l.Name(), Items: l.Items()})
	}
	slices.SortFunc(out.Lists.Lists, func(a, b PrivacyList) int { return cmp.Compare(a.Name, b.Name) })
	return nil
}

// Names returns the addresses of all accounts, in the order of their domains and
// then of their names.
func (p *Portable) Names(ctx context.Context) ([]jid.Bare, error) {
	const many = 1000
	var all []jid.Bare
	for after := jid.Bare(""); ; {
		list, err := p.db.Accounts().List(ctx, after, many)
		if err != nil {
			return nil, err
		}
		for _, a := range list {
			all = append(all, a.JID)
		}
		if len(list) < many {
			break
		}
		after = list[len(list)-1].JID
	}
	slices.SortFunc(all, ByDomain)
	return all, nil
}

// ByDomain orders addresses by their domains, and those of one domain by their
// names.
func ByDomain(a, b jid.Bare) int {
	return cmp.Or(cmp.Compare(a.Domain(), b.Domain()), cmp.Compare(a.Local(), b.Local()))
}
