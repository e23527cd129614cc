package notifier

import (
	"bytes"
	"hash/maphash"
	"strconv"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/mwi"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/winfo"
)

type topicKey struct {
	pack    *pack
	subject presence.Subject
}

// A topic is a subject in an event package. It is there while somebody watches it,
// and guarded by [Notifier.mu].
type topic struct {
	key    topicKey
	turn   uint32 // rises with each change of the facts; 0: they have not been read
	facts  facts
	views  []*view
	places []*place
}

// facts are what a source says of a subject. Each package has its own.
type facts struct {
	state        *presence.Effective
	calls        []dialoginfo.Live
	registration *registration
	waiting      *mwi.Summary
	watchers     *[]winfo.Watcher // few ask for them, and there is a topic for each lamp
}

// registration is one, and when it was as it says.
type registration struct {
	reginfo.Registration
	at time.Time
}

// lost says that a critical device cannot be reached any more.
func (f *facts) lost(before *facts) bool {
	return f.state != nil && f.state.Critical && f.state.Channels == 0 && before.state != nil && before.state.Channels != 0
}

// A look is all that a document depends on, besides the facts.
type look struct {
	entity  string
	level   presence.Level
	form    uint8
	lang    string
	profile *profile.Profile
}

// A view is what those see of a topic who have the same look at it.
type view struct {
	look
	refs int32
	turn uint32 // of the topic, when the document was made
	made moment
	doc  document
}

// A document is a body as it is sent, but for the version of those that have one,
// which belongs where mark is. hash is that of what it says, without the passing of
// time.
type document struct {
	body []byte
	mark int // -1: no version
	hash uint64
	gone bool // the subscription is to end, since there is nothing to show
}

// A place is where a subscription, or an entry of a list, looks at a topic from.
type place struct {
	topic *topic
	view  *view
	index int32
	owner *subscription
	entry *member // nil: it is the subscription itself
}

// stale is after what time a document is not sent any more to whoever subscribes,
// since it tells how long calls have lasted.
const stale = moment(time.Second)

// document returns what is seen from a place. fresh is for one that is sent: how long
// things have lasted is right in it. n.mu is held.
func (n *Notifier) document(p *place, now time.Time, fresh bool) *document {
	v, t := p.view, p.topic
	if v.turn != t.turn || fresh && t.key.pack.ages && n.moment(now)-v.made > stale {
		v.turn, v.made = t.turn, n.moment(now)
		v.doc = t.key.pack.write(&v.look, &t.facts, now)
	}
	return &v.doc
}

// made is a document of a body. what is the same body without what time alone
// changes; nil: it is the body.
func (n *Notifier) made(body, what []byte) document {
	if what == nil {
		what = body
	}
	return document{body: bytes.Clone(body), mark: -1, hash: maphash.Bytes(n.seed, what) | 1}
}

var versionZero = []byte(`version="0"`)

// versioned takes the version out of a document that was made with 0.
func (d document) versioned() document {
	if i := bytes.Index(d.body, versionZero); i >= 0 {
		d.mark = i + len(versionZero) - 2
		d.body = append(d.body[:d.mark], d.body[d.mark+1:]...)
	}
	return d
}

// appendTo appends the body with a version.
func (d *document) appendTo(dst []byte, version uint32) []byte {
	if d.mark < 0 {
		return append(dst, d.body...)
	}
	dst = append(dst, d.body[:d.mark]...)
	dst = strconv.AppendUint(dst, uint64(version), 10)
	return append(dst, d.body[d.mark:]...)
}

// occupy has a place look at a topic. n.mu is held.
func (n *Notifier) occupy(p *place, k topicKey, l look) {
	t := n.topics[k]
	if t == nil {
		t = &topic{key: k}
		n.topics[k] = t
		k.pack.topics.Add(1)
		if k.pack.states {
			n.parts.Watch.Add(k.subject)
		}
	}
	p.topic, p.index = t, int32(len(t.places))
	t.places = append(t.places, p)
	n.look(p, l)
}

// look has a place look at its topic in another way. n.mu is held.
func (n *Notifier) look(p *place, l look) {
	if p.view != nil && p.view.look == l {
		return
	}
	n.avert(p)
	for _, v := range p.topic.views {
		if v.look == l {
			v.refs++
			p.view = v
			return
		}
	}
	p.view = &view{look: l, refs: 1}
	p.topic.views = append(p.topic.views, p.view)
}

// avert lets go of a place's view.
func (n *Notifier) avert(p *place) {
	v := p.view
	if v == nil {
		return
	}
	p.view = nil
	if v.refs--; v.refs > 0 {
		return
	}
	all := p.topic.views
	for i := range all {
		if all[i] == v {
			last := len(all) - 1
			all[i], all[last] = all[last], nil
			p.topic.views = all[:last]
			return
		}
	}
}

// forsake takes a place away from its topic. n.mu is held.
func (n *Notifier) forsake(p *place) {
	t := p.topic
	if t == nil {
		return
	}
	n.avert(p)
	last := len(t.places) - 1
	t.places[p.index] = t.places[last]
	t.places[p.index].index = p.index
	t.places[last] = nil
	t.places = t.places[:last]
	p.topic = nil
	if last > 0 {
		return
	}
	delete(n.topics, t.key)
	t.key.pack.topics.Add(-1)
	if t.key.pack.states && !n.watched(t.key.subject) {
		n.parts.Watch.Remove(t.key.subject)
	}
}

// watched reports whether any topic needs the state of a subject. n.mu is held.
func (n *Notifier) watched(s presence.Subject) bool {
	for _, p := range n.packs {
		if p.states && n.topics[topicKey{p, s}] != nil {
			return true
		}
	}
	return false
}

// learn reads the facts of topics that are new. n.mu is not held.
func (n *Notifier) learn(places ...*place) {
	for _, p := range places {
		n.mu.Lock()
		t := p.topic
		known := t == nil || t.turn > 0
		n.mu.Unlock()
		if known {
			continue
		}
		f := t.key.pack.read(t.key.subject)
		n.mu.Lock()
		if t.turn == 0 {
			t.facts, t.turn = f, 1
		}
		n.mu.Unlock()
	}
}

// renew reads the facts of a topic again, and tells whoever watches it.
func (n *Notifier) renew(k topicKey, bag *bag) {
	n.mu.Lock()
	t := n.topics[k]
	n.mu.Unlock()
	if t == nil {
		return
	}
	f := k.pack.read(k.subject)
	now := time.Now()
	n.mu.Lock()
	lost := f.lost(&t.facts)
	t.facts = f
	t.turn = max(t.turn+1, 1)
	// Whoever goes meanwhile is replaced by one from the end.
	for i := len(t.places) - 1; i >= 0; i-- {
		if i >= len(t.places) {
			continue
		}
		p := t.places[i]
		p.owner.urgent = p.owner.urgent || lost
		n.news(p, now, bag)
		if len(bag.letters) >= handful {
			n.mu.Unlock()
			n.send(bag)
			n.mu.Lock()
		}
	}
	n.mu.Unlock()
	n.send(bag)
}

// news says that what is seen from a place may have changed. n.mu is held.
func (n *Notifier) news(p *place, now time.Time, bag *bag) {
	if p.owner.gone || p.topic.turn == 0 {
		return
	}
	if m := p.entry; m != nil && n.hash(m, now) == m.seen {
		return
	}
	n.offer(p.owner, now, bag)
}
