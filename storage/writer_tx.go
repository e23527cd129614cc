package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	mellium "mellium.im/xmpp/stanza"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

const (
	// patience is how long a batch may take; while the database is known to be
	// away a batch gets haste, so that senders hear soon.
	patience = 4 * time.Second
	haste    = 500 * time.Millisecond

	// pause is before another attempt.
	pause = 100 * time.Millisecond
)

// archived in archive_message.keepers.
const (
	keptBySender    = 1
	keptByRecipient = 2
)

// errTaken says that an id was there before.
var errTaken = errors.New("an id is taken")

// write stores a batch and tells everybody.
func (w *Writer) write(ctx context.Context, b *batch) {
	limit := patience
	if w.down {
		limit = haste
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	err := w.persist(ctx, b)
	if err != nil && !errors.Is(err, ErrFull) && !errors.Is(err, ErrUnavailable) && ctx.Err() == nil && len(b.rows)+len(b.drops) > 1 {
		w.singly(ctx, b)
		return
	}
	w.outage(err)
	if err != nil {
		w.lose(b, err)
		w.again(b)
	} else {
		w.stored(b)
	}
	w.settle(b, err == nil)
}

// persist tries for as long as the database is away and there is time.
func (w *Writer) persist(ctx context.Context, b *batch) error {
	repeated := false
	for {
		err := w.db.tx(ctx, "store messages", func(t *tx) error { return b.insert(ctx, t, repeated) })
		if !errors.Is(err, ErrUnavailable) || w.down {
			return err
		}
		// It may have been committed nevertheless, and only word of it been lost.
		repeated = true
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// singly stores the messages of a batch one by one, because something is wrong
// with one of them.
func (w *Writer) singly(ctx context.Context, b *batch) {
	ok := true
	one := &batch{arena: b.arena}
	for i := range b.rows {
		one.rows = b.rows[i : i+1]
		err := w.persist(ctx, one)
		if err != nil {
			ok = false
			w.outage(err)
			w.lose(one, err)
			continue
		}
		w.stored(one)
	}
	one.rows, one.drops = nil, b.drops
	if err := w.persist(ctx, one); err != nil {
		w.again(one)
	} else {
		w.stored(one)
	}
	w.settle(b, ok)
}

// again keeps the removals of a batch that failed for the next one.
func (w *Writer) again(b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filling.drops = append(w.filling.drops, b.drops...)
}

// outage logs when the database goes away and comes back.
func (w *Writer) outage(err error) {
	if down := err != nil; down != w.down {
		if down {
			w.log.Error("messages cannot be stored", "err", err)
		} else {
			w.log.Info("messages are stored again")
		}
		w.down = down
	}
}

// insert writes a batch. A repeated one may be there already.
func (b *batch) insert(ctx context.Context, t *tx, repeated bool) error {
	messages, offline := b.args[:0], 0
	for i := range b.rows {
		r := &b.rows[i]
		if r.keep.Offline {
			offline++
		}
		if k := r.keepers(); k != 0 {
			messages = append(messages, r.keep.ID, k, r.from.String(), r.to.String(), b.in(r.stanza))
		}
	}
	b.args = messages[:0]
	if err := t.insertAll(ctx, "archive.put", 5, messages, repeated); err != nil {
		return err
	}
	if offline > 0 {
		rows := make([]any, 0, offline*4)
		for i := range b.rows {
			if r := &b.rows[i]; r.keep.Offline {
				rows = append(rows, r.keep.OwnerID, r.keep.ID, r.stored, b.in(r.offline))
			}
		}
		if err := t.insertAll(ctx, "offline.put", 4, rows, repeated); err != nil {
			return err
		}
	}
	for _, d := range b.drops {
		if _, err := t.exec(ctx, "offline.drop", d.account, d.id); err != nil {
			return err
		}
	}
	return nil
}

// insertAll is insert, and all rows must be new unless repeated.
func (t *tx) insertAll(ctx context.Context, name string, width int, args []any, repeated bool) error {
	want, have := int64(len(args)/width), int64(0)
	for _, rows := range [...]int{128, 16, 1} {
		for n := rows * width; len(args) >= n; args = args[n:] {
			done, err := t.execRows(ctx, name, rows, args[:n])
			if err != nil {
				return err
			}
			have += done
		}
	}
	if have != want && !repeated {
		return failed(name, fmt.Errorf("%w: %d of %d rows are new", errTaken, have, want))
	}
	return nil
}

func (r *row) keepers() (k int64) {
	if r.keep.Sender && r.keep.SenderID != 0 {
		k |= keptBySender
	}
	if r.keep.Recipient && r.keep.OwnerID != 0 {
		k |= keptByRecipient
	}
	return k
}

// stored tells what a committed batch changed.
func (w *Writer) stored(b *batch) {
	for i := range b.rows {
		r := &b.rows[i]
		w.index.add(r)
		if r.keep.Offline {
			w.outcome.Waits(r.keep.OwnerID, r.keep.ID, true)
		}
	}
	for _, d := range b.drops {
		w.outcome.Gone(d.account, d.id)
	}
}

// lose tells the senders of a batch that failed. They hear before their streams
// are acknowledged.
func (w *Writer) lose(b *batch, err error) {
	for i := range b.rows {
		r := &b.rows[i]
		if r.keep.Offline {
			w.outcome.Waits(r.keep.OwnerID, r.keep.ID, false)
		}
		lose(w.outcome, b.kept(r), err)
	}
}

func lose(o Outcome, k *server.Kept, err error) { o.Lost(k, &unstored{err}) }

// unstored is what the sender of a message is told that could not be stored.
type unstored struct{ err error }

// Error implements error.
func (u *unstored) Error() string { return "the message was not stored: " + u.err.Error() }

// Unwrap gives the database's error.
func (u *unstored) Unwrap() error { return u.err }

// Refusal implements server.Classifier. Both are worth another attempt later.
func (u *unstored) Refusal() *stanza.Error {
	e := &stanza.Error{Type: mellium.Wait, Condition: mellium.InternalServerError}
	if errors.Is(u.err, ErrFull) {
		e.Condition = mellium.ResourceConstraint
	}
	return e
}
