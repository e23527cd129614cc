package status

import (
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/pidf"
	"rollcall/sipgw/publish"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/rich"
	"rollcall/xmpp/jid"
)

// Engine is told of devices and their owners.
type Engine interface {
	Report(who presence.Subject, kind presence.Kind, source string, all []presence.Contribution) error
	Forget(who presence.Subject)
	Synced(prefix string)
}

// Bindings are where devices are registered.
type Bindings interface {
	Lookup(aor string) []*registrar.Binding
	Remove(now time.Time, aor string)
}

// Publications are what phones have published.
type Publications interface {
	Forget(now time.Time, resource, publisher string, before time.Time)
}

// Parts are what a board needs.
type Parts struct {
	Engine       Engine
	Bindings     Bindings
	Publications Publications

	// Devices are all there are; Catalogue are the states in force.
	Devices   func() *device.Picture
	Catalogue func() *presence.Catalogue

	// Known returns what was shown of a device before a restart, or nil.
	Known func(presence.Subject) *presence.Effective

	Log *slog.Logger
}

// Board has what is known of each device. Its methods, which are for listeners, take
// note of what has happened and return; [Board.Run] does the rest. It is safe for use
// by many goroutines.
type Board struct {
	parts Parts         // fixed
	wake  chan struct{} // holds a token if something is to be done

	mu      sync.Mutex // guards the fields below
	records map[jid.Bare]*record
	dirty   map[jid.Bare]struct{}
	longer  map[jid.Bare]struct{} // of which nothing is another thing but until when it is so
}

// record is what is known of one device.
type record struct {
	lost    lost
	failing map[uint64]registrar.Report
	papers  map[uint64]*published
	calls   []dialoginfo.Live

	reported
}

// published is one publication.
type published struct {
	now   *publish.Publication
	table dialoginfo.Table
	heard *rich.Heard
}

// New returns a board on which nothing is noted.
func New(parts Parts) *Board {
	return &Board{
		parts: parts, wake: make(chan struct{}, 1),
		records: map[jid.Bare]*record{}, dirty: map[jid.Bare]struct{}{}, longer: map[jid.Bare]struct{}{},
	}
}

// Packages are the event packages that a board understands.
func Packages() map[string]publish.Package {
	return map[string]publish.Package{
		"dialog": {Types: []string{dialoginfo.ContentType}, Parse: func(_ string, body []byte) (any, error) { return dialoginfo.Parse(body) }},
		"presence": {Types: []string{pidf.ContentType, pidf.ContentTypeX}, Parse: func(contentType string, body []byte) (any, error) {
			return pidf.ParseAs(contentType, body)
		}},
	}
}

// note changes what is known of a device, and has it reported. Of what is none it
// notes nothing.
func (b *Board) note(aor string, change func(*record)) {
	b.take(aor, func(r *record) (same bool) { change(r); return false })
}

// prolonged has a device reported later, of which all that was known lasts longer.
func (b *Board) prolonged(aor string) {
	if d := b.parts.Devices().ByUser(User(aor)); d != nil {
		b.mu.Lock()
		first := len(b.longer) == 0
		b.longer[d.JID] = struct{}{}
		b.mu.Unlock()
		if first {
			b.poke()
		}
	}
}

// take is note for what may be only the same for longer.
func (b *Board) take(aor string, change func(*record) (same bool)) {
	d := b.parts.Devices().ByUser(User(aor))
	if d == nil {
		return
	}
	b.mu.Lock()
	into := b.dirty
	if change(b.record(d.JID)) {
		into = b.longer
	}
	first := len(into) == 0
	into[d.JID] = struct{}{}
	b.mu.Unlock()
	if first {
		b.poke()
	}
}

// prolong is how long the engine may believe that something ends sooner than it does.
// Devices that register or publish again and again, as those behind some NATs, are so
// reported once for many times.
const prolong = 20 * time.Second

// far says whether it is long enough until a time that the engine may be told later that
// it is not the end.
func far(end, now time.Time) bool { return end.Sub(now) > 2*prolong }

// record returns what is known of a device. The caller holds mu.
func (b *Board) record(who jid.Bare) *record {
	r := b.records[who]
	if r == nil {
		r = &record{lost: lost{cause: neverSeen}}
		b.records[who] = r
	}
	return r
}

func (b *Board) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// User returns the SIP user of an address of record: there may be other @ in the name.
func User(aor string) string { return aor[:max(strings.LastIndexByte(aor, '@'), 0)] }

