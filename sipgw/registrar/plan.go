package registrar

import (
	"slices"
	"strings"
	"time"

	"rollcall/sipgw/addr"
)

// Registration is what a REGISTER asks for. Who asks, and whether they may, was
// found out before.
type Registration struct {
	AOR      string
	CallID   string
	CSeq     uint32
	Contacts []Contact
	Star     bool  // Contact: *
	Expires  int64 // of the header field, in seconds; -1: there is none
	Path     []string

	// Require and Supported are the values of these header fields.
	Require   []string
	Supported []string

	FirstHop  bool // the device sent it to us itself: it has one Via
	Flow      Flow
	UserAgent string
}

// Result is what came of a REGISTER, and what the answer has to say.
type Result struct {
	Status int // 200, or why nothing has changed
	Reason string

	Bindings   []*Binding // all that there are, if the status is 200
	MinExpires int64      // for the header field of that name, in seconds, if it is 423
	Unsupport  []string   // for the header field Unsupported, if it is 420
	Outbound   bool       // the answer has "Require: outbound" (RFC 5626 §6)
	Path       []string   // for the header field of that name (RFC 3327 §5.3)

	// Rebooted are the bindings of devices that have been restarted, as they were
	// before: whatever calls they had are gone.
	Rebooted []*Binding
}

// Contacts returns the values of the Contact header fields of the answer (RFC 3261
// §10.3 step 8).
func (r *Result) Contacts(now time.Time) []string {
	out := make([]string, len(r.Bindings))
	for i, b := range r.Bindings {
		out[i] = b.header(now)
	}
	return out
}

func refuse(status int, reason string) *Result { return &Result{Status: status, Reason: reason} }

// supported are the extensions that a REGISTER may require (RFC 3261 §8.2.2.3).
var supported = []string{"path", "outbound"}

// check looks at what a registration says without regard to what there is; nil if
// nothing is wrong with it. It drops reg-ids that do not count.
func (r *Registration) check(cfg *Config) *Result {
	if missing := unsupported(r.Require); len(missing) > 0 {
		return &Result{Status: 420, Reason: "Bad Extension", Unsupport: missing}
	}
	switch {
	case r.CallID == "" || len(r.CallID) > maxCallID || !isText(r.CallID):
		return refuse(400, "Bad Call-ID")
	case r.Star && (r.Expires != 0 || len(r.Contacts) > 0):
		return refuse(400, "Contact: * needs Expires: 0") // RFC 3261 §10.3 step 6
	}
	if bad := r.checkOutbound(); bad != nil {
		return bad
	}
	for i := range r.Contacts {
		// RFC 3261 §10.3 step 7: 0 is not too brief, and neither is an hour.
		if wanted := r.wanted(cfg, &r.Contacts[i]); wanted > 0 && wanted < cfg.MinExpires {
			return &Result{Status: 423, Reason: "Interval Too Brief", MinExpires: int64(cfg.MinExpires / time.Second)}
		}
	}
	return nil
}

func unsupported(require []string) (missing []string) {
	for _, value := range require {
		addr.Split(value, func(option string) bool {
			known := func(s string) bool { return addr.Is(s, option) }
			if !slices.ContainsFunc(supported, known) && len(missing) < maxContacts {
				missing = append(missing, option)
			}
			return true
		})
	}
	return missing
}

// checkOutbound applies RFC 5626 §6.
func (r *Registration) checkOutbound() *Result {
	flows, live := false, 0
	for i := range r.Contacts {
		c := &r.Contacts[i]
		if c.Instance == "" {
			c.RegID = 0
		}
		flows = flows || c.RegID > 0
		if c.Expires > 0 || c.Expires < 0 && r.Expires != 0 {
			live++
		}
	}
	if !flows {
		return nil
	}
	if !r.FirstHop && !firstHopKnowsOutbound(r.Path) {
		if addr.Lists(r.Supported, "outbound") {
			return refuse(439, "First Hop Lacks Outbound Support")
		}
		for i := range r.Contacts {
			r.Contacts[i].RegID = 0
		}
		return nil
	}
	if live > 1 {
		return refuse(400, "One flow at a time")
	}
	return nil
}

