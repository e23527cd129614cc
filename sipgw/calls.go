package sipgw

import (
	"slices"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/call"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
	"rollcall/sipgw/transport"
)

// carry has calls between devices go through here. It knows from that who is in one.
func (g *Gateway) carry() {
	domain := g.parts.Devices.Domain()
	g.Calls = call.New(call.Parts{
		Transport: g.Transport, Who: g.Door.WhoPasses, Realm: domain,
		Devices: g.parts.Devices.Picture, Domain: g.domain, Bindings: g.Registrar.Lookup, Peer: g.peer, MayKnow: g.mayKnow,
		Router: &call.Plain{
			Bindings: g.Registrar.Lookup, Domain: domain,
			Answers:  func(b *registrar.Binding) bool { return g.Qualifier.Health(b.ID) != registrar.Unreachable },
			Upstream: func(d *device.Device) (string, bool) { return upstream(d), true },
		},
		Store: g.parts.Dialogs, OnChange: g.inCalls, OnEnd: g.parts.CallOver, Log: g.parts.Log,
	}, g.parts.Config.Calls)
	g.Calls.Serve()
	g.Transport.Handle("NOTIFY", g.notified)
	g.Registrar.OnChange(g.Calls.Observe)
}

// peer says from which PBX something comes, if it is one that is known by that.
func (g *Gateway) peer(f transport.Flow) (name string, ok bool) {
	if g.elsewhere == nil {
		return "", false
	}
	return g.elsewhere.Caller(f)
}

// mayKnow says whether a device is told that there is nothing of the kind that it calls: if
// it is of somebody who may know which devices there are. What hangs at a gate, and its
// secret with it, is of nobody.
func (g *Gateway) mayKnow(d *device.Device) bool {
	return d.Owner != "" && !d.Shared && g.parts.MayKnow != nil && g.parts.MayKnow(d.Owner)
}

// asksCertificates says whether some PBX is known by its certificate.
func (g *Gateway) asksCertificates() bool { return g.elsewhere != nil && g.elsewhere.Certified() }

// notified takes a NOTIFY: those of transfers belong to calls (RFC 3515 §2.4.4), the
// others to what we have subscribed to.
func (g *Gateway) notified(r *transport.Request) {
	switch {
	case g.Calls.Passes(r):
		g.Calls.Handle(r)
	case g.heard != nil:
		g.heard(r)
	default:
		r.Respond(481, "")
	}
}

// inCalls takes up which calls a device is in now.
func (g *Gateway) inCalls(id string, calls []dialoginfo.Live) {
	if d := g.parts.Devices.Picture().ByID(id); d != nil {
		g.Board.Calls(status.AOR(d), calls)
		g.tell("dialog", d)
	}
}

// published takes up that a phone says something else of its calls.
func (g *Gateway) published(c publish.Change) {
	if c.Publication.Event != "dialog" {
		return
	}
	if d := g.parts.Devices.Picture().ByUser(status.User(c.Publication.Resource)); d != nil {
		g.tell("dialog", d)
	}
}

// lines knows which calls devices and people are in.
type lines struct{ *Gateway }

// Calls implements notifier.Lines.
func (l lines) Calls(who presence.Subject) (all []dialoginfo.Live) {
	p := l.parts.Devices.Picture()
	if d := p.ByJID(who); d != nil {
		return l.of(d.JID)
	}
	for _, d := range p.OwnedBy(who) {
		if !d.Shared {
			all = append(all, l.of(d.JID)...)
		}
	}
	return all
}

// of returns the calls of a device, whoever knows them: what goes through here is known
// best.
func (l lines) of(device presence.Subject) []dialoginfo.Live {
	all := l.Board.Dialogs(device)
	if l.elsewhere == nil {
		return all
	}
	for _, x := range l.elsewhere.Calls(device) {
		if !slices.ContainsFunc(all, func(o dialoginfo.Live) bool { return x.CallID != "" && o.CallID == x.CallID }) {
			all = append(all, x)
		}
	}
	return all
}
