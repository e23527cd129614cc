package pep

import (
	"context"
	"time"

	"rollcall/xmpp/jid"
)

// Item is what was published under an id. Its payload is one element that can stand
// anywhere, or nothing.
type Item struct {
	ID      string
	Payload []byte
	At      time.Time // in whole microseconds
}

// Node is what a store has of a node.
type Node struct {
	ID int64 // that the store knows it by; 0 for one that is new
	Options
	Name         string
	Items        int // how many there are
	Last         Item
	Affiliations []Affiliation
	Subscribers  []jid.JID
}

// Affiliation is what somebody else is to a node.
type Affiliation struct {
	JID  jid.Bare
	Kind Standing
}

// Standing is a kind of affiliation.
type Standing string

// The affiliations that an owner can give.
const (
	Member  Standing = "member"  // sees what others do not
	Outcast Standing = "outcast" // sees nothing
)

// Change is what is to be done to a node, in this order.
type Change struct {
	Node    Node // by its name and, unless it is new, its ID
	Options bool // write its options, and make it if it is new

	Put     *Item
	Retract []string // ids of items to take away
	Purge   bool     // take all away
	Delete  bool     // take the node away

	Affiliate []Affiliation // with an empty Kind: take it away
	Subscribe []jid.JID
	Leave     []jid.JID // they are subscribed no more

	Limits Limits
}

// Limits are what an account may keep. What goes over them is refused with
// [ErrTooManyNodes] or [ErrFull].
type Limits struct {
	Nodes int
	Items int // of the node that is changed; the oldest go
	Bytes int // of all items and their ids, members and outcasts, with Overhead for each
}

// Overhead is what each thing that is kept counts for besides its bytes, so that there
// cannot be too many of them either: all are looked at when something is published.
const Overhead = 256

// Page is a part of a node's items.
type Page struct {
	IDs  []string // if there are any: these, in whatever order there are
	Most int      // else the last so many
}

// Store keeps nodes and items.
type Store interface {
	// Nodes returns all nodes of an account, in order of their names.
	Nodes(ctx context.Context, account int64) ([]Node, error)

	// Change makes one change, all of it or nothing. Of items that a node has no room
	// for the oldest go.
	Change(ctx context.Context, account int64, c Change) error

	// Items returns items of a node in the order in which they were published, and
	// how many there are in all.
	Items(ctx context.Context, node int64, p Page) ([]Item, int, error)
}

// Census knows who keeps anything at all.
type Census interface {
	// Owners calls f for each account that has a node.
	Owners(ctx context.Context, f func(jid.Bare)) error
}

// Stores are a store and its census.
type Stores interface {
	Store
	Census
}
