package sipgw

import (
	"context"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/event"
	"rollcall/sipgw/notifier"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
	"rollcall/sipgw/transport"
)

// Audience decides who may watch whom by SIP. It may read the database.
type Audience interface {
	// Level says how much a watcher sees of somebody: nothing of those who do not exist,
	// or have blocked them.
	Level(watcher, of presence.Subject) presence.Level

	// Approval says whether somebody lets a watcher watch. Those who have not been asked
	// are.
	Approval(watcher, of presence.Subject) event.Permission

	// Group lists the members of a roster group as a watcher has them; false if there is
	// no such group in their roster.
	Group(group string, watcher presence.Subject) ([]notifier.Member, bool)
}

// notify has phones told what they subscribe to.
func (g *Gateway) notify() {
	p := &g.parts
	g.Notifier = notifier.New(notifier.Parts{
		Transport: g.Transport, Who: g.Door.Who, Watcher: g.watcher, Subject: g.Subject,
		Level: p.Audience.Level, Approval: p.Audience.Approval, Group: p.Audience.Group,
		States: p.States, Watch: p.Watch, Catalogue: p.Catalogue,
		Lines: lines{g}, Registrations: registrations{g}, Mailboxes: g.Mailboxes, Watchers: p.Watchers, Store: p.Subscriptions, Log: p.Log,
	}, p.Config.Notifier)
	g.Notifier.Register(func(method string, h transport.Handler) {
		g.desks = newDesks(h)
		g.Transport.Handle(method, g.subscribed)
	})
	g.Registrar.OnChange(g.registered)
}

// subscribed takes a SUBSCRIBE, unless it is between two phones.
func (g *Gateway) subscribed(r *transport.Request) {
	if g.Calls.Passes(r) {
		g.Calls.Handle(r)
		return
	}
	if !g.desks.put(r) {
		r.Respond(503, "", transport.Field{Name: "Retry-After", Value: "10"})
	}
}

// desks are where requests wait whose answers need the database: who reads sockets
// must not. Those of one Call-ID stay in order.
type desks struct {
	serve transport.Handler
	seed  maphash.Seed
	lines [8]chan *transport.Request
}

// waiting is how many requests may wait at one desk.
const waiting = 512

func newDesks(serve transport.Handler) *desks {
	d := &desks{serve: serve, seed: maphash.MakeSeed()}
	for i := range d.lines {
		d.lines[i] = make(chan *transport.Request, waiting)
	}
	return d
}

// put has a request served; false if too many wait.
func (d *desks) put(r *transport.Request) bool {
	select {
	case d.lines[maphash.String(d.seed, r.CallID())%uint64(len(d.lines))] <- r:
		return true
	default:
		return false
	}
}

// run serves until the context ends.
func (d *desks) run(ctx context.Context) {
	var all sync.WaitGroup
	for _, line := range d.lines {
		all.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case r := <-line:
					d.serve(r)
				}
			}
		})
	}
	all.Wait()
}

// watcher says who a SIP user is: the device, which sees with the eyes of whom it is
// assigned to.
func (g *Gateway) watcher(user string) (w notifier.Watcher, ok bool) {
	d := g.device(user)
	if d == nil {
		return w, false
	}
	w = notifier.Watcher{As: d.JID, Device: d.JID}
	if d.Owner != "" && !d.Shared && !g.parts.OwnNames {
		w.As = d.Owner
	}
	return w, true
}

