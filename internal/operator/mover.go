package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"rollcall/internal/portable"
	"rollcall/server/features/archive"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
	"rollcall/xmpp/stanza"
)

// Mover carries accounts in and out, for a desk. It moves streams, so these are
// no operations; they are noted as those are.
type Mover struct {
	desk  *Desk
	store *storage.Portable
	ids   *archive.IDs
}

// Mover returns who carries accounts in and out of a database. The server that
// runs on it, if one does, hears of accounts that are new, or are different now
// from what it knows.
func (d *Desk) Mover(store *storage.Portable, ids *archive.IDs) *Mover { return &Mover{d, store, ids} }

var (
	importing = &Operation{Name: "account.import", Fields: []Field{{Name: "accountjid", Kind: Person}}}
	exporting = &Operation{Name: "account.export", Fields: []Field{{Name: "accountjids", Kind: People}}}
)

// Take takes a parcel in on somebody's order.
func (m *Mover) Take(ctx context.Context, by Actor, d *portable.Delivery) (storage.Receipt, error) {
	who := d.Parcel.Account
	if j, err := jid.Parse(string(who)); err != nil || j.Bare() != who || j.Local() == "" || j.IsFull() {
		return storage.Receipt{}, wrong("%q is not the address of an account", who)
	}
	if err := m.desk.ours(who); err != nil {
		return storage.Receipt{}, err
	}
	r, err := m.take(ctx, d)
	if (err != nil || r.Made || r.Changed()) && !d.Parcel.More && !d.Terms.Dry {
		m.desk.note(ctx, by, importing, values{"accountjid": {string(who)}}, err)
	}
	if err == nil && !d.Terms.Dry && m.desk.live != nil {
		m.tell(ctx, d, &r)
	}
	return r, err
}

// tell tells the server that runs what is new. Clients are disturbed by the first
// parcel of an account and by the last one, not by each.
func (m *Mover) tell(ctx context.Context, d *portable.Delivery, r *storage.Receipt) {
	switch srv := m.desk.live.Server; {
	case r.Made:
		srv.Added(ctx, d.Parcel.Account)
	case r.Changed() && (!d.Parcel.More || d.Last), d.Moved && d.Last:
		srv.Changed(d.Parcel.Account, int64(r.ID))
	}
}

func (m *Mover) take(ctx context.Context, d *portable.Delivery) (storage.Receipt, error) {
	there, err := m.desk.accounts.Exists(ctx, d.Parcel.Account)
	if err != nil {
		return storage.Receipt{}, err
	}
	var refused []string
	if skips := there && d.Terms.Existing != storage.Merge && d.Terms.Existing != storage.Replace; !skips {
		if why := m.keys(d); why != "" {
			refused = append(refused, why)
		}
	}
	for i := range d.Parcel.Offline {
		if err := m.name(&d.Parcel.Offline[i], d.Parcel.Account); err != nil {
			return storage.Receipt{}, err
		}
	}
	if err := m.wait(ctx, &d.Parcel, d.Terms.Dry); err != nil {
		return storage.Receipt{}, err
	}
	r, err := m.store.Put(ctx, &d.Parcel, d.Terms)
	if err != nil {
		return r, explain(d.Parcel.Account, err)
	}
	if r.Made && !d.Parcel.More && len(d.Parcel.Keys) == 0 {
		refused = append(refused, fmt.Sprintf("has no password, so nobody can log in: rollcall account passwd %s", d.Parcel.Account))
	}
	r.Refused = append(refused, r.Refused...)
	return r, nil
}

// keys makes the keys of a password that came in the clear. They are better than
// any that came with it, since they are for all mechanisms.
func (m *Mover) keys(d *portable.Delivery) (refused string) {
	if d.Password == "" {
		return ""
	}
	iterations := m.desk.register.Iterations()
	if d.Terms.Dry {
		iterations = sasl.MinIterations // nobody will keep them
	}
	keys, err := sasl.NewKeys(d.Password, iterations)
	switch {
	case errors.Is(err, sasl.ErrPassword):
		return "the password has characters that cannot be typed everywhere and is left out"
	case err != nil:
		return "the password is left out: " + err.Error()
	}
	d.Parcel.Keys = keys
	return ""
}

