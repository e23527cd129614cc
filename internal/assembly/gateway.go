package assembly

import (
	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/server/c2s"
	"rollcall/sipgw"
	"rollcall/sipgw/call"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/history"
)

// gatewayParts is what a gateway is made of wherever it runs: beside the server, or
// alone. Who may watch whom is not among it, nor who may know what there is.
func gatewayParts(o Options, devices *device.Register, engine *presence.Engine, streams *c2s.Server, key []byte) sipgw.Parts {
	p := sipgw.Parts{
		Config: o.Config.Gateway(), Devices: devices, Engine: engine, Mail: engine, Known: engine.State,
		Catalogue: engine.Catalogue, States: engine, Watch: engine.WatchOnly(),
		Bindings: o.DB.SIPBindings(), Publications: o.DB.SIPPublications(),
		Dialogs: o.DB.SIPDialogs(), Subscriptions: o.DB.SIPSubscriptions(),
		Network: o.SIP, Certificate: streams.Certificate, MinTLS: o.Streams.MinTLSVersion, Key: key,
		Software: "Rollcall", Log: o.Log,
	}
	for _, d := range o.Config.Server.Domains {
		p.Hosts = append(p.Hosts, d.Name)
	}
	return p
}

// newHistory returns where it is written down which calls there were.
func newHistory(o Options) *history.History {
	return history.New(history.Parts{Store: o.DB.SIPCalls(), Keep: o.Config.Engine.Journal, Log: o.Log})
}

// writeDown has a history take calls of devices that are over.
func writeDown(calls *history.History, devices *device.Register) func(call.Ended) {
	return func(e call.Ended) {
		d := devices.Picture().ByID(e.Device)
		if d == nil {
			return // it is no more
		}
		c := history.Call{
			Device: d.JID, Made: e.Call.Direction == dialoginfo.Initiator, With: e.Call.Remote.Identity,
			Began: e.Call.Began, Answer: e.Call.Answered, How: e.Call.Event, Code: e.Call.Code, Cause: e.Cause, Why: e.Why,
		}
		if !d.Shared {
			c.Owner = d.Owner
		}
		calls.Add(c, e.At)
	}
}

// level says how much somebody sees of a person or a device.
func (s *audience) level(watcher, of presence.Subject, devices string) presence.Level {
	kind := presence.Person
	if of.Domain() == devices {
		kind = presence.Device
	}
	return s.rules.Level(watcher, of, kind)
}

// inCharge says who has a role that other people's states are part of.
func (s *audience) inCharge(who presence.Subject) bool {
	for _, role := range [...]string{presence.RoleOperator, presence.RoleSupervisor, presence.RoleDispatcher} {
		if s.rules.HasRole(who, role) {
			return true
		}
	}
	return false
}

// knowsDevices says who may know which devices there are: whoever is told of one at which
// nobody has thought of them.
func (s *audience) knowsDevices(who presence.Subject, devices string) bool {
	return s.rules.Level(who, presence.Subject(devices), presence.Device) >= presence.Status
}
