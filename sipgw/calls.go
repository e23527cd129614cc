package sipgw

import (
	"strings"

	"rollcall/presence/device"
	"rollcall/sipgw/call"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
	"rollcall/sipgw/transport"
)

// carryCalls makes what carries calls between devices, and has it take them. Where they
// go is decided by who is registered and answers.
func (g *Gateway) carryCalls() {
	p := &g.parts
	domain := p.Devices.Domain()
	g.Calls = call.New(call.Parts{
		Transport: g.Transport, Who: g.Door.WhoPasses, Realm: domain,
		Devices: p.Devices.Picture, Domain: g.domain, Bindings: g.Registrar.Lookup,
		Router: &call.Plain{
			Bindings: g.Registrar.Lookup, Domain: domain, Upstream: atPBX,
			Answers: func(b *registrar.Binding) bool { return g.Qualifier.Health(b.ID) != registrar.Unreachable },
		},
		Store: p.Dialogs, OnChange: g.inCalls, Log: p.Log,
	}, p.Config.Calls)
	g.Registrar.OnChange(g.Calls.Observe)
	g.Calls.Serve()
}

// inCalls takes up which calls a device is in.
func (g *Gateway) inCalls(id string, all []dialoginfo.Live) {
	if d := g.parts.Devices.Picture().ByID(id); d != nil {
		g.Board.Calls(status.AOR(d), all)
	}
}

// atPBX is the URI of a device at its PBX, if that is given by an address that calls
// can go to.
func atPBX(d *device.Device) (uri string, ok bool) {
	at := strings.TrimSpace(d.Upstream)
	if !strings.HasPrefix(at, "sip:") && !strings.HasPrefix(at, "sips:") {
		at = "sip:" + at
	}
	u, err := transport.ParseURI(at)
	u.User = transport.EscapeUser(d.User)
	return u.String(), err == nil && u.Host != ""
}
