package call

import (
	"context"
	"fmt"
	"time"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/door"
	"rollcall/sipgw/keep"
	"rollcall/sipgw/line"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// stored is the dialog as it is stored.
func (d *dialog) stored() *Dialog {
	s := &Dialog{ID: d.id, CallID: d.key.callID, Began: d.began, Answered: d.answered, Session: d.session, Refreshed: d.renewed}
	for i := range d.ends {
		e := &d.ends[i]
		s.Ends[i] = End{
			Device: e.device, AOR: e.aor, Binding: e.binding, Header: e.header, Identity: e.identity, Display: e.display,
			Contact: e.contact, Routes: e.routes, CSeq: e.cseq, Held: e.held, Since: d.answered, Flow: door.Flow(e.flow),
		}
		if e.leg != nil {
			s.Ends[i].Row, s.Ends[i].Since = e.leg.live.ID, e.leg.live.Since
		}
	}
	return s
}

// saver stores dialogs for the keeper, which is the only one to call it.
type saver struct {
	store Store
	known map[uint64]bool // that are stored: most calls that are removed never were
}

func (s *saver) save(ctx context.Context, changes []keep.Change[uint64, Dialog]) error {
	var put []*Dialog
	var gone []uint64
	for _, c := range changes {
		switch {
		case c.Value != nil:
			put = append(put, c.Value)
		case s.known[c.Key]:
			gone = append(gone, c.Key)
		}
	}
	if len(put)+len(gone) == 0 {
		return nil
	}
	if err := s.store.SaveDialogs(ctx, put, gone); err != nil {
		return err
	}
	for _, d := range put {
		s.known[d.ID] = true
	}
	for _, id := range gone {
		delete(s.known, id)
	}
	return nil
}

// Load reads the calls that were up when we stopped, and tells of them as they were.
// It is to be called once, when the sockets are open and before the transport runs.
// They are asked for by [Proxy.Run].
func (p *Proxy) Load(ctx context.Context, now time.Time) error {
	list, err := p.parts.Store.LoadDialogs(ctx)
	if err != nil {
		return fmt.Errorf("load the calls: %w", err)
	}
	t := p.calls
	t.mu.Lock()
	defer t.tell()
	for _, s := range list {
		p.saver.known[s.ID] = true
		t.lastID = max(t.lastID, s.ID)
		d, ok := s.restored(p.parts.Transport)
		if !ok || !now.Before(s.Began.Add(line.LongestCall)) {
			t.erase(s.ID)
			continue
		}
		t.dialogs[d.key], t.byID[d.id] = d, d
		for i := range d.ends {
			if e := &d.ends[i]; e.device != "" {
				e.leg = &leg{device: e.device, binding: e.binding, dialog: d, live: d.row(i, &s.Ends[i])}
				t.add(e.leg)
			}
		}
		t.schedule(d, now)
	}
	return nil
}

// restored makes a dialog of what was stored; ok is false if that cannot be read.
func (s *Dialog) restored(tr *transport.Transport) (d *dialog, ok bool) {
	d = &dialog{id: s.ID, began: s.Began, answered: s.Answered, session: s.Session, renewed: s.Refreshed}
	d.key.callID = s.CallID
	for i := range s.Ends {
		k := &s.Ends[i]
		a, err := transport.ParseAddress(k.Header)
		if err != nil || a.Tag() == "" {
			return nil, false
		}
		e := &d.ends[i]
		*e = end{
			device: k.Device, aor: k.AOR, binding: k.Binding, tag: a.Tag(), header: k.Header, identity: k.Identity, display: k.Display,
			contact: k.Contact, routes: k.Routes, cseq: k.CSeq, held: k.Held, heard: s.Answered, doubted: true,
		}
		e.flow, _ = named(tr, k.Flow)
	}
	d.key.caller, d.key.callee = d.ends[0].tag, d.ends[1].tag
	return d, true
}

// row is the leg of one end of a dialog that was stored.
func (d *dialog) row(i int, k *End) dialoginfo.Live {
	direction := dialoginfo.Initiator
	if i == 1 {
		direction = dialoginfo.Recipient
	}
	return dialoginfo.Live{
		Dialog: dialoginfo.Dialog{
			ID: k.Row, CallID: d.key.callID, LocalTag: d.ends[i].tag, RemoteTag: d.ends[1-i].tag, Direction: direction,
			State: dialoginfo.Confirmed, Code: 200, Duration: -1, Local: d.ends[i].party(), Remote: d.ends[1-i].party(),
		},
		Began: d.began, Since: k.Since, Heard: d.answered, Answered: d.answered,
	}
}

// named finds a flow by what is kept of it.
func named(tr *transport.Transport, f registrar.Flow) (transport.Flow, bool) {
	return tr.Named(transport.Kind(f.Transport), f.ID, f.Local, f.Remote)
}