// Subject says whom a URI is about: a device by its user, its ID or a number that it
// has alone; whoever has all devices with a number; or else the person of that address.
// It need not exist. ok is false if it is at none of our domains.
func (g *Gateway) Subject(u transport.URI) (who presence.Subject, ok bool) {
	p := g.parts.Devices.Picture()
	if !u.IsSIP() {
		number, _, _ := strings.Cut(u.Opaque, ";")
		return byNumber(p, number), u.Scheme == "tel"
	}
	host := strings.ToLower(u.Host)
	if _, ok = g.domain(host); !ok {
		return "", false
	}
	user := transport.Unescape(u.User)
	if d := p.ByUser(user); d != nil {
		return d.JID, true
	}
	if d := p.ByID(user); d != nil {
		return d.JID, true
	}
	if who = byNumber(p, user); who != nobody {
		return who, true
	}
	if !g.people[host] && len(g.parts.Hosts) > 0 {
		host = g.parts.Hosts[0]
	}
	if who, ok := address.Account(user, host); ok {
		return who, true
	}
	return nobody, true
}

// nobody is who is not there, whom nobody sees.
const nobody presence.Subject = "nobody.invalid"

// byNumber finds who has a number, or else nobody.
func byNumber(p *device.Picture, s string) presence.Subject {
	number, err := device.ParseNumber(s)
	if err != nil {
		return nobody
	}
	all := p.ByNumber(number)
	if len(all) == 0 {
		return nobody
	}
	for _, d := range all {
		if len(all) == 1 || d.Owner == "" || d.Owner != all[0].Owner || d.Shared {
			return all[0].JID
		}
	}
	return all[0].Owner
}

// URI returns by which address SIP knows somebody.
func (g *Gateway) URI(who presence.Subject) string {
	if d := g.parts.Devices.Picture().ByJID(who); d != nil {
		return "sip:" + transport.EscapeUser(d.User) + "@" + d.JID.Domain()
	}
	uri, _ := new(address.Mapper).URI(who.With(""))
	return uri
}

// tell tells who watches a device, or the person that it is of, that something of it is
// another thing.
func (g *Gateway) tell(pkg string, d *device.Device) {
	if g.Notifier == nil {
		return
	}
	g.Notifier.Changed(pkg, d.JID)
	if d.Owner != "" && !d.Shared {
		g.Notifier.Changed(pkg, d.Owner)
	}
}

// registered takes up what has happened to a binding: whoever watches is told, and the
// phone, if it was lost, what it has missed.
func (g *Gateway) registered(c registrar.Change) {
	user := status.User(c.AOR)
	if g.Notifier.Watched("reg") {
		if d := g.parts.Devices.Picture().ByUser(user); d != nil {
			g.tell("reg", d)
		}
	}
	if c.What.Gone() || c.What == registrar.Restored {
		return
	}
	if flow, ok := g.Flow(c.Binding); ok {
		g.Notifier.Registered(user, c.Binding.Contact, c.Binding.Instance, flow)
	}
}

// registrations knows where devices are registered.
type registrations struct{ *Gateway }

// Registration implements notifier.Registrations.
func (r registrations) Registration(who presence.Subject) reginfo.Registration {
	reg := reginfo.Registration{AOR: r.URI(who), ID: "r1", State: reginfo.Init}
	p := r.parts.Devices.Picture()
	all := p.OwnedBy(who)
	if d := p.ByJID(who); d != nil {
		all = []*device.Device{d}
	}
	now := time.Now()
	for _, d := range all {
		if d.Shared && d.JID != who {
			continue
		}
		for _, b := range r.Registrar.Lookup(status.AOR(d)) {
			reg.State = reginfo.Active
			reg.Contacts = append(reg.Contacts, contact(b, now))
		}
	}
	return reg
}

func contact(b *registrar.Binding, now time.Time) reginfo.Contact {
	c := reginfo.Contact{
		ID: "b" + strconv.FormatUint(b.ID, 10), State: reginfo.Active, Event: reginfo.Registered, URI: b.Contact,
		Instance: strings.Trim(b.Instance, "<>"), CallID: b.CallID, CSeq: b.CSeq,
		Duration: now.Sub(b.Created), Expires: max(b.Expires.Sub(now), 0), RetryAfter: -1,
	}
	if b.Refreshed.After(b.Created) {
		c.Event = reginfo.Refreshed
	}
	return c
}
