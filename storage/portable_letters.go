package storage

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"rollcall/server/features/archive"
	"rollcall/server/features/offline"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Messages are named by the microsecond that they came in. Those that moved here
// may have shared one, since others keep time by the second, and may meet some
// that were here before. So each takes its own stamp, or the next number after
// it that is free, or that the same message has: then it is here already. A
// parcel that comes again finds its messages in the same places.

// most is how many numbers are tried: more messages than that in one second
// nobody had.
const most = 1 << 20

// place finds the number of a message, from one on. insert reports whether it
// took the number; same whether the message has it already.
func place(first int64, insert, same func(id int64) (bool, error)) (id int64, added bool, err error) {
	for id = max(first, 1); id < first+most; id++ {
		if added, err = insert(id); added || err != nil {
			return id, added, err
		}
		if there, err := same(id); there || err != nil {
			return id, false, err
		}
	}
	return 0, false, failed("import a message", fmt.Errorf("there is no room in its second"))
}

// same reports whether stored bytes, which are as a client sent them, say what
// canonical ones say.
func same(raw, canonical []byte, space string) bool {
	if bytes.Equal(raw, canonical) {
		return true
	}
	c, err := stanza.Canonical(raw, space)
	return err == nil && bytes.Equal(c, canonical)
}

func (u *unpacking) offline() error {
	if u.replaces() && u.Offline != nil {
		if err := u.do("account.drop_offline", u.id()); err != nil {
			return err
		}
	}
	for i := range u.Offline {
		m := &u.Offline[i]
		id, added, err := place(max(m.Stamp, u.receipt.LastOffline+1), func(id int64) (bool, error) {
			n, err := u.exec(u.ctx, "offline.put", u.id(), id, m.Stamp, m.Stanza)
			return n == 1, err
		}, func(id int64) (bool, error) {
			var there []byte
			_, err := u.one(u.ctx, "portable.waiting", []any{u.id(), id}, &there)
			return same(there, m.Stanza, stanza.NSClient), err
		})
		if err != nil {
			return err
		}
		u.receipt.LastOffline = id
		u.count(PartWaiting, added)
	}
	return nil
}

func (u *unpacking) archive() error {
	if u.replaces() && u.Archive != nil {
		if err := u.do("account.leave_archive", u.id(), string(u.Account)); err != nil {
			return err
		}
		for _, query := range []string{"account.drop_unkept", "account.drop_index"} {
			if err := u.do(query, u.id()); err != nil {
				return err
			}
		}
	}
	for i := range u.Archive {
		m := &u.Archive[i]
		keepers, peer := side(u.Account, m)
		id, added, err := place(max(m.Stamp, u.receipt.LastArchive+1), func(id int64) (bool, error) {
			n, err := u.exec(u.ctx, "archive.put", id, keepers, m.From, m.To, m.Stanza)
			return n == 1, err
		}, func(id int64) (bool, error) { return u.archived(id, m) })
		if err != nil {
			return err
		}
		if !added {
			if err := u.do("portable.also_kept", id, keepers); err != nil {
				return err
			}
		}
		// Not through the writer's index, which knows only what is new.
		n, err := u.exec(u.ctx, "archive.index", u.id(), id, hashOf(peer))
		if err != nil {
			return err
		}
		u.receipt.LastArchive = id
		u.count(PartArchived, n == 1)
	}
	return nil
}

// archived reports whether a message is in the archive under that number.
func (u *unpacking) archived(id int64, m *Letter) (bool, error) {
	var from, to string
	var there []byte
	_, err := u.one(u.ctx, "portable.message", []any{id}, &from, &to, &there)
	return err == nil && from == m.From && to == m.To && same(there, m.Stanza, stanza.NSClient), err
}

// side says as whom an account keeps a message, and with whom it was exchanged.
// One to oneself is kept as both.
func side(owner jid.Bare, m *Letter) (keepers int64, peer jid.Bare) {
	from, to := bareOf(m.From), bareOf(m.To)
	switch {
	case from == owner && to == owner:
		return keptBySender | keptByRecipient, owner
	case from == owner:
		return keptBySender, to
	}
	return keptByRecipient, from
}

func (u *unpacking) count(what string, added bool) {
	if added {
		u.receipt.Added[what]++
	} else {
		u.receipt.Known[what]++
	}
}

// pageSize and pageBytes are how much of an account's messages is read at a
// time.
const (
	pageSize  = 200
	pageBytes = 1 << 20
)

// Offline goes through the messages that wait for an account, the oldest first,
// as they are stored.
func (p *Portable) Offline(ctx context.Context, id AccountID) iter.Seq2[offline.Message, error] {
	store := p.db.Offline(p.w)
	return pages(func(after int64) (page []offline.Message, next int64, more bool, err error) {
		page, more, err = store.Page(ctx, int64(id), after, pageSize, pageBytes)
		if len(page) > 0 {
			next = page[len(page)-1].ID
		}
		return page, next, more, err
	})
}

// Archive goes through an account's archive, the oldest first, as it is stored.
func (p *Portable) Archive(ctx context.Context, who jid.Bare, id AccountID) iter.Seq2[archive.Message, error] {
	return pages(func(after int64) (page []archive.Message, next int64, more bool, err error) {
		if err := p.catchUp(ctx, who); err != nil {
			return nil, 0, false, err
		}
		cut := archive.Cut{Max: pageSize, Bytes: pageBytes}
		page, more, err = p.db.archivePage(ctx, int64(id), archive.Filter{After: after}, cut)
		if len(page) > 0 {
			next = page[len(page)-1].ID
		}
		return page, next, more, err
	})
}

// pages goes through pages that are read one after another.
func pages[M any](read func(after int64) (page []M, next int64, more bool, err error)) iter.Seq2[M, error] {
	return func(yield func(M, error) bool) {
		for after, more := int64(0), true; more; {
			page, next, further, err := read(after)
			if err != nil {
				var none M
				yield(none, err)
				return
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			after, more = next, further
		}
	}
}
