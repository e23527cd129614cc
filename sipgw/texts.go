package sipgw

import (
	"context"
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/message"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
	"rollcall/sipgw/transport"
)

// Texts makes what carries text between devices and people, and has it take MESSAGE
// requests. People are those of Hosts; send sends a device's stanza on its way, and
// stored calls back when all that was sent is stored. It is to be called before Run, at
// most once.
func (g *Gateway) Texts(send func(context.Context, []byte) error, stored func(func(bool))) *message.Service {
	p := message.Parts{
		Config: g.parts.Config.Message, Devices: g.parts.Devices.Picture, Routes: g.routes, SIP: g.Transport, Who: g.Door.WhoPasses,
		Ours:      func(host string) bool { _, ours := g.domain(host); return ours },
		People:    func(domain string) bool { return g.people[domain] },
		Elsewhere: g.Calls.Handle, // between devices they go as calls do
		Send:      send, Patience: g.parts.Patience, Stored: stored, Log: g.parts.Log,
	}
	if len(g.parts.Hosts) > 0 {
		p.Home = g.parts.Hosts[0]
	}
	m := message.New(p)
	g.Transport.Handle("MESSAGE", func(r *transport.Request) {
		if g.Calls.Passes(r) { // it is between the two ends of a call
			g.Calls.Handle(r)
			return
		}
		m.Serve(r)
	})
	return m
}

// routes returns where a device can be reached: where it is registered and answers, or
// its PBX.
func (g *Gateway) routes(d *device.Device) (all []message.Route) {
	if !d.Here() && g.lines != nil {
		if uri, routes, ok := g.lines(d); ok {
			return []message.Route{{URI: uri, Routes: routes}}
		}
	}
	if !d.Here() {
		return []message.Route{{URI: upstream(d)}}
	}
	for _, b := range g.Registrar.Lookup(status.AOR(d)) {
		flow, ok := g.Flow(b)
		if !ok || g.Qualifier.Health(b.ID) == registrar.Unreachable {
			continue
		}
		all = append(all, message.Route{URI: b.Contact, Routes: b.Path, Flow: flow, Agent: b.UserAgent})
	}
	return all
}

// upstream is the URI of a device at its PBX, which is given by a name or a URI.
func upstream(d *device.Device) string {
	if u, err := transport.ParseURI(d.Upstream); err == nil && u.IsSIP() {
		u.User = transport.EscapeUser(d.User)
		return u.String()
	}
	return "sip:" + transport.EscapeUser(d.User) + "@" + strings.TrimSpace(d.Upstream)
}
