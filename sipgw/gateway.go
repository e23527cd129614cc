package sipgw

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/call"
	"rollcall/sipgw/digest"
	"rollcall/sipgw/door"
	"rollcall/sipgw/mailbox"
	"rollcall/sipgw/message"
	"rollcall/sipgw/notifier"
	"rollcall/sipgw/profile"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
	"rollcall/sipgw/transport"
)

// Config is what the gateway needs to know of the configuration file.
type Config struct {
	Transport transport.Config
	Digest    digest.Config // the realm is the domain of the devices
	Registrar registrar.Config
	Qualify   registrar.QualifyConfig
	Publish   publish.Config
	Message   message.Config
	Calls     call.Config
	Notifier  notifier.Config
}

// Parts are what a gateway is put together from.
type Parts struct {
	Config Config

	// Devices are those that may register; Changed of the gateway is to be told of
	// changes.
	Devices *device.Register

	// Engine is told of them, Mail keeps what waits for them, and Known says what was
	// known of one before a restart.
	Engine    status.Engine
	Mail      mailbox.Engine
	Known     func(presence.Subject) *presence.Effective
	Catalogue func() *presence.Catalogue

	// Audience says who may watch whom by SIP, MayKnow who may know what there is to
	// watch and to call, States in which state somebody is, and Watch, which is of some,
	// when that changes.
	Audience Audience
	MayKnow  func(presence.Subject) bool // which devices there are; nil: nobody may
	States   notifier.States
	Watchers notifier.Watchers // nil: nobody is told who watches them
	Watch    notifier.Watch

	// CallOver is told of each call of a device that is over; nil: nobody is.
	CallOver func(call.Ended)

	Bindings      registrar.Store
	Publications  publish.Store
	Dialogs       call.Store
	Subscriptions notifier.Store

	// OwnNames has devices watch people in their own names, not in those of whom they are
	// assigned to.
	OwnNames bool

	// Patience is how long the server has to return a text of a device that it has taken.
	Patience time.Duration

	// Hosts are names that phones may be given for the domain of the devices, besides
	// that domain: those that people have their addresses at.
	Hosts []string

	Network     transport.Network // nil is the machine's
	Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	MinTLS      uint16
	Key         []byte // signs flow tokens; it has to stay the same over restarts

	Software string // what it calls itself
	Log      *slog.Logger
}

// Gateway lets devices in by SIP, carries their calls, tells the presence engine of
// them, and them of others. Whatever else takes SIP requests registers its handlers at
// Transport before Run.
type Gateway struct {
	Transport  *transport.Transport
	Registrar  *registrar.Registrar
	Compositor *publish.Compositor
	Qualifier  *registrar.Qualifier
	Door       *door.Door
	Board      *status.Board
	Calls      *call.Proxy
	Notifier   *notifier.Notifier
	Mailboxes  *mailbox.Mailboxes

	desks     *desks
	elsewhere *Elsewhere        // nil: nobody is asked
	heard     transport.Handler // of NOTIFY; nil: there is nothing that we have subscribed to
	parts     Parts
	hosts     map[string]bool
	people    map[string]bool // domains that accounts are at

	profiles *profile.Set
	lines    func(*device.Device) (uri string, routes []string, ok bool) // at PBXs; nil: nobody knows
}

// New puts a gateway together. It starts nothing and opens nothing.
func New(parts Parts) (*Gateway, error) {
	g := &Gateway{parts: parts, hosts: map[string]bool{}, people: map[string]bool{}, profiles: profile.Default()}
	names := append([]string{parts.Devices.Domain()}, parts.Hosts...)
	if parts.Config.Transport.Advertise != "" {
		names = append(names, parts.Config.Transport.Advertise)
	}
	for _, h := range names {
		g.hosts[strings.ToLower(h)] = true
	}
	for _, h := range parts.Hosts {
		g.people[h] = true
	}
	var err error
	g.Transport, err = transport.New(transport.Options{
		Config: parts.Config.Transport, Network: parts.Network, Certificate: parts.Certificate, MinTLSVersion: parts.MinTLS,
		AskCertificate: g.asksCertificates, Hosts: names, Key: parts.Key, Software: parts.Software, Log: parts.Log,
	})
	if err != nil {
		return nil, err
	}
	g.keepers()
	proof := parts.Config.Digest
	proof.Realm = parts.Devices.Domain()
	g.Door = door.New(door.Parts{
		Verifier: digest.New(proof), Registrar: g.Registrar, Compositor: g.Compositor,
		Secrets: g.secrets, Domain: g.domain, May: g.may,
		OnlyMD5: func(agent string) bool { return g.profiles.For(agent).OnlyMD5 },
		Trusted: g.Transport.Trusts, Heard: g.Qualifier.Heard, Log: parts.Log,
	})
	g.Transport.Handle("REGISTER", g.Door.Register)
	g.Transport.Handle("PUBLISH", g.Door.Publish)
	g.Transport.OnFlowClosed(g.Door.Closed)
	g.carry()
	g.Mailboxes = mailbox.New(mailbox.Parts{
		Engine: parts.Mail, Devices: parts.Devices.Picture, Log: parts.Log,
		Changed: func(d *device.Device) { g.tell("message-summary", d) },
	})
	g.notify()
	return g, nil
}

