package watcher

import (
	"slices"
	"strings"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/login"
	"rollcall/sipgw/transport"
	"rollcall/xmpp/jid"
)

// Binding is where a phone that registers here can be reached.
type Binding struct {
	Contact string         // a SIP URI
	Routes  []string       // as they go into Route
	Flow    transport.Flow // that it has registered by
}

// plan takes up what has changed of devices and of the configuration.
func (w *Watcher) plan(now time.Time) {
	if w.replan {
		w.replan = false
		for who := range w.watched {
			w.changed[who] = struct{}{}
		}
		for d := range w.parts.Devices().All() {
			w.changed[d.JID] = struct{}{}
		}
	}
	if len(w.changed) == 0 {
		return
	}
	all := w.parts.Devices()
	for who := range w.changed {
		w.watch(who, all.ByJID(who), now)
	}
	clear(w.changed)
}

// watch has a device asked about as it is now, nil if it is no more.
func (w *Watcher) watch(who jid.Bare, d *device.Device, now time.Time) {
	old, next := w.watched[who], w.aim(d)
	if old != nil && next != nil && old.at == next.at && old.address == next.address && old.lacks == next.lacks && old.device.User == next.device.User {
		old.device = d
		old.move(next)
		w.touch(old)
		return
	}
	if old != nil {
		w.unwatch(old)
	}
	if next == nil {
		if old != nil {
			w.farewells = append(w.farewells, Learned{Device: old.device, PBX: old.at.cfg.Name, Gone: true})
		}
		return
	}
	w.watched[who] = next
	for p := range NumPackages {
		if next.lacks != "" || !next.at.cfg.wants(p) {
			continue
		}
		next.legs[p] = newLeg(next, p, w.cfg.Expires)
		w.schedule(next.legs[p], now)
	}
	w.touch(next)
}

// move has a phone asked where it is now. Its subscriptions go on: it still has them,
// or says that it has not.
func (x *watched) move(to *watched) {
	if x.uri == to.uri && x.flow == to.flow && slices.Equal(x.routes, to.routes) {
		return
	}
	x.uri, x.flow, x.routes = to.uri, to.flow, to.routes
	for _, g := range x.legs {
		if g != nil {
			g.target, g.routes = to.uri, to.routes
		}
	}
}

// aim says where a device is asked about; nil is nowhere.
func (w *Watcher) aim(d *device.Device) *watched {
	switch {
	case d == nil || d.Disabled:
		return nil
	case d.Here():
		if !w.cfg.Phones || w.parts.Reach == nil {
			return nil
		}
		b, ok := w.parts.Reach(d)
		if !ok {
			return nil
		}
		return &watched{device: d, at: w.phones, address: "sip:" + d.User + "@" + d.JID.Domain(), uri: b.Contact, routes: b.Routes, flow: b.Flow}
	}
	p := w.place(d.Upstream)
	x := &watched{device: d, at: p}
	if p.cfg.Host == "" {
		x.lacks = "the configuration has no such PBX"
		return x
	}
	address, ok := p.cfg.line(d.User, d.Numbers)
	if !ok {
		x.lacks = "it has no number"
		return x
	}
	x.address, x.uri = address, p.cfg.target(address)
	if p.cfg.Proxy != "" {
		x.routes = []string{"<" + p.cfg.Proxy + ";lr>"}
	}
	return x
}

// Line says where a device at a PBX is called: a URI, and what stands in Route. ok is
// false for one that is not known to be anywhere.
func (w *Watcher) Line(d *device.Device) (uri string, routes []string, ok bool) {
	if d.Here() {
		return "", nil, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	x := w.aim(d)
	if x == nil || x.lacks != "" {
		return "", nil, false
	}
	return x.uri, x.routes, true
}

// place returns the PBX that a device names, by its name in the configuration, its host
// or its URI. One that the configuration does not have is asked for calls and presence
// if the device says by a URI where it is; else it has no host.
func (w *Watcher) place(name string) *place {
	if p := w.places[name]; p != nil {
		return p
	}
	cfg := Upstream{Name: name}
	if u, err := transport.ParseURI(name); err == nil && u.IsSIP() {
		host := hostOf(u)
		for _, p := range w.places {
			if strings.EqualFold(p.cfg.Host, host) {
				return p
			}
		}
		cfg = Upstream{Name: host, Host: host, Packages: []string{"dialog", "presence"}, Exchange: true}
		cfg.Transport, _ = u.Params.Get("transport")
		if u.Scheme == "sips" {
			cfg.Transport = "tls"
		}
	} else {
		for _, p := range w.places {
			if strings.EqualFold(p.cfg.Host, name) {
				return p
			}
		}
	}
	p := w.found(cfg)
	w.places[name] = p
	return p
}

func hostOf(u transport.URI) string {
	v := transport.URI{Scheme: "sip", Host: u.Host, Port: u.Port}
	return strings.TrimPrefix(v.String(), "sip:")
}

// found makes a place.
func (w *Watcher) found(cfg Upstream) *place {
	p := &place{cfg: cfg, trunk: cfg.trunk(), reread: cfg.SecretFile != ""}
	p.logIn(cfg.Secret)
	return p
}

// logIn says who we are at a PBX from now on.
func (p *place) logIn(secret string) {
	user := p.cfg.User
	if secret == "" {
		user = ""
	}
	p.account = login.New(user, secret)
}

// secrets reads the secrets that are in files, at first and after they were refused. It
// is called with no lock held.
func (w *Watcher) secrets() {
	var all []*place
	w.mu.Lock()
	for _, p := range w.places {
		if p.reread {
			p.reread = false
			all = append(all, p)
		}
	}
	w.mu.Unlock()
	for _, p := range all {
		secret, err := w.parts.Secret(p.cfg.SecretFile)
		if err != nil {
			w.parts.Log.Error("the secret for a PBX cannot be read", "pbx", p.cfg.Name, "err", err)
			continue
		}
		w.mu.Lock()
		p.logIn(secret)
		w.mu.Unlock()
	}
}

// unwatch ends all subscriptions of a device.
func (w *Watcher) unwatch(x *watched) {
	x.gone = true
	delete(w.watched, x.device.JID)
	for len(x.forks) > 0 {
		w.dropFork(x.forks[len(x.forks)-1])
	}
	for _, g := range x.legs {
		if g == nil {
			continue
		}
		w.leave(g)
		delete(w.calls, g.callID)
		w.drop(g)
	}
}

// drop forgets a subscription.
func (w *Watcher) drop(g *leg) {
	w.schedule(g, time.Time{})
	g.gone = true
	if p := g.of.at; p.failures > 0 && !p.probing {
		w.release(p, 1, time.Now()) // it might have been the one to ask for all
	}
}

func (w *Watcher) dropFork(g *leg) {
	x := g.of
	x.forks = slices.DeleteFunc(x.forks, func(f *leg) bool { return f == g })
	w.drop(g)
	w.touch(x)
}
