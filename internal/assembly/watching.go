package assembly

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/sipgw/event"
	"rollcall/sipgw/notifier"
	"rollcall/sipgw/winfo"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// watching says who may watch whom by SIP: as by chat. People are asked whether a phone
// may, in the name of whom it is assigned to, or else in its own.
type watching struct {
	a    *Assembly     // fixed
	wake chan struct{} // holds a token if there is something to do

	mu    sync.Mutex // guards the fields below; nobody is called under it
	asked map[pair]*asking
	todo  []pair
	of    map[jid.Bare]struct{} // whose roster, or lists, are others
	all   bool                  // who sees how much of all may be another thing
}

// pair is somebody who watches, and whom.
type pair struct{ watcher, of jid.Bare }

// asking is that somebody was asked.
type asking struct {
	sent bool
	at   time.Time
}

// mostAsked is how many are remembered to have been asked; askAgain is after what time
// somebody who has refused may be asked again.
const (
	mostAsked = 10_000
	askAgain  = 24 * time.Hour
)

func newWatching(a *Assembly) *watching {
	return &watching{a: a, wake: make(chan struct{}, 1), asked: map[pair]*asking{}, of: map[jid.Bare]struct{}{}}
}

// look has it found out again who may watch somebody, and whom they may.
func (w *watching) look(at jid.Bare) {
	w.mu.Lock()
	w.of[at] = struct{}{}
	w.mu.Unlock()
	w.stir()
}

// lookAtAll does so for everybody.
func (w *watching) lookAtAll() {
	w.mu.Lock()
	w.all = true
	w.mu.Unlock()
	w.stir()
}

func (w *watching) stir() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run asks those who are to be asked, and has it found out again who may watch whom.
func (w *watching) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-w.wake:
		}
		w.mu.Lock()
		todo, of, all := w.todo, w.of, w.all
		w.todo, w.of, w.all = nil, map[jid.Bare]struct{}{}, false
		w.mu.Unlock()
		for _, p := range todo {
			w.send(ctx, p)
		}
		n := w.a.Gateway.Notifier
		if all {
			n.Recheck("", "")
			n.ChangedAll("presence.winfo")
			continue
		}
		for who := range of {
			w.rosterOf(who)
			n.Recheck("", who)
			n.Recheck(who, "")
		}
	}
}

// rosterOf tells who watches somebody to their phones.
func (w *watching) rosterOf(who jid.Bare) {
	n := w.a.Gateway.Notifier
	n.Changed("presence.winfo", who)
	for _, d := range w.a.Devices.Picture().OwnedBy(who) {
		n.Changed("presence.winfo", d.JID)
	}
}

// Watching implements notifier.Watchers: those whom somebody, or who a phone is of, lets see
// them, and before them those who have asked.
func (w *watching) Watching(who presence.Subject) (all []winfo.Watcher) {
	if d := w.a.Devices.Picture().ByJID(who); d != nil {
		if who = d.Owner; d.Shared || who == "" {
			return nil
		}
	}
	r, err := w.a.Book.Of(w.a.Server.Context(), who)
	if err != nil {
		w.failed(who, err)
		return nil
	}
	add := func(j jid.Bare, pending bool) bool {
		x := winfo.Watcher{URI: w.a.Gateway.URI(j), Pending: pending}
		if it, found := r.Lookup(j); found {
			x.Name = it.Name
		}
		if x.URI != "" {
			all = append(all, x)
		}
		return len(all) < mostTold
	}
	for j := range r.Requests() {
		if !add(j, true) {
			return all
		}
	}
	for j := range r.Subscribers() {
		if !add(j, false) {
			break
		}
	}
	return all
}

// mostTold is how many watchers somebody is told of.
const mostTold = 1000

// send asks somebody whether they may be watched.
func (w *watching) send(ctx context.Context, p pair) {
	var err error
	if p.watcher.Domain() != w.a.Devices.Domain() {
		err = w.a.ask(p.watcher, p.of)
	} else {
		b := stanza.AppendAttr([]byte("<presence type='subscribe'"), "from", string(p.watcher))
		err = w.a.fromDevices(ctx, append(stanza.AppendAttr(b, "to", string(p.of)), "/>"...))
	}
	if err != nil && ctx.Err() == nil {
		w.a.log.Warn("somebody could not be asked whether a phone may watch them", "jid", p.of, "peer", p.watcher, "err", err)
	}
	w.mu.Lock()
	if a := w.asked[p]; a != nil {
		a.sent = true
	}
	w.mu.Unlock()
	w.look(p.of)
}

// Level implements sipgw.Audience.
func (w *watching) Level(watcher, of presence.Subject) presence.Level {
	rules := w.a.seen.Load().rules
	if of.Domain() == w.a.Devices.Domain() {
		if w.a.Devices.Picture().ByJID(of) == nil {
			return presence.Hidden
		}
		return rules.Level(watcher, of, presence.Device)
	}
	level := rules.Level(watcher, of, presence.Person)
	if level == presence.Hidden || w.denied(watcher, of) {
		return presence.Hidden
	}
	return level
}

