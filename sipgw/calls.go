package sipgw

import (
	"rollcall/presence/device"
	"rollcall/sipgw/call"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
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
			Bindings: g.Registrar.Lookup, Domain: domain, Upstream: func(d *device.Device) (string, bool) { return upstream(d), true },
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
