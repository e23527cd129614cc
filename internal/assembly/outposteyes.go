package assembly

import (
	"context"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/notifier"
	"rollcall/xmpp/jid"
)

// eyes say who may watch whom by SIP at an outpost. Devices ask people in their own
// names, since nobody here can speak for accounts of another server; how much they see is
// what whom they are assigned to would.
type eyes struct{ p *Outpost }

// of returns with whose eyes a device sees.
func (e eyes) of(watcher jid.Bare) jid.Bare {
	if d := e.p.Devices.Picture().ByJID(watcher); d != nil && d.Owner != "" && !d.Shared {
		return d.Owner
	}
	return watcher
}

// Level implements sipgw.Audience.
func (e eyes) Level(watcher, of presence.Subject) presence.Level {
	rules := e.p.seen.Load().rules
	if of.Domain() != e.p.Devices.Domain() {
		return rules.Level(e.of(watcher), of, presence.Person)
	}
	if e.p.Devices.Picture().ByJID(of) == nil {
		return presence.Hidden
	}
	return rules.Level(e.of(watcher), of, presence.Device)
}

// Approval implements sipgw.Audience. Devices are seen by whom the rules let.
func (e eyes) Approval(watcher, of presence.Subject) event.Permission {
	if of.Domain() == e.p.Devices.Domain() {
		return event.Allowed
	}
	return e.p.People.Approval(watcher, of)
}

// Group implements sipgw.Audience: the members of a shared group of the outpost, for
// those who are shown it.
func (e eyes) Group(group string, watcher presence.Subject) (all []notifier.Member, found bool) {
	groups, err := e.p.Groups.List(context.Background())
	if err != nil {
		e.p.log.Error("who is in a group could not be found out", "err", err)
		return nil, false
	}
	seen, who := e.p.Book.Directory(), e.of(watcher)
	for i := range groups {
		if groups[i].Title != group {
			continue
		}
		for _, m := range groups[i].Members {
			if !seen.Sees(who, m.JID) && !seen.Sees(watcher, m.JID) {
				continue
			}
			found = true
			if uri := e.p.Gateway.URI(m.JID); uri != "" {
				all = append(all, notifier.Member{Subject: m.JID, URI: uri, Name: m.Name})
			}
		}
	}
	return all, found
}