// Registered takes up what has happened to a binding: for
// [registrar.Registrar.OnChange].
func (b *Board) Registered(c registrar.Change) {
	if c.What == registrar.Refreshed && c.Old.Params == c.Binding.Params &&
		!c.Binding.Expires.Before(c.Old.Expires) && far(c.Old.Expires.Add(registrar.Grace), c.At) {
		b.prolonged(c.AOR)
		return
	}
	b.note(c.AOR, func(r *record) {
		if c.What.Gone() || c.Reboot != "" {
			delete(r.failing, c.Binding.ID)
		}
		if c.What.Gone() && len(c.After) == 0 {
			r.lost = lost{c.At, causes[c.What]}
		}
	})
	if c.Reboot != "" {
		b.parts.Publications.Forget(c.At, c.AOR, User(c.AOR), c.At)
	}
}

// Answers takes up whether a device answers: for [registrar.QualifyParts].
func (b *Board) Answers(report registrar.Report) {
	b.note(report.Binding.AOR, func(r *record) {
		if report.Health == registrar.Good || report.Health == registrar.Unasked {
			delete(r.failing, report.Binding.ID)
			return
		}
		if r.failing == nil {
			r.failing = map[uint64]registrar.Report{}
		}
		r.failing[report.Binding.ID] = report
	})
}

// Published takes up what a phone has published: for [publish.Compositor.OnChange].
func (b *Board) Published(c publish.Change) {
	b.take(c.Publication.Resource, func(r *record) (same bool) {
		id := c.Publication.ID
		if c.What.Gone() {
			delete(r.papers, id)
			return false
		}
		if r.papers == nil {
			r.papers = map[uint64]*published{}
		}
		p := r.papers[id]
		if p == nil {
			p = new(published)
			r.papers[id] = p
		}
		before := p.now
		p.now = c.Publication
		if c.What != publish.Refreshed {
			p.read(c)
			return false
		}
		return before != nil && !p.now.Expires.Before(before.Expires) && far(before.Expires, c.At)
	})
}

// read takes in what a publication says now.
func (p *published) read(c publish.Change) {
	at := c.At
	if c.What == publish.Restored {
		at = c.Publication.Since
	}
	switch doc := c.Publication.State.(type) {
	case *dialoginfo.Document:
		p.table.Forget(true) // each publication stands by itself, whatever its version
		p.table.Apply(doc, at)
	case *pidf.Document:
		h := rich.Read(doc, rich.Trunk{})
		p.heard = &h
	}
}

// Calls takes up which calls a device has, all of them, by its address of record. They
// are not changed any more.
func (b *Board) Calls(aor string, all []dialoginfo.Live) {
	b.note(aor, func(r *record) { r.calls = all })
}

// Dialogs returns all calls that a device is known to have: those that go through here,
// and those that it has published besides.
func (b *Board) Dialogs(of jid.Bare) []dialoginfo.Live {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[of]
	if r == nil {
		return nil
	}
	all := slices.Clone(r.calls)
	ids := slices.Sorted(maps.Keys(r.papers))
	for _, id := range ids {
		for _, l := range r.papers[id].table.Live() {
			known := func(o dialoginfo.Live) bool { return l.CallID != "" && o.CallID == l.CallID }
			if !slices.ContainsFunc(all, known) {
				all = append(all, l)
			}
		}
	}
	return all
}

// Changed takes up that a device is another one: for [device.Register.OnChanged].
func (b *Board) Changed(before, now *device.Device) {
	who := before
	if now != nil {
		who = now
	}
	b.mu.Lock()
	b.dirty[who.JID] = struct{}{}
	b.mu.Unlock()
	if before != nil && before.Here() && ended(before, now) {
		at, aor := time.Now(), AOR(before)
		b.parts.Bindings.Remove(at, aor)
		b.parts.Publications.Forget(at, aor, before.User, at)
	}
	b.poke()
}

// ended says whether what a device did so far does not count any more: it may not
// register, or not by the secret that it did it with.
func ended(before, now *device.Device) bool {
	return now == nil || now.Disabled || !now.Here() || now.User != before.User || now.Key != before.Key
}

// AOR returns the address of record of a device.
func AOR(d *device.Device) string { return d.User + "@" + d.JID.Domain() }

// IsAOR says whether an address of record is that of a device.
func IsAOR(aor string, d *device.Device) bool {
	at := len(d.User)
	return len(aor) > at && aor[at] == '@' && aor[:at] == d.User && aor[at+1:] == d.JID.Domain()
}
