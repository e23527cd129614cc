package assembly

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/config"
	"rollcall/internal/operator"
	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/presence/manual"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/server/c2s"
	"rollcall/sipgw"
	"rollcall/sipgw/contacts"
	"rollcall/sipgw/history"
	"rollcall/sipgw/people"
	"rollcall/sipgw/status"
	"rollcall/sipgw/uplink"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// Outpost is the SIP side alone: it lets devices in, and shows them to people by being a
// component of an XMPP server that is not ours. Accounts, rosters and messages are that
// server's; devices, their states, groups for rules, and the audit log are here.
type Outpost struct {
	Book      *roster.Book
	Groups    *roster.Groups
	Devices   *device.Register
	Desk      *operator.Desk
	Engine    *presence.Engine
	ByHand    *manual.Service
	Gateway   *sipgw.Gateway
	Elsewhere *sipgw.Elsewhere
	Phones    *contacts.Service
	People    *people.Service
	Link      *uplink.Link
	Streams   *c2s.Server // for its certificates

	log      *slog.Logger
	config   atomic.Pointer[config.Config] // in force
	seen     atomic.Pointer[audience]      // in force
	commands *commands                     // of the domain

	atDevices *commands
	texts     runner
	calls     *history.History
}

// NewOutpost puts an outpost together. It starts nothing. Dial, if it is not nil,
// connects to the XMPP server.
func NewOutpost(ctx context.Context, o Options, dial func(context.Context, string) (net.Conn, error)) (*Outpost, error) {
	p := &Outpost{Book: roster.NewBook(o.DB.Rosters(), o.Config.Roster), calls: newHistory(o), log: o.Log}
	p.config.Store(o.Config)
	p.Groups = operator.NewGroups(o.DB, o.Config, p.Book, o.Log)
	p.Groups.OnMet(func(_, _ *roster.Directory) { p.regrade() })
	p.Devices = operator.NewDevices(o.DB, o.Config)
	p.Desk = operator.New(operator.Parts{DB: o.DB, Config: o.Config, Book: p.Book, Groups: p.Groups, Devices: p.Devices, Log: o.Log})
	var err error
	if p.Streams, err = c2s.New(c2s.Options{Config: o.Streams, Log: o.Log}); err != nil {
		return nil, err
	}
	if p.Engine, p.ByHand, err = newEngine(ctx, o, p.Devices, func(presence.Subject, string) {}); err != nil {
		return nil, err
	}
	p.Link = p.uplink(o, dial)
	p.People = people.New(people.Parts{
		Engine: p.Engine, Send: p.Link.Send, Arrived: p.Link.Stored, Log: o.Log,
		Answered: func(watcher, of jid.Bare) { p.Gateway.Notifier.Recheck(watcher, of) },
	})
	if err := p.openGateway(ctx, o); err != nil {
		return nil, err
	}
	p.commands = newCommands(p.Desk, p.Desk.DeviceCommands(), atDomain, p.Link.Send, o.Log)
	p.atDevices = newCommands(p.Desk, p.Desk.AtDevices(), atDevices(p.Phones), p.Link.Send, o.Log)
	p.Desk.Serve(operator.Live{
		Engine: p.Engine, ByHand: p.ByHand, Calls: p.calls, Sees: p.sees, Removed: p.removed,
		InCharge: func(who jid.Bare) bool { return p.seen.Load().inCharge(who) },
	})
	p.seen.Store(p.audience())
	if err := p.Phones.Load(ctx); err != nil {
		return nil, err
	}
	if err := p.Groups.Load(ctx); err != nil {
		return nil, err
	}
	if err := p.Devices.Load(ctx); err != nil {
		return nil, err
	}
	return p, p.Engine.Load(ctx) // which has to know the devices
}

// uplink makes the link to the server of the people.
func (p *Outpost) uplink(o Options, dial func(context.Context, string) (net.Conn, error)) *uplink.Link {
	c := o.Config
	after := c.C2S.Limits.AfterAuth
	return uplink.New(uplink.Parts{
		Config: c.Uplink, Domain: c.DeviceDomain(), Host: c.Server.Domains[0].Name, Secret: c.UplinkSecret, Dial: dial,
		Take: p.take, Up: p.up, Down: func() { p.People.Down() },
		Limits: stream.Limits{
			Stanza: after.Bytes, Tag: min(after.Bytes, stream.DefaultLimits.Tag),
			Depth: after.Depth, Attrs: after.Attributes, Namespaces: after.Namespaces,
		},
		Outbox: max(c.Server.OutboxBytes, uplink.DefaultOutbox), Log: o.Log,
	})
}

