package server

import (
	"sync/atomic"
	"time"

	"rollcall/xmpp/jid"
)

// Ticket numbers what was handed to the Keeper, in order.
type Ticket uint64

// Kept is one message to be stored.
type Kept struct {
	Keep
	From, To jid.JID
	Stanza   []byte // with its addresses; the Keeper copies it

	// What only the recipient's account may see, for the offline message: whole
	// elements to add. The Keeper copies it too.
	Extra []byte

	// Since is when the message first came, if it is kept at a second attempt
	// to deliver it; zero otherwise.
	Since time.Time
}

// Keeper stores messages, many in one transaction.
type Keeper interface {
	// Keep takes a message in. It blocks while too much waits to be written,
	// which holds back the sender. A message that cannot be stored is reported
	// to Server.Lost.
	Keep(*Kept) Ticket
	// Settled returns the ticket up to which all are stored or lost.
	Settled() Ticket
	// WhenSettled calls f once t is settled, with false if the write that t
	// was in failed. f must not block.
	WhenSettled(t Ticket, f func(stored bool))
}

// clock makes archive ids: microseconds since 1970, no two alike and in order.
type clock struct{ last atomic.Int64 }

func (c *clock) next(now time.Time) int64 {
	for {
		last := c.last.Load()
		id := max(last+1, now.UnixMicro())
		if c.last.CompareAndSwap(last, id) {
			return id
		}
	}
}