// outbound says whether a contact is registered over a flow.
func (r *Registration) outbound() bool {
	for i := range r.Contacts {
		if r.Contacts[i].RegID > 0 {
			return true
		}
	}
	return false
}

// wanted is the time that is asked for a contact: the parameter, the header field, or
// what is usual (RFC 3261 §10.3 step 7).
func (r *Registration) wanted(cfg *Config, c *Contact) time.Duration {
	switch {
	case c.Expires >= 0:
		return time.Duration(c.Expires) * time.Second
	case r.Expires >= 0:
		return time.Duration(r.Expires) * time.Second
	}
	return cfg.most(r.Flow.Transport)
}

// planner works out what a registration makes of the bindings of its address.
type planner struct {
	cfg    *Config
	now    time.Time
	reg    Registration
	nextID func() uint64

	list    []*Binding // what it comes to
	touched uint64     // bit i: list[i] was registered by this registration
	changes []Change   // without what is the same for all
}

// plan makes a new list of bindings, and the changes that lead to it. If the
// registration has to be refused, the result says why, and nothing has changed. The
// registration has been checked. It is a pure function but for chance.
func (p *planner) plan(current []*Binding) *Result {
	p.list = append(make([]*Binding, 0, len(current)+len(p.reg.Contacts)), current...)
	if p.reg.Star {
		return p.removeAll()
	}
	for i := range p.reg.Contacts {
		if bad := p.contact(&p.reg.Contacts[i]); bad != nil {
			return bad
		}
	}
	if len(p.list) > p.cfg.MaxBindings && len(p.list) > len(current) {
		return refuse(403, "Too Many Bindings")
	}
	return nil
}

// removeAll is Contact: * (RFC 3261 §10.3 step 6).
func (p *planner) removeAll() *Result {
	for _, b := range p.list {
		if p.stale(b) {
			return refuse(500, "CSeq Out Of Order")
		}
	}
	for _, b := range p.list {
		p.changes = append(p.changes, Change{What: Unregistered, Binding: b, Old: b})
	}
	p.list = p.list[:0]
	return nil
}

// stale says whether the request is older than a binding: the same Call-ID and no
// higher CSeq. But when the last one is so long ago that this cannot be one that was
// under way, the device has begun to count anew: then it is not.
func (p *planner) stale(b *Binding) bool {
	return b.CallID == p.reg.CallID && p.reg.CSeq <= b.CSeq && p.now.Sub(b.Refreshed) < Grace
}

func (p *planner) contact(c *Contact) *Result {
	wanted := p.reg.wanted(p.cfg, c)
	i, how := p.find(c, wanted == 0)
	if i < 0 {
		if wanted > 0 {
			p.add(c, wanted)
		}
		return nil
	}
	old := p.list[i]
	if p.touched&(1<<i) == 0 && p.stale(old) {
		return refuse(500, "CSeq Out Of Order")
	}
	if wanted == 0 {
		p.remove(i)
		return nil
	}
	p.update(i, c, wanted, how)
	return nil
}

// add makes a new binding.
func (p *planner) add(c *Contact, wanted time.Duration) {
	b := p.binding(c, wanted, 0)
	b.ID, b.AOR, b.Created = p.nextID(), p.reg.AOR, p.now
	b.keepTexts(nil)
	p.touched |= 1 << len(p.list)
	p.list = append(p.list, b)
	p.changes = append(p.changes, Change{What: Registered, Binding: b})
}

