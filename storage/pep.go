package storage

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strings"
	"time"

	"rollcall/server/features/pep"
	"rollcall/xmpp/jid"
)

// PEP keeps what people publish about themselves: a [pep.Store], and a [pep.Census].
type PEP struct{ db *DB }

// PEP returns the store of that.
func (db *DB) PEP() *PEP { return &PEP{db} }

// Nodes implements [pep.Store].
func (s *PEP) Nodes(ctx context.Context, account int64) (all []pep.Node, err error) {
	err = s.db.each(ctx, "pep.nodes", []any{account}, func(rows *sql.Rows) error {
		var n pep.Node
		var groups string
		var persist, notify, payloads, del, retract int
		err := rows.Scan(&n.ID, &n.Name, &n.Title, &n.Type, &n.Access, &groups, &persist, &n.MaxItems, &n.SendLast,
			&notify, &payloads, &del, &retract, &n.Items)
		if groups != "" {
			n.Groups = strings.Split(groups, "\n")
		}
		n.Persist, n.Notify, n.Payloads, n.NotifyDelete, n.NotifyRetract = persist != 0, notify != 0, payloads != 0, del != 0, retract != 0
		all = append(all, n)
		return err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	of := func(id int64) *pep.Node { // nil: it was made this very moment
		if i := slices.IndexFunc(all, func(n pep.Node) bool { return n.ID == id }); i >= 0 {
			return &all[i]
		}
		return new(pep.Node)
	}
	err = s.db.each(ctx, "pep.last", []any{account}, func(rows *sql.Rows) error {
		var node, at int64
		var it pep.Item
		err := rows.Scan(&node, &it.ID, &at, &it.Payload)
		it.At = time.UnixMicro(at)
		of(node).Last = it
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.db.each(ctx, "pep.affiliations", []any{account}, func(rows *sql.Rows) error {
		var node int64
		var a pep.Affiliation
		err := rows.Scan(&node, &a.JID, &a.Kind)
		of(node).Affiliations = append(of(node).Affiliations, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.db.each(ctx, "pep.subscriptions", []any{account}, func(rows *sql.Rows) error {
		var node int64
		var who string
		if err := rows.Scan(&node, &who); err != nil {
			return err
		}
		j, err := jid.Parse(who)
		of(node).Subscribers = append(of(node).Subscribers, j)
		return err
	})
	return all, err
}

// Owners implements [pep.Census].
func (s *PEP) Owners(ctx context.Context, f func(jid.Bare)) error {
	return s.db.each(ctx, "pep.owners", nil, func(rows *sql.Rows) error {
		var owner string
		err := rows.Scan(&owner)
		if err == nil {
			f(jid.Bare(owner))
		}
		return err
	})
}

// Change implements [pep.Store].
func (s *PEP) Change(ctx context.Context, account int64, c pep.Change) error {
	return s.db.tx(ctx, "change what somebody publishes", func(t *tx) error {
		node, err := t.pepNode(ctx, account, &c)
		if err != nil {
			return err
		}
		if c.Delete {
			_, err := t.exec(ctx, "pep.delete", node)
			return err
		}
		if err := t.pepItems(ctx, node, &c); err != nil {
			return err
		}
		if err := t.pepPeople(ctx, node, &c); err != nil {
			return err
		}
		return t.pepFits(ctx, account, &c)
	})
}

// pepFits refuses a change by which an account keeps more than it may.
func (t *tx) pepFits(ctx context.Context, account int64, c *pep.Change) error {
	if c.Put == nil && !slices.ContainsFunc(c.Affiliate, func(a pep.Affiliation) bool { return a.Kind != "" }) {
		return nil
	}
	var size int
	if _, err := t.one(ctx, "pep.size", []any{account, pep.Overhead}, &size); err != nil {
		return err
	}
	if size > c.Limits.Bytes {
		return pep.ErrFull
	}
	return nil
}

// pepNode finds or makes the node of a change.
func (t *tx) pepNode(ctx context.Context, account int64, c *pep.Change) (id int64, err error) {
	found, err := t.one(ctx, "pep.find", []any{account, c.Node.Name}, &id)
	if err != nil {
		return 0, err
	}
	if !c.Options {
		if !found {
			return 0, pep.ErrNoNode
		}
		return id, nil
	}
	if !found {
		var n int
		if _, err := t.one(ctx, "pep.count", []any{account}, &n); err != nil {
			return 0, err
		}
		if n >= c.Limits.Nodes {
			return 0, pep.ErrTooManyNodes
		}
	}
	o := &c.Node.Options
	args := []any{
		account, c.Node.Name, o.Title, o.Type, string(o.Access), strings.Join(o.Groups, "\n"), flag(o.Persist), o.MaxItems,
		string(o.SendLast), flag(o.Notify), flag(o.Payloads), flag(o.NotifyDelete), flag(o.NotifyRetract),
	}
	found, err = t.one(ctx, "pep.make", args, &id)
	if err == nil && !found {
		err = ErrNoAccount
	}
	return id, err
}

// pepItems changes what is in a node.
func (t *tx) pepItems(ctx context.Context, node int64, c *pep.Change) error {
	if c.Purge {
		if _, err := t.exec(ctx, "pep.purge", node); err != nil {
			return err
		}
	}
	gone := int64(0)
	for _, id := range c.Retract {
		n, err := t.exec(ctx, "pep.retract", node, id)
		if err != nil {
			return err
		}
		gone += n
	}
	if len(c.Retract) > 0 && gone == 0 {
		return pep.ErrNoItem
	}
	if c.Put != nil {
		var last int64
		if _, err := t.one(ctx, "pep.seq", []any{node}, &last); err != nil {
			return err
		}
		at := c.Put.At.UnixMicro()
		if _, err := t.exec(ctx, "pep.put", node, c.Put.ID, max(at, last+1), at, c.Put.Payload); err != nil {
			return err
		}
	}
	if c.Put == nil && !c.Options {
		return nil
	}
	_, err := t.exec(ctx, "pep.trim", node, c.Limits.Items)
	return err
}

// pepPeople changes what others are to a node.
func (t *tx) pepPeople(ctx context.Context, node int64, c *pep.Change) error {
	for _, a := range c.Affiliate {
		name, args := "pep.affiliate", []any{node, string(a.JID), string(a.Kind)}
		if a.Kind == "" {
			name, args = "pep.disaffiliate", args[:2]
		}
		if _, err := t.exec(ctx, name, args...); err != nil {
			return err
		}
	}
	for _, j := range c.Subscribe {
		if _, err := t.exec(ctx, "pep.subscribe", node, j.String()); err != nil {
			return err
		}
	}
	for _, j := range c.Leave {
		if _, err := t.exec(ctx, "pep.unsubscribe", node, j.String()); err != nil {
			return err
		}
	}
	return nil
}

// Items implements [pep.Store].
func (s *PEP) Items(ctx context.Context, node int64, p pep.Page) (all []pep.Item, total int, err error) {
	if len(p.IDs) > 0 {
		return s.items(ctx, node, p.IDs)
	}
	most := int64(math.MaxInt32)
	if p.Most > 0 {
		most = int64(p.Most)
		if _, err := s.db.one(ctx, "pep.item_count", []any{node}, &total); err != nil {
			return nil, 0, err
		}
	}
	err = s.db.each(ctx, "pep.items", []any{node, most}, func(rows *sql.Rows) error {
		var it pep.Item
		var at int64
		err := rows.Scan(&it.ID, &at, &it.Payload)
		it.At = time.UnixMicro(at)
		all = append(all, it)
		return err
	})
	slices.Reverse(all)
	return all, max(total, len(all)), err
}

// items returns those of some ids.
func (s *PEP) items(ctx context.Context, node int64, ids []string) (all []pep.Item, total int, err error) {
	for _, id := range ids {
		it := pep.Item{ID: id}
		var at int64
		found, err := s.db.one(ctx, "pep.item", []any{node, id}, &at, &it.Payload)
		if err != nil {
			return nil, 0, err
		}
		if it.At = time.UnixMicro(at); found {
			all = append(all, it)
		}
	}
	return all, len(all), nil
}
