package notifier

import (
	"math"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/transport"
)

// Subscribe answers a SUBSCRIBE. A NOTIFY follows what is granted (RFC 6665 §4.2.1.2).
func (n *Notifier) Subscribe(r *transport.Request) {
	a, no := n.ask(r)
	if no != nil {
		r.Reply(*no)
		return
	}
	user, fields, ok := n.parts.Who(r)
	if !ok {
		return
	}
	who, ok := n.parts.Watcher(user)
	if !ok {
		r.Respond(403, "", fields...)
		return
	}
	v := visit{n: n, r: r, asking: a, user: user, who: who, fields: fields, now: time.Now()}
	if r.Initial() {
		v.begin()
	} else {
		v.refresh()
	}
}

// A visit is a SUBSCRIBE that is being answered.
type visit struct {
	asking
	n      *Notifier
	r      *transport.Request
	user   string
	who    Watcher
	fields []transport.Field
	now    time.Time
	bag    bag
}

func (v *visit) refuse(status int, reason string) { v.r.Respond(status, reason, v.fields...) }

// grant answers 200, and sends what is in the bag.
func (v *visit) grant(s *subscription) {
	v.fields = append(v.fields,
		transport.Field{Name: "Expires", Value: seconds(v.granted)},
		transport.Field{Name: "Contact", Value: "<" + v.n.parts.Transport.ContactFor(v.r.Flow(), "") + ">"})
	if s.list != nil {
		v.fields = append(v.fields, transport.Field{Name: "Require", Value: "eventlist"})
	}
	v.r.Respond(200, "", v.fields...)
	v.n.send(&v.bag)
}

// begin makes a subscription.
func (v *visit) begin() {
	n := v.n
	subject, ok := n.parts.Subject(v.r.URI())
	if !ok {
		v.refuse(404, "")
		return
	}
	s := v.subscription()
	if !s.fits() {
		v.refuse(400, "Too Long, Or Not UTF-8")
		return
	}
	may := event.Allowed
	if v.list != "" {
		if ok = n.enlist(s, v.list); !ok {
			v.refuse(404, "")
			return
		}
	} else {
		var level presence.Level
		if level, may = n.judge(s.pack, v.who, subject); may == event.Refused {
			v.refuse(403, "")
			return
		}
		n.mu.Lock()
		n.occupy(&s.place, topicKey{s.pack, subject}, s.look(level))
		n.mu.Unlock()
		n.learn(&s.place)
	}
	n.mu.Lock()
	if full := v.enter(s, may); full != "" {
		n.drop(s)
		n.mu.Unlock()
		v.fields = append(v.fields, transport.Field{Name: "Retry-After", Value: seconds(event.Spread(5*time.Minute, rand.Uint32()))})
		v.refuse(503, full)
		return
	}
	n.mu.Unlock()
	v.grant(s)
}

// enter grants a new subscription, unless there are too many: then it says so. n.mu is
// held.
func (v *visit) enter(s *subscription, may event.Permission) (full string) {
	n := v.n
	if n.stopped {
		return "Stopping"
	}
	if ok, what := n.room(s); !ok {
		return what
	}
	act := s.machine.Subscribe(v.granted, may, v.now)
	if !act.Remove {
		n.enter(s)
	}
	n.perform(s, act, allowed(may, latest), v.now, &v.bag)
	if !s.gone {
		n.keep(s, true)
	}
	return ""
}

// allowed is what a NOTIFY may have in it.
func allowed(may event.Permission, what content) content {
	if may == event.Allowed {
		return what
	}
	return nothing
}