// denied says whether somebody does not exist, or has shut a watcher out: by the list that
// is for all of them (XEP-0016 §2.2, rule 2), or by those that are active in each of their
// clients (rule 1). What a phone is told is of the person, and one client that shows itself
// is enough for that.
func (w *watching) denied(watcher, of jid.Bare) bool {
	ctx := w.a.Server.Context()
	if a := w.a.Server.Connected(of); a != nil && !a.Shows(watcher.With("")) {
		return true
	}
	all, err := w.a.lists.Of(ctx, of)
	if err != nil {
		w.failed(of, err)
		return true
	}
	list := all.Default()
	if list == nil {
		return false
	}
	var r *roster.Roster
	if list.LooksAtRoster() {
		if r, err = w.a.Book.Of(ctx, of); err != nil {
			w.failed(of, err)
			return true
		}
	}
	return list.Under(r).Denies(true, stanza.Presence, watcher.With(""))
}

func (w *watching) failed(of jid.Bare, err error) {
	if !errors.Is(err, roster.ErrNoAccount) && w.a.Server.Context().Err() == nil {
		w.a.log.Error("who may watch somebody could not be found out", "jid", of, "err", err)
	}
}

// Approval implements sipgw.Audience. Devices are seen by whom the rules let.
func (w *watching) Approval(watcher, of presence.Subject) event.Permission {
	if of.Domain() == w.a.Devices.Domain() || w.a.Book.Directory().Sees(watcher, of) {
		return event.Allowed
	}
	r, err := w.a.Book.Of(w.a.Server.Context(), of)
	if err != nil {
		w.failed(of, err)
		return event.Undecided
	}
	state, p, now := r.State(watcher), pair{watcher, of}, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.asked[p]
	switch {
	case state.Has(roster.From):
		delete(w.asked, p)
		return event.Allowed
	case state.Has(roster.PendingIn) || a != nil && !a.sent:
		if a == nil && len(w.asked) < mostAsked { // by a client, or before a restart
			w.asked[p] = &asking{sent: true, at: now}
		}
		return event.Undecided
	case a != nil && now.Sub(a.at) < askAgain:
		return event.Refused // they were asked, and nobody asks any more
	}
	if len(w.asked) >= mostAsked {
		w.forget(now)
	}
	if len(w.asked) < mostAsked {
		w.asked[p] = &asking{at: now}
		w.todo = append(w.todo, p)
		w.stir()
	}
	return event.Undecided
}

// forget forgets who was asked long ago. The caller holds mu.
func (w *watching) forget(now time.Time) {
	for p, a := range w.asked {
		if now.Sub(a.at) >= askAgain {
			delete(w.asked, p)
		}
	}
}

// Group implements sipgw.Audience: the contacts of a roster group whom somebody sees.
// A device that is nobody's has the shared groups that it is shown.
func (w *watching) Group(group string, watcher presence.Subject) ([]notifier.Member, bool) {
	ctx := w.a.Server.Context()
	if watcher.Domain() == w.a.Devices.Domain() {
		return w.shared(ctx, group, watcher)
	}
	r, err := w.a.Book.Of(ctx, watcher)
	if err != nil {
		w.failed(watcher, err)
		return nil, false
	}
	var all []notifier.Member
	found := false
	for it := range r.Items() {
		if !slices.Contains(it.Groups, group) {
			continue
		}
		found = true
		all = w.member(all, it.Contact, it.Name)
	}
	return all, found
}

// shared lists the members of a shared group that a device sees.
func (w *watching) shared(ctx context.Context, group string, watcher jid.Bare) (all []notifier.Member, found bool) {
	groups, err := w.a.Groups.List(ctx)
	if err != nil {
		w.failed(watcher, err)
		return nil, false
	}
	seen := w.a.Book.Directory()
	for i := range groups {
		if groups[i].Title != group {
			continue
		}
		for _, m := range groups[i].Members {
			if seen.Sees(watcher, m.JID) {
				found = true
				all = w.member(all, m.JID, m.Name)
			}
		}
	}
	return all, found
}

// member appends an entry, if it is of somebody here.
func (w *watching) member(all []notifier.Member, who jid.Bare, name string) []notifier.Member {
	if _, here := w.a.Server.Domain(who.Domain()); !here && who.Domain() != w.a.Devices.Domain() {
		return all
	}
	uri := w.a.Gateway.URI(who)
	if uri == "" || slices.ContainsFunc(all, func(m notifier.Member) bool { return m.Subject == who }) {
		return all
	}
	return append(all, notifier.Member{Subject: who, URI: uri, Name: name})
}
