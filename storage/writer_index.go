package storage

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/xmpp/jid"
)

const (
	// indexMany is how many index rows make a transaction worth while, and
	// indexAfter how long fewer may wait. Many at once, sorted, is what makes
	// the index cheap: the pages of a tree are written once for many rows.
	indexMany  = 16384
	indexAfter = 5 * time.Second

	// lateness is how much later than its id says a message may be committed:
	// it is numbered before it is checked, routed and handed in.
	lateness = 60 * time.Second

	// recoverMany is how many messages are looked at at a time after a start.
	recoverMany = 1000
)

// indexer fills archive_index behind the commits. Messages that are not in it
// are known by their ids: those above archive_state's "indexed" may be missing,
// and are looked through when the program starts.
type indexer struct {
	// Owned by the goroutine of Run.
	highest int64 // id ever seen
	mark    int64 // what "indexed" is

	mu      sync.Mutex // guards entries; only Run's goroutine changes them
	entries []entry
}

// entry is a row of archive_index.
type entry struct{ owner, id, peer int64 }

// add notes a committed message.
func (x *indexer) add(r *row) {
	x.mu.Lock()
	defer x.mu.Unlock()
	k := r.keepers()
	from, to := r.from.Bare(), r.to.Bare()
	if k&keptBySender != 0 {
		x.note(r.keep.SenderID, r.keep.ID, to)
	}
	// A message to oneself is in the archive once.
	if k&keptByRecipient != 0 && (k&keptBySender == 0 || r.keep.OwnerID != r.keep.SenderID) {
		x.note(r.keep.OwnerID, r.keep.ID, from)
	}
}

// note adds an entry. The caller holds the lock.
func (x *indexer) note(owner, id int64, peer jid.Bare) {
	x.entries = append(x.entries, entry{owner, id, hashOf(peer)})
	x.highest = max(x.highest, id)
}

// has reports whether messages of an owner are not in the index yet.
func (x *indexer) has(owner int64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range x.entries {
		if x.entries[i].owner == owner {
			return true
		}
	}
	return false
}

// writeIndex puts all entries into the index. At the end of the program nothing
// can come late any more.
func (w *Writer) writeIndex(ctx context.Context, end bool) error {
	x := &w.index
	mark := x.highest - lateness.Microseconds()
	if end {
		mark = x.highest
	}
	mark = max(mark, x.mark)
	if len(x.entries) == 0 && mark == x.mark {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	x.sort()
	err := w.db.tx(ctx, "index the archive", func(t *tx) error {
		args := make([]any, 0, len(x.entries)*3)
		for i := range x.entries {
			e := &x.entries[i]
			args = append(args, e.owner, e.id, e.peer)
		}
		if err := t.insert(ctx, "archive.index", 3, args); err != nil {
			return err
		}
		_, err := t.exec(ctx, "archive.set_indexed", mark)
		return err
	})
	if err != nil {
		if !w.down {
			w.log.Warn("the archive's index is behind", "err", err)
		}
		return err
	}
	x.mark = mark
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.entries = x.entries[:0]; cap(x.entries) > 2*indexMany {
		x.entries = nil
	}
	return nil
}

func (x *indexer) sort() {
	x.mu.Lock()
	defer x.mu.Unlock()
	slices.SortFunc(x.entries, func(a, b entry) int {
		if c := cmp.Compare(a.owner, b.owner); c != 0 {
			return c
		}
		return cmp.Compare(a.id, b.id)
	})
}

// recover indexes what was committed and not indexed when the program ended.
func (w *Writer) recover(ctx context.Context) error {
	x := &w.index
	if _, err := w.db.one(ctx, "archive.indexed", nil, &x.mark); err != nil {
		return err
	}
	accounts := w.db.Accounts()
	for last := x.mark; ; {
		var found []unindexed
		err := w.db.each(ctx, "archive.unindexed", []any{last, int64(recoverMany)}, func(rows *sql.Rows) error {
			var u unindexed
			if err := rows.Scan(&u.id, &u.keepers, &u.sender, &u.recipient); err != nil {
				return err
			}
			found = append(found, u)
			return nil
		})
		if err != nil {
			return err
		}
		for _, u := range found {
			last = u.id
			if err := x.remember(ctx, accounts, u); err != nil {
				return err
			}
		}
		if len(found) < recoverMany {
			break
		}
		if err := w.writeIndex(ctx, false); err != nil {
			return err
		}
	}
	return w.writeIndex(ctx, false)
}

// unindexed is a message that may not be in the index.
type unindexed struct {
	id, keepers       int64
	sender, recipient string
}

func (x *indexer) remember(ctx context.Context, accounts *Accounts, u unindexed) error {
	from, to := bareOf(u.sender), bareOf(u.recipient)
	note := func(owner, peer jid.Bare) error {
		id, found, err := accounts.ID(ctx, owner)
		if err == nil && found {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.note(int64(id), u.id, peer)
		}
		return err
	}
	var errs []error
	if u.keepers&keptBySender != 0 {
		errs = append(errs, note(from, to))
	}
	if u.keepers&keptByRecipient != 0 && (u.keepers&keptBySender == 0 || from != to) {
		errs = append(errs, note(to, from))
	}
	return errors.Join(errs...)
}

// bareOf cuts the resource off a canonical address.
func bareOf(full string) jid.Bare {
	bare, _, _ := strings.Cut(full, "/")
	return jid.Bare(bare)
}

// hashOf is what archive_index finds a bare address by: FNV-1a. Addresses are
// compared whole afterwards.
func hashOf(who jid.Bare) int64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(who); i++ {
		h = (h ^ uint64(who[i])) * 1099511628211
	}
	return int64(h)
}
