package status

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/registrar"
	"rollcall/xmpp/jid"
)

// reported is what the engine has been told of a device. It belongs to [Board.Run].
type reported struct {
	sources []string // of the device that have said something
	owner   jid.Bare // whose share in it was reported, or ""
	source  string   // … as what
}

// again is how often it is said anew that a device cannot be reached, since that has
// an end as all that is said; busy is how long to wait when the engine has too much to
// do.
const (
	again = 24 * time.Hour
	busy  = 50 * time.Millisecond
)

// Run reports until the context ends. First it reports all devices, for which the
// registrar and the compositor must have been loaded.
func (b *Board) Run(ctx context.Context) {
	b.everything()
	b.sweep(ctx)
	for _, prefix := range Sources() {
		b.parts.Engine.Synced(prefix)
	}
	tick := time.NewTicker(again)
	defer tick.Stop()
	var later <-chan time.Time // when there is something that lasts longer
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-b.wake:
		case <-later:
			later = nil
			b.hurry()
		case <-tick.C:
			b.everything()
		}
		if more := b.sweep(ctx); more && later == nil {
			later = time.After(prolong)
		}
	}
}

// hurry has that reported now which lasts longer.
func (b *Board) hurry() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for who := range b.longer {
		b.dirty[who] = struct{}{}
	}
	b.longer = map[jid.Bare]struct{}{} // clearing a large one takes its time
}

// Sources are what the names of the sources begin with that a board speaks for: all
// of them end with this program.
func Sources() []string {
	return []string{FromRegistrar, FromQualifier, FromCalls, "publish/", presence.FromPhone + "/"}
}

// everything has all devices reported.
func (b *Board) everything() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for d := range b.parts.Devices().All() {
		b.dirty[d.JID] = struct{}{}
		if r := b.record(d.JID); r.lost.since.IsZero() {
			r.recall(b.parts.Known(d.JID))
		}
	}
}

// recall takes from what was shown before a restart since when a device cannot be
// reached.
func (r *record) recall(e *presence.Effective) {
	if e == nil {
		return
	}
	for i := range e.All {
		if c := &e.All[i]; c.Source == FromRegistrar && c.State == presence.Offline {
			r.lost = lost{c.Since, c.Facets.Cause}
		}
	}
}

// sweep reports all devices of which something has changed. more is that there are
// others that may wait.
func (b *Board) sweep(ctx context.Context) (more bool) {
	b.mu.Lock()
	all := make([]jid.Bare, 0, len(b.dirty))
	for who := range b.dirty {
		all = append(all, who)
		delete(b.longer, who)
	}
	clear(b.dirty)
	more = len(b.longer) > 0
	b.mu.Unlock()
	for i := 0; i < len(all); {
		err := b.report(all[i])
		switch {
		case errors.Is(err, presence.ErrBusy):
			if !pause(ctx, busy) {
				return false
			}
			continue
		case errors.Is(err, presence.ErrEnded):
			return false
		case err != nil:
			b.parts.Log.Error("the state of a device could not be reported", "jid", all[i], "err", err)
		}
		i++
	}
	return more
}

// pause waits; false if the context ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// report tells the engine what a device comes to now.
func (b *Board) report(who jid.Bare) error {
	d := b.parts.Devices().ByJID(who)
	if d == nil {
		return b.forget(who)
	}
	f, r := b.facts(d)
	out := fold(f, time.Now())
	var sources []string
	for _, s := range out.device {
		sources = append(sources, s.source)
		if err := b.parts.Engine.Report(who, presence.Device, s.source, s.all); err != nil {
			return err
		}
	}
	for _, s := range r.sources {
		if !slices.Contains(sources, s) {
			if err := b.parts.Engine.Report(who, presence.Device, s, nil); err != nil {
				return err
			}
		}
	}
	r.sources = sources
	return b.share(d, r, &out)
}

// facts returns what is known of a device now.
func (b *Board) facts(d *device.Device) (*facts, *record) {
	f := &facts{device: d}
	if d.Here() {
		f.bindings = b.parts.Bindings.Lookup(AOR(d))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.record(d.JID)
	f.lost, f.calls = r.lost, r.calls
	if len(r.failing) > 0 {
		f.failing = map[uint64]registrar.Report{}
		for id, report := range r.failing {
			f.failing[id] = report
		}
	}
	for _, p := range r.papers {
		f.papers = append(f.papers, paper{p.now.Source(), p.now.Expires, slices.Clone(p.table.Live()), p.heard})
	}
	slices.SortFunc(f.papers, func(a, b paper) int { return cmp.Compare(a.source, b.source) })
	return f, r
}

// share tells the engine what a device says of its owner, and takes back what it said
// of whoever had it before.
func (b *Board) share(d *device.Device, r *record, out *outcome) error {
	owner, source := d.Owner, presence.FromPhone+"/"+d.User
	if d.Shared {
		owner = ""
	}
	if r.owner != "" && (r.owner != owner || r.source != source) {
		if err := b.parts.Engine.Report(r.owner, presence.Person, r.source, nil); err != nil {
			return err
		}
		r.owner = ""
	}
	if owner == "" {
		return nil
	}
	all := b.parts.Catalogue().Onward(source, d.Name, out.owner)
	for _, c := range out.direct {
		c.Facets.Device = d.Name
		all = append(all, c)
	}
	r.owner, r.source = owner, source
	return b.parts.Engine.Report(owner, presence.Person, source, all)
}

// forget takes back all that was said of a device that is no more.
func (b *Board) forget(who jid.Bare) error {
	b.mu.Lock()
	r := b.records[who]
	delete(b.records, who)
	b.mu.Unlock()
	b.parts.Engine.Forget(who)
	if r == nil || r.owner == "" {
		return nil
	}
	return b.parts.Engine.Report(r.owner, presence.Person, r.source, nil)
}
