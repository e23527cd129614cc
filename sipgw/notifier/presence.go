package notifier

import (
	"time"

	"rollcall/presence"
	"rollcall/sipgw/pidf"
	"rollcall/sipgw/rich"
)

// formX is xpidf among the types of presence.
const formX = 1

func (n *Notifier) readPresence(s presence.Subject) facts {
	return facts{state: n.parts.States.State(s)}
}

// writePresence makes a presence document (RFC 3856 §6.7).
func (n *Notifier) writePresence(l *look, f *facts, now time.Time) document {
	shown := n.parts.Catalogue().Show(f.state, l.level, l.lang, now)
	r := rich.Of(l.entity, l.level, l.lang, &shown)
	if l.level >= presence.Detail && !r.Closed {
		r.Each = n.each(f.state, l, now)
	}
	var d pidf.Document
	rich.Fill(&d, &r, l.profile.Presence())
	return n.made(written(&d, l.form), nil)
}

func written(d *pidf.Document, form uint8) []byte {
	if form == formX {
		return d.AppendX(nil)
	}
	return d.Append(nil)
}

// closedDocument is what somebody sees who is to see nothing any more.
func (n *Notifier) closedDocument(s *subscription, now time.Time) document {
	l := s.look(presence.Hidden)
	return n.writePresence(&l, &facts{}, now)
}

// each is every chat client and phone of somebody. What a level does not see of them
// is not in it (RFC 8048 §5.2 has a tuple for each).
func (n *Notifier) each(e *presence.Effective, l *look, now time.Time) (out []rich.Each) {
	cat := n.parts.Catalogue()
	seen := map[string]bool{}
	for i := range e.All {
		c := &e.All[i]
		kind, name := presence.SourceKind(c.Source), presence.SourceName(c.Source)
		if name == "" || seen[c.Source] {
			continue
		}
		switch kind {
		case presence.FromClient:
			if c.Channels&presence.Chat == 0 {
				continue
			}
			shown := cat.ShowClient(e, c.Source, l.level, l.lang, now)
			if shown.Unavailable {
				continue
			}
			out = append(out, rich.Each{
				Resource: name, Show: shown.Show, Text: shown.Text, Priority: c.Facets.Priority, Since: c.Since, Idle: c.Facets.Idle,
			})
		case presence.FromPhone:
			if c.Axis != presence.Reachability {
				continue
			}
			out = append(out, rich.Each{
				Resource: name, Text: c.Facets.Device, Since: c.Since, Closed: c.Channels&presence.Voice == 0, Priority: -1,
			})
		default:
			continue
		}
		seen[c.Source] = true
	}
	return out
}