// update makes a binding anew.
func (p *planner) update(i int, c *Contact, wanted time.Duration, how match) {
	old := p.list[i]
	b := p.binding(c, wanted, old.Expires.Sub(old.Refreshed))
	b.ID, b.AOR, b.Created = old.ID, old.AOR, old.Created
	b.keepTexts(old)
	change := Change{What: Refreshed, Binding: b, Old: old, Reboot: p.reboot(old, how)}
	if change.Reboot != "" {
		change.What = Rebooted
	}
	if p.touched&(1<<i) != 0 {
		change.What, change.Reboot = Refreshed, ""
	}
	p.touched |= 1 << i
	p.list[i] = b
	p.changes = append(p.changes, change)
}

// reboot says whether, and by what sign, a device has been restarted.
func (p *planner) reboot(old *Binding, how match) string {
	switch {
	case how == sameHost:
		return "new port"
	case old.CallID != p.reg.CallID:
		return "new Call-ID"
	case p.reg.CSeq <= old.CSeq:
		return "CSeq reset"
	}
	return ""
}

func (p *planner) remove(i int) {
	b := p.list[i]
	p.changes = append(p.changes, Change{What: Unregistered, Binding: b, Old: b})
	p.list = slices.Delete(p.list, i, i+1)
	low := p.touched & (1<<i - 1)
	p.touched = low | p.touched>>(i+1)<<i
}

// binding makes a binding; before is what it was granted before, or 0.
func (p *planner) binding(c *Contact, wanted, before time.Duration) *Binding {
	r := &p.reg
	return &Binding{
		Contact: c.URI, Params: c.Params, Q: c.Q, Instance: c.Instance, RegID: c.RegID, Path: r.Path,
		CallID: r.CallID, CSeq: r.CSeq, UserAgent: agent(r.UserAgent), Flow: r.Flow,
		Refreshed: p.now, Expires: p.now.Add(p.cfg.grant(wanted, r.Flow.Transport, before)),
	}
}

// match is by what a binding was found.
type match uint8

const (
	sameContact  match = iota // the URI, or the instance and its flow
	sameInstance              // with another URI
	sameHost                  // the URI but for its port, after a restart
)

// find looks for the binding that a contact is about; less than 0: there is none.
// exactly is for removing: a device that has moved may remove where it was.
func (p *planner) find(c *Contact, exactly bool) (int, match) {
	if c.RegID > 0 { // RFC 5626 §6
		for i, b := range p.list {
			if b.RegID == c.RegID && strings.EqualFold(b.Instance, c.Instance) {
				return i, sameContact
			}
		}
		return -1, sameContact
	}
	for i, b := range p.list {
		if b.RegID == 0 && (b.Contact == c.URI || sameURI(b.Contact, c)) {
			return i, sameContact
		}
	}
	for i, b := range p.list {
		switch {
		case exactly || b.RegID > 0 || p.touched&(1<<i) != 0 || p.named(b):
		case c.Instance != "" && strings.EqualFold(b.Instance, c.Instance):
			return i, sameInstance
		case p.restarted(b, c):
			return i, sameHost
		}
	}
	return -1, sameContact
}

func sameURI(contact string, c *Contact) bool {
	u, err := addr.Parse(contact)
	return err == nil && addr.Equal(u, c.uri)
}

// named says whether the registration says something else about a binding.
func (p *planner) named(b *Binding) bool {
	for i := range p.reg.Contacts {
		if c := &p.reg.Contacts[i]; b.Contact == c.URI || sameURI(b.Contact, c) {
			return true
		}
	}
	return false
}

// restarted says whether a contact is that of the same device on another port. Two
// programs on one computer are not the same device, so everything else has to be
// the same but the Call-ID.
func (p *planner) restarted(b *Binding, c *Contact) bool {
	if b.Instance != "" || c.Instance != "" || b.CallID == p.reg.CallID ||
		b.UserAgent == "" || b.UserAgent != agent(p.reg.UserAgent) || b.Flow.Remote.Addr() != p.reg.Flow.Remote.Addr() {
		return false
	}
	u, err := addr.Parse(b.Contact)
	if err != nil {
		return false
	}
	u.Port = c.uri.Port
	return addr.Equal(u, c.uri)
}
