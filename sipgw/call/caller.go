package call

import (
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/transport"
)

// caller finds out who sends a request that begins something. If it may not, the
// request has been answered, and ok is false. Without a device it is a PBX, of that
// name. Fields are to be in what we answer ourselves.
func (p *Proxy) caller(r *transport.Request) (d *device.Device, peer string, fields []transport.Field, ok bool) {
	// A device may sit where a PBX does; it says who it is.
	if p.parts.Peer != nil && !p.toUs(r) {
		if peer, ok = p.parts.Peer(r.Flow()); ok {
			return nil, peer, nil, true
		}
	}
	user, fields, ok := p.parts.Who(r)
	if !ok {
		return nil, "", nil, false
	}
	picture := p.parts.Devices()
	switch d = picture.ByUser(user); {
	case d == nil || d.Disabled || !d.Here():
		r.Respond(403, "", fields...)
	case !p.isIdentity(picture, d, r.From().URI):
		r.Respond(403, "From Is Not Yours", fields...)
	default:
		return d, "", fields, true
	}
	return nil, "", nil, false
}

// caller is the end of a call that makes it.
func (f *fork) caller() end {
	r := f.r
	from := r.From()
	e := end{
		tag: from.Tag(), header: r.Header("From"), identity: identity(from.URI), display: from.Display,
		contact: contactOf(&r.Message), cseq: r.CSeq(), flow: r.Flow(), peer: f.call.Peer,
	}
	d := f.call.Caller
	if d == nil {
		if who, ok := asserted(&r.Message); ok {
			e.identity, e.display = identity(who.URI), who.Display
		}
		return e
	}
	e.device, e.aor = d.ID, AOR(d, f.p.parts.Devices().Domain())
	e.binding = f.p.binding(e.aor, r)
	if e.display == "" {
		e.display = d.Name
	}
	return e
}

// asserted returns who a PBX says that it is who calls (RFC 3325 §9.1), unless they do
// not want it known.
func asserted(m *transport.Message) (who transport.Address, ok bool) {
	if private(m) {
		return who, false
	}
	for _, value := range m.Values("P-Asserted-Identity") {
		if a, err := transport.ParseAddress(value); err == nil && (a.URI.IsSIP() || a.URI.Scheme == "tel") {
			return a, true
		}
	}
	return who, false
}

// private says whether who calls does not want it known (RFC 3323 §4.2, RFC 3325 §7).
// We can do nothing for them but not say it.
func private(m *transport.Message) bool {
	for _, line := range m.Lines("Privacy") {
		for _, want := range strings.FieldsFunc(line, func(r rune) bool { return r == ';' || r == ',' }) {
			switch strings.ToLower(strings.TrimSpace(want)) {
			case "id", "user", "header":
				return true
			}
		}
	}
	return false
}

// isIdentity says whether a device may call itself by an address: by its own, by one
// of its numbers, and by its owner's.
func (p *Proxy) isIdentity(picture *device.Picture, d *device.Device, u transport.URI) bool {
	user := u.User
	if u.IsSIP() {
		domain, ours := p.parts.Domain(strings.ToLower(u.Host))
		if !ours {
			return false
		}
		user = transport.Unescape(user)
		if domain == picture.Domain() && (user == d.User || user == d.ID) {
			return true
		}
		// Its host is what was written, not the domain that stands for: accounts have
		// theirs, and devices another.
		if who, ok := address.Account(user, u.Host); ok && who == d.Owner {
			return true
		}
	} else {
		user, _, _ = strings.Cut(u.Opaque, ";")
	}
	number, err := device.ParseNumber(user)
	if err != nil {
		return false
	}
	for _, n := range d.Numbers {
		if n == number {
			return true
		}
	}
	return false
}

// owned are the devices at which a person can be reached: those of theirs that nobody
// else uses.
func owned(picture *device.Picture, user, host string) (mine []*device.Device) {
	who, ok := address.Account(user, host)
	if !ok {
		return nil
	}
	for _, d := range picture.OwnedBy(who) {
		if !d.Shared {
			mine = append(mine, d)
		}
	}
	return mine
}

// binding finds the binding by which a device has sent a request: the one with its
// flow; or else with its contact. 0 is none.
func (p *Proxy) binding(aor string, r *transport.Request) uint64 {
	f, contact := r.Flow(), ""
	for _, b := range p.parts.Bindings(aor) {
		if b.Flow.Remote == f.Remote() && b.Flow.ID == f.Connection() && len(b.Path) == 0 {
			return b.ID
		}
		if contact == "" {
			contact = contactOf(&r.Message)
		}
		if b.Contact == contact {
			return b.ID
		}
	}
	return 0
}
