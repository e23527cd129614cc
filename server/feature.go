package server

import (
	"context"
	"time"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Feature is something that people get: one directory under features.
type Feature interface {
	// Info says what it is; the README's table is printed from it.
	Info() Info
	// Register puts its handlers in place. It starts nothing.
	Register(*Registry)
}

// Info describes a feature.
type Info struct {
	Name    string // the directory's name
	Title   string // what people get, in a few words
	Specs   []Spec
	Host    []string // disco#info features of the server (XEP-0030)
	Account []string // disco#info features of an account
	Own     []string // … of one's own account only
	Kinds   []Kind   // what an account is besides
}

// Kind is an identity of an entity (XEP-0030 §3.1): {"pubsub", "pep"}.
type Kind struct{ Category, Type string }

// Spec is a specification that a feature implements.
type Spec struct {
	ID   string // "XEP-0199", "RFC 6121 §2"
	Note string // what is left out, or ""
}

// Direction says on which side of its journey a stanza is.
type Direction uint8

// A stanza leaves its sender's account and arrives at its receiver's.
const (
	Leaving Direction = iota
	Arriving
	numDirections
)

// Phase is the order in which handlers see a stanza; within a phase the order
// is that of the list of features.
type Phase uint8

// Guard may refuse, Amend may change, Record may keep, Copy may send elsewhere.
const (
	Guard Phase = iota
	Amend
	Record
	Copy
	numPhases
)

// Handler looks at a packet. nil lets it go on; Done ends its journey in
// silence; any other error refuses it, and the sender is told.
type Handler func(*Packet) error

// Done is returned by a handler that has taken the stanza upon itself.
var Done error = done{}

type done struct{}

// Error implements error.
func (done) Error() string { return "handled" }

// Packet is a stanza on its way. It is valid during the call only.
type Packet struct {
	Stanza   *stanza.Stanza
	From     jid.JID  // the sender, stamped
	To       jid.JID  // the receiver; the sender's own bare JID if it named none
	Sender   *Session // nil unless it comes straight from a session here
	Account  *Account // whose phases these are
	Annex    *Annex   // where it comes from, if it comes from an annex
	Stranger bool     // a Guard has found that sender and receiver are no contacts
	Stamp    string   // if set, the escaped address to put in from instead of the sender's full JID

	// Arriving messages.
	Action Action    // what will become of it
	Keep   Keep      // what Record handlers want kept
	Again  bool      // a second attempt at delivery: it was recorded and copied before
	Copies int       // how many sessions have it through Copy handlers
	Since  time.Time // when the message was first delivered, if Again

	srv     *Server
	toAttr  string // To, escaped
	extra   []byte // elements to add for this account
	own     []byte // elements to add in copies for the sender's account
	scratch *scratch
}

// Keep is what the Record phase decides about a message.
type Keep struct {
	ID        int64 // archive id, of both archives: microseconds since 1970, unique here; see Stamped
	Sender    bool  // in the sender's archive
	Recipient bool  // in the recipient's
	Offline   bool  // until the recipient's next login
	SenderID  int64 // account numbers, where kept
	OwnerID   int64
}

// Add appends elements to the stanza as this account receives it.
func (p *Packet) Add(elements []byte) { p.extra = append(p.extra, elements...) }

// Extra returns what Add has put together so far.
func (p *Packet) Extra() []byte { return p.extra }

// AddOwn appends elements to the copies that other sessions of the sender get.
func (p *Packet) AddOwn(elements []byte) { p.own = append(p.own, elements...) }

// AppendCopy appends the stanza as the account receives it, or for the
// sender's account (own), as other sessions of it are to see it.
func (p *Packet) AppendCopy(dst []byte, own bool) []byte {
	if own {
		return p.Stanza.Append(dst, p.fromAttr(), p.toAttr, p.own)
	}
	return p.Stanza.Append(dst, p.fromAttr(), p.toAttr, p.extra)
}

// Request is an <iq/> of type get or set that is to be answered here.
type Request struct {
	From    jid.JID
	To      jid.JID
	Session *Session // who asks, if connected here
	Account *Account // whose matter it is; nil for a request to the server or to nobody
	Set     bool
	Payload *stanza.Element
	Stanza  *stanza.Stanza
	packet  *Packet
	replied bool
	after   []func()
}

// Reply sends the result now, for those who hold a lock that says what comes
// after it, such as later changes of what the result shows. The answerer's own
// return is then of no account.
func (r *Request) Reply(payload []byte) {
	if !r.replied {
		r.replied = true
		r.packet.srv.reply(r.packet, payload)
	}
}

// After has f called once the answer is on its way, if the request succeeds: a
// session that removes its own account still hears that it did.
func (r *Request) After(f func()) { r.after = append(r.after, f) }

// Own reports whether people ask about their own account.
func (r *Request) Own() bool { return r.Account != nil && r.From.Bare() == r.Account.JID }

// Answerer answers a request with the payload of the result, which may be
// empty, or with an error.
type Answerer func(ctx context.Context, r *Request) (payload []byte, err error)

// Target says to whom a request is addressed.
type Target uint8

// Requests go to the server (a domain), to one's own account (no address or
// one's own bare JID), to the account of somebody else, to one that does not
// exist, or to a resource that stands for an account itself (see
// [Registry.Alias]): where nobody answers for those, it is service-unavailable.
const (
	ToHost Target = iota
	ToSelf
	ToOther
	ToNobody
	ToAlias
	numTargets
)

// Node answers service discovery of one node (XEP-0030 §3.2, §4.2): the payload
// is the whole <query/>.
type Node struct{ Info, Items Answerer }

type nodeKey struct {
	target Target
	node   string
}

type iqKey struct {
	target       Target
	set          bool
	space, local string
}

// Registry is where features put their handlers.
type Registry struct {
	srv      *Server
	handlers [4][numDirections][numPhases][]Handler
	host     [4]Handler
	iq       map[iqKey]Answerer
	nodes    map[nodeKey]Node
	bound    []func(*Session)
	ending   []func(*Session)
	ended    []func(*Session)
	rested   []func(*Session)
	flushed  []func(*Session, []int64)
	added    []func(context.Context, ...jid.Bare)
	removing []func(context.Context, *Account)
	removed  []func(*Account)
	changed  []func(*Account)
	attached []func(*Annex)
	detached []func(*Annex)
	probe    func(p *Packet, kept *Account)
	streams  []func(domain string) []byte
	filters  Loader
	infos    []Info
	aliases  []string
	slots    int
	flags    int
}

// Server returns the server that the features are registered with.
func (r *Registry) Server() *Server { return r.srv }

// On adds a handler for stanzas of a kind.
func (r *Registry) On(k stanza.Kind, d Direction, p Phase, h Handler) {
	r.handlers[k][d][p] = append(r.handlers[k][d][p], h)
}

// Host sets who takes messages, or presence, that are for the server itself: what is
// no error, and from whoever it comes. Without one messages are refused, and presence
// is ignored.
func (r *Registry) Host(k stanza.Kind, h Handler) {
	if r.host[k] != nil {
		panic("server: two features take a " + k.String() + " for the server")
	}
	r.host[k] = h
}

// IQ adds the answerer of requests for a payload; set tells set from get.
func (r *Registry) IQ(t Target, set bool, space, local string, a Answerer) {
	k := iqKey{t, set, space, local}
	if _, taken := r.iq[k]; taken {
		panic("server: two features answer " + space + " " + local)
	}
	r.iq[k] = a
}

// Node adds a node of the server (ToHost) or of one's own account (ToSelf), which
// service discovery then knows.
func (r *Registry) Node(t Target, node string, n Node) {
	k := nodeKey{t, node}
	if _, taken := r.nodes[k]; taken {
		panic("server: two features have the node " + node)
	}
	r.nodes[k] = n
}

// OnBound adds a call for each session as it is bound.
func (r *Registry) OnBound(f func(*Session)) { r.bound = append(r.bound, f) }

// OnEnding adds a call for each session that is about to be over, just before it
// leaves the directory. It must not block; OnEnded comes next.
func (r *Registry) OnEnding(f func(*Session)) { r.ending = append(r.ending, f) }

// OnEnded adds a call for each session that is over, on the goroutine that
// owned it, after it has left the directory.
func (r *Registry) OnEnded(f func(*Session)) { r.ended = append(r.ended, f) }

// OnRested adds a call for each session whose client has been silent for so long
// that what it may not need soon is to be let go of. It comes on the goroutine that
// reads the stream, and again after the client has been heard of.
func (r *Registry) OnRested(f func(*Session)) { r.rested = append(r.rested, f) }

// OnFlushed adds a call that hears which offline messages (Delivery.Ref) have
// reached the client: were acknowledged, or sent to one that cannot
// acknowledge. It must not block.
func (r *Registry) OnFlushed(f func(s *Session, refs []int64)) { r.flushed = append(r.flushed, f) }

// OnAdded adds a call for accounts that were made, one or many. Nobody has logged in to it
// yet.
func (r *Registry) OnAdded(f func(context.Context, ...jid.Bare)) { r.added = append(r.added, f) }

// OnRemoving adds a call for each account that is about to be removed: the last
// chance to read what is its own.
func (r *Registry) OnRemoving(f func(context.Context, *Account)) { r.removing = append(r.removing, f) }

// OnRemoved adds a call for each account that was removed.
func (r *Registry) OnRemoved(f func(*Account)) { r.removed = append(r.removed, f) }

// OnChanged adds a call for each account whose data somebody else has changed in
// the database: what is remembered of it is not to be trusted any more.
func (r *Registry) OnChanged(f func(*Account)) { r.changed = append(r.changed, f) }

// StreamFeature adds an element to the features of an authenticated stream.
func (r *Registry) StreamFeature(f func(domain string) []byte) { r.streams = append(r.streams, f) }

// Alias has a resource stand for the account itself while no session has it:
// messages to it are treated as if they were to the bare JID, and requests to it
// are answered by whoever registers for ToAlias.
func (r *Registry) Alias(resource string) { r.aliases = append(r.aliases, resource) }

// Infos returns what is registered, in order.
func (r *Registry) Infos() []Info { return r.infos }

// Slot is a feature's place for its own data in a session.
type Slot int

// NewSlot returns a place of one's own in each session. What is in it belongs
// to the goroutine that reads the session's stream.
func (r *Registry) NewSlot() Slot { r.slots++; return Slot(r.slots - 1) }

// Flag is a feature's own bit in a session, which all may read.
type Flag uint32

// NewFlag returns a bit of one's own.
func (r *Registry) NewFlag() Flag { r.flags++; return Flag(1 << (r.flags - 1)) }
