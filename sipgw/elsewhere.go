package sipgw

import (
	"context"
	"sync"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/hearsay"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/status"
	"rollcall/sipgw/transport"
	"rollcall/sipgw/watcher"
	"rollcall/xmpp/jid"
)

// Elsewhere has PBXs, and phones that are registered here, asked what devices do, and
// the presence engine told.
type Elsewhere struct {
	*watcher.Watcher
	board *hearsay.Board

	mu    sync.Mutex // guards the field below
	calls map[jid.Bare][]dialoginfo.Live
}

// Calls returns the calls that a PBX, or a phone, says that a device has. They are not
// to be changed.
func (e *Elsewhere) Calls(of jid.Bare) []dialoginfo.Live {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls[of]
}

// learned takes up what has been learned of a device, for the lamps of others.
func (e *Elsewhere) learned(l *watcher.Learned) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.Gone || len(l.Calls) == 0 {
		delete(e.calls, l.Device.JID)
		return
	}
	e.calls[l.Device.JID] = l.Calls
}

// Elsewhere makes what asks PBXs, and has it take NOTIFY requests. Secret reads a file
// with a secret. It is to be called before Run, at most once.
func (g *Gateway) Elsewhere(cfg watcher.Config, secret func(file string) (string, error)) *Elsewhere {
	p := &g.parts
	e := &Elsewhere{calls: map[jid.Bare][]dialoginfo.Live{}, board: hearsay.New(hearsay.Parts{Engine: p.Engine, Devices: p.Devices.Picture, Catalogue: p.Catalogue, Log: p.Log})}
	e.Watcher = watcher.New(watcher.Parts{
		SIP: g.Transport, Devices: p.Devices.Picture, Reach: g.reach, Secret: secret,
		Tell: func(l watcher.Learned) {
			e.board.Tell(l)
			e.learned(&l)
			g.tell("dialog", l.Device)
		},
		Waiting: func(w watcher.Waiting) { g.Mailboxes.Told(w.Device, w.Summary) },
		Synced:  e.board.Synced, Log: p.Log,
	}, cfg)
	g.lines, g.elsewhere = e.Line, e
	g.heard = transport.Endpoint(e.Notified)
	g.Transport.OnFlowClosed(e.Closed)
	g.Registrar.OnChange(func(c registrar.Change) {
		if !c.Stays() {
			e.Moved(status.User(c.AOR), c.Reboot != "")
		}
	})
	return e
}

// Run asks and tells until ctx is done.
func (e *Elsewhere) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { e.board.Run(ctx) })
	all.Go(func() { e.Watcher.Run(ctx) })
	all.Wait()
	return nil
}

// reach says where a phone can be asked: where it has registered last.
func (g *Gateway) reach(d *device.Device) (b watcher.Binding, ok bool) {
	var last *registrar.Binding
	for _, x := range g.Registrar.Lookup(status.AOR(d)) {
		if last == nil || x.Created.After(last.Created) {
			last = x
		}
	}
	if last == nil {
		return b, false
	}
	flow, ok := g.Flow(last)
	return watcher.Binding{Contact: last.Contact, Routes: last.Path, Flow: flow}, ok
}