// subscription makes what a new subscription is. Nothing in it is part of the
// message's memory.
func (v *visit) subscription() *subscription {
	r, n := v.r, v.n
	s := &subscription{
		pack: v.pack, eventID: strings.Clone(v.event.ID), pace: v.pack.Pace(v.event),
		entity: strings.Clone(r.Target()), user: strings.Clone(v.user), watcher: v.who,
		profile: v.profile, lang: n.language(r), form: v.form,
		key:     dialogKey{callID: strings.Clone(r.CallID())},
		target:  v.contact.URI.String(),
		flow:    r.Flow(),
		theirs:  r.CSeq(),
		limit:   math.MaxUint32,
		machine: event.Notifier{Seed: rand.Uint32()},
	}
	// From and To change sides, and our side gets its tag (RFC 6665 §4.4.1).
	s.from, s.to = tagged(r.Header("To"), r.LocalTag()), strings.Clone(r.Header("From"))
	s.key.local, s.key.remote = within(s.from, r.LocalTag()), within(s.to, r.From().Tag())
	for _, route := range r.Values("Record-Route") {
		s.routes = append(s.routes, strings.Clone(route))
	}
	s.phone = s.target
	if instance, ok := v.contact.Params.Get("+sip.instance"); ok {
		s.phone = strings.Clone(instance)
	}
	s.id, s.ticket = s.key.id(), n.ticket(s)
	if n.keeper != nil {
		s.limit = ahead
		s.asked = ahead
	}
	s.place.owner = s
	return s
}

// mostKept is how many bytes of a SUBSCRIBE are kept.
const mostKept = 4096

// fits reports whether what is kept of a SUBSCRIBE is not too much, and is text, as
// databases want it.
func (s *subscription) fits() bool {
	size := 0
	for _, text := range append(s.routes, s.eventID, s.entity, s.user, s.key.callID, s.from, s.to, s.target, s.phone) {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x00\n") {
			return false
		}
		size += len(text)
	}
	return size <= mostKept
}

// tagged is an address as it is in a header, with a tag.
func tagged(header, tag string) string { return header + ";tag=" + tag }

// within is part of a text, so that it needs no memory of its own.
func within(text, part string) string {
	if i := strings.LastIndex(text, part); i >= 0 {
		return text[i : i+len(part)]
	}
	return strings.Clone(part)
}

func (s *subscription) look(level presence.Level) look {
	return look{s.entity, level, s.form, s.lang, s.profile}
}

// refresh prolongs a subscription, or ends it.
func (v *visit) refresh() {
	n, r := v.n, v.r
	n.mu.Lock()
	key := dialogKey{r.CallID(), r.To().Tag(), r.From().Tag()}
	s := n.dialogs[key.id()]
	var subject presence.Subject
	if s != nil && s.place.topic != nil {
		subject = s.place.topic.key.subject
	}
	n.mu.Unlock()
	// A phone that hears 481 subscribes anew, which is what heals it.
	if s == nil || s.key != key || s.pack != v.pack || s.eventID != v.event.ID {
		v.refuse(481, "Subscription Does Not Exist")
		return
	}
	if s.user != v.user {
		v.refuse(403, "")
		return
	}
	if target := v.contact.URI.String(); len(target) > mostKept || !utf8.ValidString(target) {
		v.refuse(400, "Bad Contact")
		return
	}
	level, may := presence.Hidden, event.Allowed
	if s.list == nil {
		level, may = n.judge(s.pack, v.who, subject)
	} else if !n.enlist(s, s.list.group) {
		may = event.Refused
	}
	n.mu.Lock()
	switch {
	case s.gone:
		n.mu.Unlock()
		v.refuse(481, "Subscription Does Not Exist")
		return
	case r.CSeq() <= s.theirs: // RFC 3261 §12.2.2
		n.mu.Unlock()
		v.refuse(500, "CSeq Out Of Order")
		return
	}
	v.prolong(s, level, may)
	n.mu.Unlock()
	v.grant(s)
}

// prolong does what a refresh asks for. n.mu is held.
func (v *visit) prolong(s *subscription, level presence.Level, may event.Permission) {
	n := v.n
	s.theirs, s.flow = v.r.CSeq(), v.r.Flow()
	if !v.contact.URI.IsZero() {
		s.target = v.contact.URI.String()
	}
	if s.place.topic != nil {
		n.look(&s.place, s.look(level))
	}
	s.list.forget() // a refresh gets the whole list (RFC 4662 §4.5)
	act := s.machine.Subscribe(v.granted, may, v.now)
	what := latest
	if act.Remove {
		what = closed
	}
	n.perform(s, act, allowed(may, what), v.now, &v.bag)
	if !s.gone {
		n.schedule(s, s.machine.Expires)
		n.keep(s, false)
	}
}