// keepers makes what keeps what devices say, and has the board hear of it.
func (g *Gateway) keepers() {
	p := &g.parts
	g.Registrar = registrar.New(registrar.Parts{Store: p.Bindings, Log: p.Log}, p.Config.Registrar)
	g.Compositor = publish.New(publish.Parts{
		Store: p.Publications, Packages: status.Packages(), Serves: g.serves, Log: p.Log,
	}, p.Config.Publish)
	g.Board = status.New(status.Parts{
		Engine: p.Engine, Bindings: g.Registrar, Publications: g.Compositor,
		Devices: p.Devices.Picture, Catalogue: p.Catalogue, Known: p.Known, Log: p.Log,
	})
	g.Qualifier = registrar.NewQualifier(registrar.QualifyParts{
		Probe: g.probe, Critical: g.critical, Tell: g.Board.Answers,
	}, p.Config.Qualify)
	g.Registrar.OnChange(g.Qualifier.Observe)
	g.Registrar.OnChange(g.Board.Registered)
	g.Compositor.OnChange(g.Board.Published)
	g.Compositor.OnChange(g.published)
}

// Changed is for [device.Register.OnChanged].
func (g *Gateway) Changed(before, now *device.Device) {
	g.Board.Changed(before, now)
	g.Mailboxes.Changed(before, now)
	for _, d := range []*device.Device{before, now} {
		if d != nil { // it may be somebody else's now
			g.tell("dialog", d)
			g.tell("reg", d)
		}
	}
}

// Listen opens the sockets. It is called by Run unless it was before.
func (g *Gateway) Listen() error { return g.Transport.Listen() }

// Run serves until the context ends, and returns when all that it started has ended
// and what is known is stored. What the engine knew before a restart has to be loaded.
func (g *Gateway) Run(ctx context.Context) error {
	if err := g.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // it was to stop before it had begun
		}
		return err
	}
	// Who needs the network ends before it, and who keeps things ends after those who
	// bring them.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	wire, cut := context.WithCancel(context.WithoutCancel(ctx))
	talk, hush := context.WithCancel(ctx)
	var keepers, network, talkers sync.WaitGroup
	for _, run := range []func(context.Context){g.Registrar.Run, g.Compositor.Run, g.Qualifier.Run, g.Board.Run, g.Mailboxes.Run} {
		keepers.Go(func() { run(inner) })
	}
	var err error
	network.Go(func() { err = g.Transport.Run(wire); hush() })
	var told error
	talkers.Go(func() { told = g.Notifier.Run(talk); hush() })
	for _, run := range []func(context.Context){g.Calls.Run, g.desks.run} {
		talkers.Go(func() { run(talk) })
	}
	talkers.Wait()
	hush()
	cut()
	network.Wait()
	stop()
	keepers.Wait()
	return errors.Join(err, told)
}

// load takes up what was known before a restart.
func (g *Gateway) load(ctx context.Context) error {
	now := time.Now()
	if err := g.Registrar.Load(ctx, now); err != nil {
		return err
	}
	if err := g.Compositor.Load(ctx, now); err != nil {
		return err
	}
	if err := g.Listen(); err != nil { // flows are found again by the sockets
		return err
	}
	if err := g.Calls.Load(ctx, now); err != nil {
		return err
	}
	return g.Notifier.Load(ctx)
}

// device returns the device that registers here as a user, or nil.
func (g *Gateway) device(user string) *device.Device {
	if d := g.parts.Devices.Picture().ByUser(user); d != nil && d.Here() && !d.Disabled {
		return d
	}
	return nil
}

// secrets is a [digest.Lookup].
func (g *Gateway) secrets(user string) (digest.Secrets, bool) {
	d := g.device(user)
	if d == nil || !d.Key.Set() {
		return digest.Secrets{}, false
	}
	s, err := digest.ReadSecrets(d.Key.MD5, d.Key.SHA256)
	return s, err == nil
}

// domain says which domain a host in a URI stands for. Phones are often given the
// address of the server, and whatever address that is, it has led here.
func (g *Gateway) domain(host string) (string, bool) {
	if g.hosts[host] {
		return g.parts.Devices.Domain(), true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return g.parts.Devices.Domain(), err == nil
}

// may says who may register and publish for an address: the device that it is.
func (g *Gateway) may(user, aor string) bool {
	d := g.device(user)
	return d != nil && status.IsAOR(aor, d)
}

// serves says for which resources devices may publish.
func (g *Gateway) serves(resource string) bool {
	d := g.device(status.User(resource))
	return d != nil && status.IsAOR(resource, d)
}

func (g *Gateway) critical(aor string) bool {
	d := g.device(status.User(aor))
	return d != nil && d.Critical
}

// probe asks a device whether it is there (RFC 3261 §11). Whatever it answers, it is.
func (g *Gateway) probe(ctx context.Context, b *registrar.Binding) bool {
	flow, ok := g.Flow(b)
	if !ok {
		return false
	}
	_, err := g.Transport.Send(ctx, transport.Outgoing{
		Method: "OPTIONS", URI: b.Contact, Flow: flow, Routes: b.Path, Contact: "auto",
		From: "<sip:" + g.parts.Devices.Domain() + ">;tag=" + transport.NewTag(), To: "<" + b.Contact + ">",
		CallID: transport.NewCallID(), CSeq: 1,
	})
	return err == nil
}

// Flow returns where messages to a binding go; false if its connection is no more.
func (g *Gateway) Flow(b *registrar.Binding) (transport.Flow, bool) {
	return g.Transport.Named(transport.Kind(b.Flow.Transport), b.Flow.ID, b.Flow.Local, b.Flow.Remote)
}