// openGateway makes what lets devices in by SIP, and what shows them to people.
func (p *Outpost) openGateway(ctx context.Context, o Options) error {
	key, err := secret(ctx, o.DB, "sip.flows", 32)
	if err != nil {
		return err
	}
	gateway := gatewayParts(o, p.Devices, p.Engine, p.Streams, key)
	gateway.Audience, gateway.MayKnow = eyes{p}, func(who presence.Subject) bool {
		return p.seen.Load().knowsDevices(who, p.Devices.Domain())
	}
	gateway.CallOver, gateway.OwnNames, gateway.Patience = writeDown(p.calls, p.Devices), true, patience
	if p.Gateway, err = sipgw.New(gateway); err != nil {
		return err
	}
	p.Elsewhere = p.Gateway.Elsewhere(o.Config.Watcher, server.Secret)
	texts := p.Gateway.Texts(p.Link.Send, p.Link.Stored)
	p.texts = texts
	p.Phones = contacts.New(contacts.Parts{
		Devices: p.Devices.Picture, States: p.Engine, Watch: p.Engine.Watch(),
		Audience: func() contacts.Audience { return ofDevices{p.seen.Load()} },
		Operator: func(who jid.Bare) bool { return p.seen.Load().rules.HasRole(who, presence.RoleOperator) },
		Agent:    p.agent, Text: texts.Take, Send: p.Link.Send, Room: p.Link.Room, Apart: true, Features: commandFeatures, DeviceFeatures: commandFeatures,
		Store: o.DB.DeviceSubscribers(), Version: o.Version, Log: o.Log,
	})
	p.Devices.OnChanged(p.deviceChanged)
	return nil
}

// patience is how long the server of the people has to return a text that it cannot
// deliver, once it has taken all that came before.
const patience = 100 * time.Millisecond

// take takes what the server of the people sends to the devices' domain.
func (p *Outpost) take(st *stanza.Stanza, from, to jid.JID) error {
	if st.Kind == stanza.Presence && from.Bare().Local() != "" {
		p.People.Take(st, from, to)
	}
	for _, c := range []*commands{p.commands, p.atDevices} {
		if c.concern(st, from, to) {
			return c.take(st, from, to)
		}
	}
	return p.Phones.Take(st, from, to)
}

// up has all be told of the devices, and asks anew what people say.
func (p *Outpost) up(context.Context) {
	p.Phones.Again()
	p.People.Up()
}

// removed hears that somebody is not known here any more.
func (p *Outpost) removed(ctx context.Context, who jid.Bare) {
	p.Devices.AccountRemoved(who)
	p.ByHand.Forget(who)
	if err := p.Groups.AccountRemoved(ctx, who); err != nil {
		p.log.Error("somebody who was removed may still be in groups", "jid", who, "err", err)
	}
}

// agent returns what a device calls its program.
func (p *Outpost) agent(d *device.Device) string {
	if all := p.Gateway.Registrar.Lookup(status.AOR(d)); len(all) > 0 {
		return all[0].UserAgent
	}
	return ""
}

// deviceChanged tells everybody of a device that is another one.
func (p *Outpost) deviceChanged(before, now *device.Device) {
	p.Gateway.Changed(before, now)
	p.Elsewhere.Changed(before, now)
	p.Phones.Changed(before, now)
	switch {
	case now == nil:
		p.Engine.Forget(before.JID)
		p.People.DeviceGone(before.JID)
	case before != nil && before.Critical != now.Critical:
		p.Engine.Refresh(now.JID)
	}
}

// audience returns the one of the configuration and the groups that are in force.
func (p *Outpost) audience() *audience {
	return newAudience(p.config.Load(), p.Engine.Catalogue(), p.Book.Directory())
}

// sees says how much somebody sees of somebody.
func (p *Outpost) sees(watcher, of presence.Subject) presence.Level {
	return p.seen.Load().level(watcher, of, p.Devices.Domain())
}

// regrade puts it in force.
func (p *Outpost) regrade() {
	p.seen.Store(p.audience())
	p.Phones.Grade()
	p.Gateway.Notifier.Recheck("", "")
}

// Configure takes up what can change while it runs.
func (p *Outpost) Configure(c *config.Config) {
	p.Desk.Configure(c)
	p.config.Store(c)
	useStates(p.Engine, c.Presence, p.log)
	p.Gateway.Transport.Reload(c.SIP.Limits)
	p.Elsewhere.Use(c.Watcher)
	p.regrade()
}

// Run serves until ctx is done. Then phones are left alone first, all who watch devices
// are told that these have gone, the link ends in good order, and what is known is
// stored. It returns early if something that should go on does not.
func (p *Outpost) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	behind, endBehind := context.WithCancel(context.WithoutCancel(ctx))
	beyond, endBeyond := context.WithCancel(context.WithoutCancel(ctx))
	var front, link, back sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	start := func(all *sync.WaitGroup, ctx context.Context, run func(context.Context) error) {
		all.Go(func() {
			if err := run(ctx); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
				cancel()
			}
		})
	}
	for _, r := range []runner{p.Engine, p.ByHand} {
		start(&back, behind, r.Run)
	}
	start(&link, beyond, p.Link.Run)
	for _, r := range []runner{p.Phones, p.texts, outlasted{p.Gateway, p.calls}, p.Elsewhere, p.People, p.commands, p.atDevices, p.Desk} {
		start(&front, ctx, r.Run)
	}
	front.Wait()
	p.leave()
	endBeyond()
	link.Wait()
	endBehind()
	back.Wait()
	return errors.Join(errs...)
}

// leave says that no device is there any more.
func (p *Outpost) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if p.Link.Connected() {
		p.Phones.Leave(ctx)
	}
}
