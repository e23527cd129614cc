package storage

import (
	"bytes"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// batch is what one transaction writes.
type batch struct {
	first, last server.Ticket // none if last < first
	arena       []byte        // what the rows' bytes are in
	rows        []row
	drops       []waiter
	callers     []func(stored bool) // who wait for the end

	args []any // of statements
}

// row is a message of a batch.
type row struct {
	keep     server.Keep
	from, to jid.JID
	stored   int64 // when the message came
	stanza   piece
	offline  piece // the stanza as it waits; nothing if it doesn't
}

// piece is a part of the arena.
type piece struct{ lo, hi int }

// waiter names an offline message.
type waiter struct{ account, id int64 }

func (b *batch) in(p piece) []byte { return b.arena[p.lo:p.hi:p.hi] }

func (b *batch) empty() bool {
	return len(b.rows) == 0 && len(b.drops) == 0 && len(b.callers) == 0
}

// room reports whether so many bytes more may come in. What is alone always may.
func (b *batch) room(n int) bool {
	return len(b.rows) == 0 || len(b.rows) < maxWaitingCount && len(b.arena)+n <= maxWaiting
}

// keepArena and keepRows are what an idle writer holds on to.
const (
	keepArena = 512 << 10
	keepRows  = 1024
)

// reset empties the batch for tickets from first on.
func (b *batch) reset(first server.Ticket) {
	b.first, b.last = first, first-1
	b.arena, b.callers = b.arena[:0], nil
	if cap(b.arena) > keepArena {
		b.arena = nil
	}
	if cap(b.rows) > keepRows {
		b.rows, b.args = nil, nil
	}
	clear(b.rows)
	clear(b.args[:cap(b.args)])
	b.rows, b.drops, b.args = b.rows[:0], b.drops[:0], b.args[:0]
}

// add takes a copy of a message in.
func (b *batch) add(t server.Ticket, k *server.Kept) {
	r := row{keep: k.Keep, from: k.From, to: k.To, stored: k.ID, stanza: b.copy(k.Stanza)}
	if !k.Since.IsZero() {
		r.stored = min(k.ID, k.Since.UnixMicro())
	}
	if k.Offline {
		r.offline = r.stanza
		if len(k.Extra) > 0 {
			head, tail := insertAt(k.Stanza)
			r.offline = b.copy(head, k.Extra, tail)
		}
	}
	b.rows = append(b.rows, r)
	b.last = t
}

func (b *batch) copy(parts ...[]byte) piece {
	lo := len(b.arena)
	for _, p := range parts {
		b.arena = append(b.arena, p...)
	}
	return piece{lo, len(b.arena)}
}

// insertAt splits a whole stanza where further children may stand.
func insertAt(raw []byte) (head, tail []byte) {
	if name, empty := bytes.CutSuffix(raw, []byte("/>")); empty && raw[0] == '<' {
		end := bytes.IndexAny(name, " \t\r\n")
		if end < 0 {
			end = len(name)
		}
		head = append(bytes.Clone(name), '>')
		return head, append(append([]byte("</"), name[1:end]...), '>')
	}
	i := max(bytes.LastIndex(raw, []byte("</")), 0)
	return raw[:i], raw[i:]
}

// kept returns the message of a row as it was handed in.
func (b *batch) kept(r *row) *server.Kept {
	k := &server.Kept{Keep: r.keep, From: r.from, To: r.to, Stanza: b.in(r.stanza)}
	if r.stored != r.keep.ID {
		k.Since = time.UnixMicro(r.stored)
	}
	return k
}
