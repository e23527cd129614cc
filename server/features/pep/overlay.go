package pep

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/presence"
	"rollcall/roster"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// What lies over a person's own activity is made of the state that lies over their
// presence, each time that somebody is told or asks. It is written nowhere: when the
// state goes, or the server, there is nothing to be put back.

const nodeActivity = "http://jabber.org/protocol/activity"

// overNode is the node of what lies over somebody's own.
var overNode = Node{Name: nodeActivity, Options: defaults(nodeActivity)}

// overlay is what has yet to be told of states that have begun or ended.
type overlay struct {
	interested atomic.Int32 // sessions that want to hear of activities

	wake chan struct{} // holds a token if there is something in was

	mu  sync.Mutex
	was map[jid.Bare]View // what lay over people when all were told last; nil is nothing
}

func (o *overlay) count(more bool) {
	if more {
		o.interested.Add(1)
	} else {
		o.interested.Add(-1)
	}
}

// Covered hears that something else lies over somebody than before; was is nil if
// nothing did. It waits for nobody.
func (f *Feature) Covered(of jid.Bare, was View) {
	o := &f.overlay
	if o.interested.Load() == 0 {
		return // whoever comes is told what is so then
	}
	o.mu.Lock()
	if o.was == nil {
		o.was = map[jid.Bare]View{}
	}
	if _, waits := o.was[of]; !waits {
		o.was[of] = was
	}
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Run tells contacts of what begins and ceases to lie over people's activities, until
// ctx is done.
func (f *Feature) Run(ctx context.Context) error {
	o := &f.overlay
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		}
		o.mu.Lock()
		all := o.was
		o.was = nil
		o.mu.Unlock()
		for of, was := range all {
			if err := f.retell(ctx, of, was); err != nil && ctx.Err() == nil {
				f.srv.Log().Error("contacts could not be told of somebody's activity", "jid", of, "err", err)
			}
		}
	}
}

// retell tells contacts what is different to them since something else lay over
// somebody.
func (f *Feature) retell(ctx context.Context, owner jid.Bare, was View) error {
	of, exists, err := f.srv.Account(ctx, owner)
	if err != nil || !exists || of.ID == 0 {
		return err
	}
	r, err := f.rosters.Of(ctx, owner)
	if errors.Is(err, roster.ErrNoAccount) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.shelves.take(of.JID).Unlock()
	shelf, err := f.read(ctx, of)
	if err != nil {
		return err
	}
	now, n := f.there.View(owner), shelf.node(nodeActivity)
	same := map[sight]*notice{} // of those who see the same
	tell := func(who asker, send func(*notice)) error {
		before, after := over(was, who.who), over(now, who.who)
		if before == after || !who.sees {
			return nil
		}
		at := sight{over: after, own: n != nil && n.Items > 0 && n.allows(who) == nil}
		x := same[at]
		if x == nil {
			var err error
			if x, err = f.seen(ctx, of, n, at); err != nil {
				return err
			}
			same[at] = x
		}
		send(x)
		return nil
	}
	for j := range r.Subscribers() {
		a := f.srv.Connected(j)
		if a == nil || j == owner || !slices.ContainsFunc(a.Sessions(), func(s *server.Session) bool { return f.wants(s, nodeActivity) }) {
			continue
		}
		err := tell(f.contact(r, j, of), func(x *notice) {
			for _, s := range a.Sessions() {
				if f.wants(s, nodeActivity) {
					x.send(s, of)
				}
			}
		})
		if err != nil {
			return err
		}
	}
	if n == nil {
		return nil
	}
	for _, j := range n.Subscribers {
		who := f.contact(r, j.Bare(), of)
		if err := tell(who, func(x *notice) { f.post(x, of, nodeActivity, who, j) }); err != nil {
			return err
		}
	}
	return nil
}

// sight is what somebody sees of a person's activity: what lies over it, if anything
// does, and whether the person's own is to be seen where nothing does.
type sight struct {
	over string
	own  bool
}

// seen is the news of what is seen of somebody's activity now: what lies over it, or
// else the item, or that there is none (XEP-0108 §2.3).
func (f *Feature) seen(ctx context.Context, of *server.Account, n *Node, at sight) (*notice, error) {
	over := at.over
	if over == "" && at.own {
		return f.lastNotice(ctx, of, n)
	}
	if over == "" {
		over = "<activity xmlns='" + nodeActivity + "'/>"
	}
	if !at.own {
		n = nil
	}
	it := overItem(n, nil, over)
	return f.notice(of.JID, nodeActivity, true, itemEvent(&overNode, &it), time.Time{}), nil
}

// activity returns what a watcher finds in place of somebody's own activity; "" is
// nothing.
func (f *Feature) activity(of, watcher jid.Bare) string { return over(f.there.View(of), watcher) }

// covered reports whether something lies over what somebody has published.
func (f *Feature) covered(of jid.Bare, node string, watcher jid.Bare) bool {
	return node == nodeActivity && f.activity(of, watcher) != ""
}

// over writes the activity of what lies over somebody, as a watcher sees it.
func over(v View, watcher jid.Bare) string {
	if v == nil {
		return ""
	}
	shown := v(watcher)
	if !shown.Engaged || shown.Unavailable || shown.Activity == "" {
		return ""
	}
	return activityOf(&shown)
}

// activityOf writes what is shown as XEP-0108 does.
func activityOf(shown *presence.Shown) string {
	general, specific, _ := strings.Cut(shown.Activity, "/")
	b := []byte("<activity xmlns='" + nodeActivity + "'><" + general)
	if specific == "" {
		b = append(b, "/>"...)
	} else {
		b = append(append(append(append(append(b, "><"...), specific...), "/></"...), general...), '>')
	}
	if shown.Text != "" {
		b = append(stanza.AppendText(append(b, "<text>"...), shown.Text), "</text>"...)
	}
	return string(append(b, "</activity>"...))
}

// overItem is the item that a watcher finds. It is known by the id of the person's own,
// if the watcher may see that, so that a client has one and not two.
func overItem(own *Node, hidden error, payload string) Item {
	it := Item{ID: "current", Payload: []byte(payload)}
	if own != nil && hidden == nil && own.Last.ID != "" {
		it.ID = own.Last.ID
	}
	return it
}