// name takes the id out of a message that waits if it is not this server's: a
// client would look for it in its archive here.
func (m *Mover) name(l *storage.Letter, owner jid.Bare) error {
	if l.ID == "" {
		return nil
	}
	if _, ours := m.ids.Parse(l.ID); ours {
		return nil
	}
	e, err := stanza.Parse(l.Stanza, stanza.NSClient, nil)
	if err != nil {
		return wrong("a message that waits for %s cannot be read", owner)
	}
	e.Nodes = slices.DeleteFunc(e.Nodes, func(n stanza.Node) bool {
		return n.Elem != nil && n.Elem.Local == "stanza-id" && n.Elem.Attr("id") == l.ID
	})
	l.Stanza, l.ID = e.Canonical(stanza.NSClient), ""
	return nil
}

// settled is after how long a number that the server gave to a message is in the
// database, or will never be. Before that another message must not take it.
const settled = 5 * time.Second

// wait waits until the server that runs cannot be about to store a message under
// a number that one of the parcel's takes.
func (m *Mover) wait(ctx context.Context, p *storage.Parcel, dry bool) error {
	if m.desk.live == nil || dry {
		return nil
	}
	latest := int64(0)
	for _, letters := range [][]storage.Letter{p.Offline, p.Archive} {
		for i := range letters {
			latest = max(latest, letters[i].Stamp)
		}
	}
	left := time.Until(time.UnixMicro(latest).Add(settled))
	if left <= 0 {
		return nil
	}
	if left > settled {
		return wrong("a message of %s is from the future", p.Account)
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wanted says what to export.
type Wanted struct {
	Accounts []jid.Bare `json:"accounts,omitempty"` // nobody: all
	Without  []string   `json:"without,omitempty"`  // names of sections
	Ejabberd bool       `json:"ejabberd,omitempty"` // keys as ejabberd 23.01 reads them
}

// Export writes accounts on somebody's order: each account's element to where to
// says. Those of one domain come one after another.
func (m *Mover) Export(ctx context.Context, by Actor, w Wanted, to func(jid.Bare) (io.Writer, error)) error {
	for _, name := range w.Without {
		if !slices.Contains(portable.Sections(), name) {
			return wrong("there is no section %q; there are %q", name, portable.Sections())
		}
	}
	names := slices.Clone(w.Accounts)
	for _, who := range names { // before anything is written
		if _, err := m.desk.accounts.Lookup(ctx, who); err != nil {
			return explain(who, err)
		}
	}
	if len(names) == 0 {
		var err error
		if names, err = m.store.Names(ctx); err != nil {
			return err
		}
	}
	slices.SortFunc(names, storage.ByDomain)
	err := m.export(ctx, w, slices.Compact(names), to)
	subject := values{"accountjids": {"everybody"}}
	if len(w.Accounts) > 0 {
		subject["accountjids"] = nil
		for _, who := range names {
			subject["accountjids"] = append(subject["accountjids"], string(who))
		}
	}
	m.desk.note(ctx, by, exporting, subject, err)
	return err
}

func (m *Mover) export(ctx context.Context, w Wanted, names []jid.Bare, to func(jid.Bare) (io.Writer, error)) error {
	x := &portable.Exporter{Store: m.store, IDs: m.ids, Without: w.Without, Ejabberd: w.Ejabberd}
	for _, who := range names {
		err := x.Account(ctx, who, to)
		if errors.Is(err, storage.ErrNoAccount) && len(w.Accounts) == 0 {
			continue // it was removed meanwhile
		}
		if err != nil {
			return err
		}
	}
	return nil
}
