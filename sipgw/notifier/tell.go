package notifier

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"rollcall/sipgw/event"
	"rollcall/sipgw/transport"
)

// content is what a NOTIFY has in it.
type content uint8

const (
	latest  content = iota // the state as it is now
	nothing                // no body
	closed                 // for who unsubscribes: of presence that it is closed
)

// offer tells a subscription the latest state, if that is news and may be told now;
// or has it told as soon as it may. n.mu is held.
func (n *Notifier) offer(s *subscription, now time.Time, bag *bag) {
	if s.gone || s.machine.Phase != event.Active {
		return
	}
	news, over := n.untold(s, now)
	switch {
	case over:
		n.perform(s, s.machine.Gone(), nothing, now, bag)
		return
	case !news:
		s.dirty, s.urgent = false, false
		return
	}
	s.dirty = true
	if s.machine.Failures > 0 || s.flight != 0 && !s.urgent {
		return // the retry tells it, or the answer
	}
	if due := event.Due(n.lastTold(s), s.pace, s.urgent); due.After(now) && (s.list == nil || !s.list.more) {
		n.schedule(s, due)
		return
	}
	n.post(s, latest, now, bag)
}

func (n *Notifier) lastTold(s *subscription) time.Time {
	if s.last == 0 {
		return time.Time{}
	}
	return n.time(s.last)
}

// untold reports whether a subscription has not been told what is so now, and whether
// it is over.
func (n *Notifier) untold(s *subscription, now time.Time) (news, over bool) {
	if s.list != nil {
		return n.listNews(s, now), false
	}
	d := n.document(&s.place, now, false)
	return d.hash != s.seen, d.gone
}

// perform does what the machine says. n.mu is held.
func (n *Notifier) perform(s *subscription, act event.Action, what content, now time.Time, bag *bag) {
	if act.Notify {
		n.post(s, what, now, bag)
	}
	if act.Remove {
		n.drop(s)
	}
}

// post puts a NOTIFY into the bag. n.mu is held.
func (n *Notifier) post(s *subscription, what content, now time.Time, bag *bag) {
	if s.cseq >= s.limit && s.machine.Phase != event.Terminated {
		s.dirty, s.seen = true, 0 // until more numbers are stored
		s.list.forget()
		return
	}
	var d *document
	if s.list == nil && s.place.topic != nil {
		d = n.document(&s.place, now, true)
		if d.gone && s.machine.Phase == event.Active {
			defer n.drop(s)
			s.machine.Gone()
			what = nothing
		}
	}
	if s.machine.Phase == event.Pending {
		what = nothing // RFC 8048 §5: nobody learns anything before they may
	}
	s.cseq++
	s.last, s.flight, s.dirty, s.urgent, s.seen = n.moment(now), s.cseq, false, false, 0
	l := bag.add(s)
	l.field("Event", s.eventHeader())
	l.field("Subscription-State", string(s.machine.State(now).Append(nil)))
	switch {
	case s.list != nil:
		l.field("Require", "eventlist")
		if what == latest {
			n.enclose(s, l, now, bag)
		}
	case what == latest || what == closed && !s.pack.closes || what == nothing && s.pack.full(s.profile):
		l.body(s, d, bag)
	case what == closed:
		e := n.closedDocument(s, now)
		l.body(s, &e, bag)
	}
	n.stock(s)
}

func (s *subscription) eventHeader() string {
	if s.eventID == "" {
		return s.pack.Name
	}
	return s.pack.Name + ";id=" + s.eventID
}

// body puts a document into a letter.
func (l *letter) body(s *subscription, d *document, bag *bag) {
	l.out.ContentType = s.pack.Types[s.form]
	s.seen = d.hash
	if d.mark < 0 {
		l.out.Body = d.body
		return
	}
	at := len(bag.pages)
	bag.pages = d.appendTo(bag.pages, s.version)
	l.out.Body = bag.pages[at:len(bag.pages):len(bag.pages)]
	s.version++
}

// A bag holds NOTIFYs that are sent when the lock is not held any more.
type bag struct {
	letters []letter
	pages   []byte // bodies with versions
}

// handful is how many NOTIFYs are made before they are sent.
const handful = 64

type letter struct {
	s      *subscription
	seq    uint32
	out    transport.Outgoing
	fields [3]transport.Field
	used   int
}

func (b *bag) add(s *subscription) *letter {
	b.letters = append(b.letters, letter{s: s, seq: s.cseq})
	l := &b.letters[len(b.letters)-1]
	l.out = transport.Outgoing{
		Method: "NOTIFY", URI: s.target, From: s.from, To: s.to, CallID: s.key.callID, CSeq: s.cseq,
		Routes: s.routes, Contact: "auto", Flow: s.flow,
	}
	return l
}

func (l *letter) field(name, value string) {
	l.fields[l.used] = transport.Field{Name: name, Value: value}
	l.used++
}

// send sends what is in a bag, and empties it. n.mu is not held.
func (n *Notifier) send(b *bag) {
	for i := range b.letters {
		l := &b.letters[i]
		l.out.Fields = l.fields[:l.used]
		if !l.out.Flow.Open() {
			// Where to is looked up, which may take longer than the bag is there.
			l.out.Flow = transport.Flow{}
			l.out.Fields, l.out.Body = slices.Clone(l.out.Fields), bytes.Clone(l.out.Body)
		}
		s, seq := l.s, l.seq
		n.parts.Transport.Start(l.out, func(res *transport.Response, err error) { n.answered(s, seq, res, err) })
	}
	clear(b.letters)
	b.letters = b.letters[:0]
	if b.pages = b.pages[:0]; cap(b.pages) > 1<<20 {
		b.pages = nil
	}
}

// answered takes the final answer to a NOTIFY, or that there is none.
func (n *Notifier) answered(s *subscription, seq uint32, res *transport.Response, err error) {
	if errors.Is(err, transport.ErrStopped) {
		return
	}
	var bag bag
	now := time.Now()
	n.mu.Lock()
	if s.gone || s.flight != seq { // or a later one has overtaken it
		n.mu.Unlock()
		return
	}
	s.flight = 0
	var act event.Action
	if err != nil {
		act = s.machine.Silent(now)
	} else {
		after := time.Duration(-1)
		if v := res.Header("Retry-After"); v != "" {
			after = event.Seconds(v)
		}
		act = s.machine.Answered(res.Status(), after, now)
	}
	n.perform(s, act, nothing, now, &bag)
	switch {
	case s.machine.Failures > 0:
		s.list.forget()
		n.schedule(s, s.machine.Retry)
	case s.dirty:
		n.offer(s, now, &bag)
	}
	n.mu.Unlock()
	n.send(&bag)
}
