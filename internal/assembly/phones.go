package assembly

import (
	"context"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/server"
	"rollcall/server/features/adhoc"
	"rollcall/sipgw"
	"rollcall/sipgw/contacts"
	"rollcall/sipgw/status"
	"rollcall/xmpp/jid"
)

// openGateway makes what lets devices in by SIP, and what shows them to people.
func (a *Assembly) openGateway(ctx context.Context, o Options) error {
	key, err := secret(ctx, o.DB, "sip.flows", 32)
	if err != nil {
		return err
	}
	a.watching, a.calls = newWatching(a), newHistory(o)
	gateway := gatewayParts(o, a.Devices, a.Engine, a.Streams, key)
	gateway.Audience, gateway.MayKnow = a.watching, func(who presence.Subject) bool {
		return a.seen.Load().knowsDevices(who, a.Devices.Domain())
	}
	gateway.Watchers = a.watching
	gateway.CallOver = writeDown(a.calls, a.Devices)
	if a.Gateway, err = sipgw.New(gateway); err != nil {
		return err
	}
	a.Elsewhere = a.Gateway.Elsewhere(o.Config.Watcher, server.Secret)
	parts := contacts.Parts{
		Devices: a.Devices.Picture, States: a.Engine, Watch: a.Engine.Watch(),
		Audience: func() contacts.Audience { return ofDevices{a.seen.Load()} },
		Groups:   func() contacts.Groups { return a.Book.Directory() },
		Online:   a.online, Operator: a.operates, Agent: a.agent, Send: a.fromDevices,
		DeviceFeatures: commandFeatures, Store: o.DB.DeviceSubscribers(), Version: o.Version, Log: o.Log,
	}
	if o.Config.ServesDevices() { // else text is for the component that does
		texts := a.Gateway.Texts(a.fromDevices, a.writer.WhenStored)
		parts.Text = texts.Take
		a.runners = append(a.runners, texts)
	}
	a.Phones = contacts.New(parts)
	a.Devices.OnChanged(a.deviceChanged)
	return nil
}

// attachPhones has the devices' domain served, unless a component does that.
func (a *Assembly) attachPhones(ctx context.Context, o Options) error {
	if o.Config.ServesDevices() {
		if err := a.Phones.Load(ctx); err != nil {
			return err
		}
		a.runners = append(a.runners, a.Phones)
		given := newCommands(a.Desk, a.Desk.AtDevices(), atDevices(a.Phones), a.fromDevices, o.Log)
		given.who = a.caller
		a.runners = append(a.runners, given)
		if err := a.Server.Annex(o.Config.DeviceDomain()).Attach(&phones{a.Phones, given}); err != nil {
			return err
		}
	}
	a.runners = append(a.runners, outlasted{a.Gateway, a.calls}, a.Elsewhere, a.watching)
	return nil
}

// outlasted is somebody who is listened to until they have ended, and only then is what
// they have said last seen to.
type outlasted struct {
	runner
	by interface{ Run(ctx context.Context) }
}

// Run implements runner.
func (o outlasted) Run(ctx context.Context) error {
	behind, end := context.WithCancel(context.WithoutCancel(ctx))
	var listening sync.WaitGroup
	listening.Go(func() { o.by.Run(behind) })
	defer listening.Wait()
	defer end()
	return o.runner.Run(ctx)
}

// phones is the service of the devices' domain as the server knows it.
type phones struct {
	*contacts.Service
	commands *commands
}

// Take implements server.Service.
func (p *phones) Take(pk *server.Packet) error {
	if p.commands.concern(pk.Stanza, pk.From, pk.To) {
		return p.commands.take(pk.Stanza, pk.From, pk.To)
	}
	return p.Service.Take(pk.Stanza, pk.From, pk.To)
}

// caller is who gives a command to a device.
func (a *Assembly) caller(who jid.JID) *adhoc.Caller {
	c := &adhoc.Caller{JID: who}
	if c.Account = a.Server.Connected(who.Bare()); c.Account != nil {
		c.Session = c.Account.Session(who.Resource())
	}
	return c
}

// Introduce implements server.Host.
func (p *phones) Introduce(to *server.Session, contacts []jid.Bare) {
	p.Service.Introduce(to.JID, contacts)
}

// fromDevices sends a stanza of a device.
func (a *Assembly) fromDevices(ctx context.Context, raw []byte) error {
	return a.Server.Annex(a.Devices.Domain()).Post(ctx, raw)
}

// deviceChanged tells everybody of a device that is another one.
func (a *Assembly) deviceChanged(before, now *device.Device) {
	a.Gateway.Changed(before, now)
	a.Elsewhere.Changed(before, now)
	if a.config.Load().ServesDevices() {
		a.Phones.Changed(before, now)
	}
	switch {
	case now == nil:
		a.Engine.Forget(before.JID)
	case before != nil && before.Critical != now.Critical:
		a.Engine.Refresh(now.JID)
	}
}

// online says whether anybody is there to see a device: somebody here who is
// available, or somebody elsewhere.
func (a *Assembly) online(who jid.Bare) bool {
	if c := a.Server.Connected(who); c != nil {
		return c.Available()
	}
	return a.Server.Annex(who.Domain()) != nil
}

// operates says who may list all devices.
func (a *Assembly) operates(who jid.Bare) bool {
	return a.seen.Load().rules.HasRole(who, presence.RoleOperator)
}

// agent returns what a device calls its program.
func (a *Assembly) agent(d *device.Device) string {
	if all := a.Gateway.Registrar.Lookup(status.AOR(d)); len(all) > 0 {
		return all[0].UserAgent
	}
	return ""
}

// regrade puts the audience of the configuration and the groups in force.
func (a *Assembly) regrade() {
	now := a.audience()
	a.seen.Store(now)
	a.there.Grade(now)
	a.Phones.Grade()
	a.watching.lookAtAll()
}

// ofDevices is the audience of devices.
type ofDevices struct{ *audience }

// Level implements contacts.Audience.
func (s ofDevices) Level(watcher jid.Bare, of presence.Subject) presence.Level {
	return s.rules.Level(watcher, of, presence.Device)
}

// Show implements contacts.Audience.
func (s ofDevices) Show(e *presence.Effective, l presence.Level) presence.Shown {
	return s.states.Show(e, l, s.Language(), time.Now())
}
