package call

import (
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/address"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
)

// caller finds out who sends a request that begins something. If it may not, the
// request has been answered, and ok is false. Without a device it is a PBX. Fields
// are to be in what we answer ourselves.
func (p *Proxy) caller(r *transport.Request) (d *device.Device, fields []transport.Field, ok bool) {
	if p.parts.Peer != nil && p.parts.Peer(r) {
		return nil, nil, true
	}
	user, fields, ok := p.parts.Who(r)
	if !ok {
		return nil, nil, false
	}
	picture := p.parts.Devices()
	switch d = picture.ByUser(user); {
	case d == nil || d.Disabled || !d.Here():
		r.Respond(403, "", fields...)
	case !p.isIdentity(picture, d, r.From().URI):
		r.Respond(403, "From Is Not Yours", fields...)
	default:
		return d, fields, true
	}
	return nil, nil, false
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
		if d.Owner != "" && owner(user, u.Host) == d.Owner {
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

// owner is the account that an address may be, or "". Its host is what was written,
// not the domain that stands for: accounts have theirs, and devices another.
func owner(user, host string) jid.Bare {
	j, err := jid.Parse(address.Escape(user) + "@" + host)
	if err != nil {
		return ""
	}
	return j.Bare()
}

// owned are the devices at which a person can be reached: those of theirs that nobody
// else uses.
func owned(picture *device.Picture, user, host string) (mine []*device.Device) {
	who := owner(user, host)
	if who == "" {
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
