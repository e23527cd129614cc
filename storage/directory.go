package storage

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"rollcall/directory"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// What cannot be done here to an account that comes from a directory. They are
// stanza errors too.
var (
	ErrPasswordElsewhere = fmt.Errorf("storage: %w",
		stanza.Refuse(stanza.ErrNotAllowed, "the account comes from the organisation's directory: its password is changed there"))
	ErrAccountElsewhere = fmt.Errorf("storage: %w",
		stanza.Refuse(stanza.ErrNotAllowed, "the account comes from the organisation's directory: it goes when the person is taken out there"))
)

// saveTogether is how many people are saved in one transaction, so that others
// have their turn between.
const saveTogether = 200

// Directory keeps the accounts that come from a directory. It is a
// [directory.Store].
type Directory struct{ db *DB }

// Directory returns the store of accounts as a directory needs them.
func (db *DB) Directory() *Directory { return &Directory{db} }

// Accounts implements directory.Store.
func (s *Directory) Accounts(ctx context.Context, domain string) (out []directory.Account, err error) {
	err = s.db.each(ctx, "directory.accounts", []any{domain}, func(rows *sql.Rows) error {
		var a directory.Account
		if err := rows.Scan(staffFields(&a)...); err != nil {
			return err
		}
		named(&a)
		out = append(out, a)
		return nil
	})
	return out, err
}

// Account implements directory.Store.
func (s *Directory) Account(ctx context.Context, who jid.Bare) (a directory.Account, found bool, err error) {
	found, err = s.db.one(ctx, "directory.account", []any{string(who)}, staffFields(&a)...)
	named(&a)
	return a, found, err
}

func staffFields(a *directory.Account) []any {
	p := &a.Person
	return []any{
		&a.JID, &a.Disabled, &a.Theirs, &p.Entry, &p.Name, &p.Given, &p.Family, &p.Mail,
		&p.Phone, &p.Title, &p.Org, &p.Unit, (*sinceEver)(&a.Gone),
	}
}

func named(a *directory.Account) {
	if a.Theirs {
		a.Person.Local = a.JID.Local()
	}
}

// Save implements directory.Store.
func (s *Directory) Save(ctx context.Context, domain string, c *directory.Changes, now time.Time) error {
	for _, step := range []struct {
		people []directory.Person
		save   func(context.Context, *tx, jid.Bare, directory.Person, time.Time) error
	}{{c.Create, create}, {c.Update, update}, {c.TakeOver, takeOver}} {
		for people := step.people; len(people) > 0; people = people[min(len(people), saveTogether):] {
			err := s.db.tx(ctx, "save what the directory says", func(t *tx) error {
				for _, p := range people[:min(len(people), saveTogether)] {
					if err := step.save(ctx, t, jid.Bare(p.Local+"@"+domain), p, now); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	if len(c.Vanish) == 0 {
		return nil
	}
	return s.db.tx(ctx, "save who is missing in the directory", func(t *tx) error {
		for _, who := range c.Vanish {
			if _, err := t.exec(ctx, "directory.vanish", string(who), now.UnixMicro()); err != nil {
				return err
			}
		}
		return nil
	})
}

// create makes an account, unless there is one by now.
func create(ctx context.Context, t *tx, who jid.Bare, p directory.Person, now time.Time) error {
	var id AccountID
	made, err := t.one(ctx, "account.create", []any{string(who), now.UnixMicro()}, &id)
	if err != nil || !made {
		return err
	}
	return add(ctx, t, id, who, p, now)
}

// takeOver makes an account that was made here one of the directory's.
func takeOver(ctx context.Context, t *tx, who jid.Bare, p directory.Person, now time.Time) error {
	var id AccountID
	found, err := t.one(ctx, "account.id", []any{string(who)}, &id)
	if err != nil || !found {
		return err
	}
	if _, err := t.exec(ctx, "account.drop_keys", int64(id)); err != nil {
		return err
	}
	return add(ctx, t, id, who, p, now)
}

func add(ctx context.Context, t *tx, id AccountID, who jid.Bare, p directory.Person, now time.Time) error {
	if _, err := t.exec(ctx, "directory.add", details(id, p)...); err != nil {
		return err
	}
	return putCard(ctx, t, id, who, p.VCard(), nil, now)
}

// update notes what is new about somebody, if the account is the directory's.
func update(ctx context.Context, t *tx, who jid.Bare, p directory.Person, now time.Time) error {
	var id AccountID
	var old directory.Account
	found, err := t.one(ctx, "account.id", []any{string(who)}, &id)
	if err == nil && found {
		found, err = t.one(ctx, "directory.account", []any{string(who)}, staffFields(&old)...)
	}
	if err != nil || !found || !old.Theirs {
		return err
	}
	named(&old)
	if _, err := t.exec(ctx, "directory.update", details(id, p)...); err != nil {
		return err
	}
	if was := old.Person.VCard(); string(was) != string(p.VCard()) {
		return putCard(ctx, t, id, who, p.VCard(), was, now)
	}
	return nil
}

func details(id AccountID, p directory.Person) []any {
	return []any{int64(id), p.Entry, p.Name, p.Given, p.Family, p.Mail, p.Phone, p.Title, p.Org, p.Unit}
}

// putCard keeps the vCard that was made of what the directory says, and has the
// account found by it. was is the one that was made before; nil stands for the
// empty one that is left of a vCard that its owner took away.
func putCard(ctx context.Context, t *tx, id AccountID, who jid.Bare, xml, was []byte, now time.Time) error {
	if was == nil {
		was = []byte{}
	}
	n, err := t.exec(ctx, "directory.put_card", int64(id), xml, now.UnixMicro(), was)
	if err != nil || n == 0 {
		return err
	}
	return t.describe(ctx, "search.put", id, who, card(xml))
}
