// Package caps knows what people's clients can do. Each says in its presence what
// hash its abilities are known by (XEP-0115); what a hash stands for is asked of the
// first client that names it, and remembered for all others.
//
// An answer that does not have the hash it was asked for is believed of the client
// that gives it, and of nobody else (XEP-0115 §5.4, §9.2). Nor is one that has it by
// saying in another way what the hash is made of: else one account could have all who
// use the same program hear of nothing any more.
package caps

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"
	"sync"
	"sync/atomic"

	"rollcall/server"
	"rollcall/xmpp/entity"
	"rollcall/xmpp/stanza"
)

// Feature finds out what clients can do.
type Feature struct {
	// Fixed after Register.
	srv     *server.Server
	slot    server.Slot // of a session's *said
	learned []func(*server.Session)

	// Safe.
	asked atomic.Uint64
	known cache
	now   sync.Map // *server.Session -> *Abilities
}

// said is what a session's client says of itself.
type said struct {
	element []byte // <c/> as it came, so that the same again costs nothing
	id      string // of the question that is open; "" for none
	sum     sum
}

// sum is what abilities are known by. Without a hash function that is known here
// there is nothing to verify.
type sum struct{ hash, ver string }

// New returns the feature.
func New() *Feature { return &Feature{known: cache{most: maxKnown}} }

// OnLearned adds a call for each session of whose client something else is known than
// before. It runs on the goroutine that reads the stream.
func (f *Feature) OnLearned(h func(*server.Session)) { f.learned = append(f.learned, h) }

// Of returns what a session's client can do; nil while that is not known. Anybody may
// ask.
func (f *Feature) Of(s *server.Session) *Abilities {
	a, _ := f.now.Load(s)
	x, _ := a.(*Abilities)
	return x
}

// Interests returns the nodes of which a session's client wants to hear (XEP-0060
// §9.2), in order.
func (f *Feature) Interests(s *server.Session) []string {
	if a := f.Of(s); a != nil {
		return a.interests
	}
	return nil
}

// Info describes the feature.
func (*Feature) Info() server.Info {
	return server.Info{
		Name:  "caps",
		Title: "Knowing what people's clients can do",
		Specs: []server.Spec{{ID: "XEP-0115", Note: "hashes SHA-1, SHA-256 and SHA-512"}},
	}
}

// Register puts the handlers in place.
func (f *Feature) Register(r *server.Registry) {
	f.srv, f.slot = r.Server(), r.NewSlot()
	// Before presence is told to anybody, so that what is known already is so then.
	r.On(stanza.Presence, server.Leaving, server.Record, f.listen)
	r.On(stanza.IQ, server.Leaving, server.Record, f.answered)
	r.OnEnded(func(s *server.Session) { f.now.Delete(s) })
}

// listen looks at what a client says of itself to all.
func (f *Feature) listen(p *server.Packet) error {
	if p.Stanza.To != nil || len(p.Stanza.Type) > 0 {
		return nil
	}
	c := p.Stanza.Child(entity.NSCaps, "c")
	was, _ := p.Sender.Get(f.slot).(*said)
	if c == nil {
		if was != nil {
			p.Sender.Put(f.slot, nil)
			f.learn(p.Sender, nil)
		}
		return nil
	}
	raw := p.Stanza.Bytes(c.At)
	if was != nil && bytes.Equal(was.element, raw) {
		return nil
	}
	if len(raw) > maxElement {
		return nil
	}
	e, err := stanza.Parse(raw, stanza.NSClient, p.Stanza.Prefixes)
	if err != nil {
		return nil
	}
	now := &said{element: bytes.Clone(raw), sum: sum{e.Attr("hash"), e.Attr("ver")}}
	p.Sender.Put(f.slot, now)
	if a := f.known.get(now.sum); a != nil {
		f.learn(p.Sender, a)
		return nil
	}
	f.ask(p.Sender, now, e.Attr("node")+"#"+now.sum.ver)
	return nil
}

// maxElement bounds what a client can say of itself in each presence, in bytes.
const maxElement = 2048

// ask asks a client what its hash stands for (XEP-0115 §6.2).
func (f *Feature) ask(s *server.Session, now *said, node string) {
	now.id = "caps-" + strconv.FormatUint(f.asked.Add(1), 36)
	b := append([]byte("<iq type='get' id='"), now.id...)
	b = stanza.AppendAttr(append(b, '\''), "from", s.JID.Domain())
	b = append(append(append(b, " to='"...), s.Full()...), "'>"...)
	b = append(entity.Open(b, entity.NSInfo, node), "/></iq>"...)
	s.Send(stanza.IQ, b)
}

// answered takes a client's answer.
func (f *Feature) answered(p *server.Packet) error {
	result := p.Stanza.IsType("result")
	if !result && !p.Stanza.IsType("error") {
		return nil
	}
	asked, _ := p.Sender.Get(f.slot).(*said)
	if asked == nil || asked.id == "" || string(p.Stanza.ID) != asked.id || p.To.String() != p.Sender.JID.Domain() {
		return nil
	}
	asked.id = ""
	var a *Abilities
	if query := p.Stanza.Payload(); result && query != nil {
		if i, err := entity.Parse(query); err == nil {
			a = newAbilities(i)
			if h := hashes[asked.sum.hash]; h != nil && i.VerificationBy(h()) == asked.sum.ver && !i.Ambiguous() {
				f.known.put(asked.sum, a)
			}
		}
	}
	f.learn(p.Sender, a)
	return server.Done
}

// hashes are those of XEP-0300 §5 that clients use.
var hashes = map[string]func() hash.Hash{"sha-1": sha1.New, "sha-256": sha256.New, "sha-512": sha512.New}

// learn notes what a client can do, if that is news.
func (f *Feature) learn(s *server.Session, a *Abilities) {
	switch was := f.Of(s); {
	case was == a:
		return
	case a == nil:
		f.now.Delete(s)
	default:
		f.now.Store(s, a)
	}
	for _, h := range f.learned {
		h(s)
	}
}
