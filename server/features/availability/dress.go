package availability

import (
	"bytes"
	"strings"

	"rollcall/presence"
	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// outfit is a presence as those at one level see it.
type outfit struct {
	hidden     bool // that there is nobody
	head, tail []byte
}

func (o *outfit) same(as *outfit) bool {
	return o.hidden == as.hidden && (o.hidden || bytes.Equal(o.tail, as.tail) && bytes.Equal(o.head, as.head))
}

// outfits are what is made of one presence under a cover, each when it is first
// needed.
type outfits struct {
	cover cover
	show  string // what the client itself says
	made  [presence.NumLevels]*outfit
}

// as returns the note as a watcher sees it who was told the one before, if any;
// nil if there is nothing to tell.
func (n *note) as(watcher jid.Bare) *outfit {
	if n.worn == nil && n.before == nil {
		return &n.outfit
	}
	now := n.seen(watcher)
	was := &nothing
	if n.before != nil {
		was = n.before.seen(watcher)
		if now.same(was) {
			return nil
		}
	}
	switch {
	case !now.hidden:
		return now
	case was.hidden:
		return nil // nobody is told of the end of what was not seen
	}
	n.end = farewellTo(n.of.Full())
	return &n.end
}

var nothing = outfit{hidden: true}

// seen returns the note as a watcher sees it.
func (n *note) seen(watcher jid.Bare) *outfit {
	if n.worn == nil {
		return &n.outfit
	}
	l := n.worn.cover.graded.Level(watcher, n.of.Account.JID)
	if n.worn.made[l] == nil {
		n.worn.made[l] = n.make(l)
	}
	return n.worn.made[l]
}

// hides reports whether a watcher sees nothing of a session: it is not available,
// or to others only.
func (f *Feature) hides(of *server.Session, watcher jid.Bare) bool {
	a := of.Availability()
	if a == nil || watcher == of.Account.JID {
		return a == nil
	}
	n := f.current(of, a)
	return n.seen(watcher).hidden
}

// make dresses the note for a level.
func (n *note) make(l presence.Level) *outfit {
	c := &n.worn.cover
	if l == presence.Hidden {
		return &nothing
	}
	if c.covered == nil {
		if l > presence.Basic || n.bye {
			return &n.outfit
		}
		return n.write(outward{show: n.worn.show, plain: true})
	}
	shown := c.graded.Show(c.covered.state, source(n.of), l)
	switch {
	case shown.Unavailable:
		return &nothing
	case n.bye:
		return &n.outfit
	case shown.Engaged:
		return n.write(outward{show: shown.Show, text: shown.Text, state: shown.AppendState(nil)})
	case l == presence.Basic:
		return n.write(outward{show: n.worn.show, plain: true})
	case shown.Aside != "": // what the client says itself has won: it keeps its words
		return n.write(outward{show: n.worn.show, own: l > presence.Status, text: shown.Aside, state: shown.AppendState(nil)})
	}
	return &n.outfit
}

// outward is what is put in place of what a client says.
type outward struct {
	show  string
	text  string
	own   bool // the client's own words come before the text
	plain bool // nothing is known but what the client says
	state []byte
}

// write puts what is outward in place: show, status in whatever language, and
// since when nobody has touched the client. The rest stays as it is.
func (n *note) write(w outward) *outfit {
	raw := append(append(append([]byte(nil), n.head...), n.of.Bare()...), n.tail...)
	st, err := server.Whole(raw)
	if err != nil { // it was whole when it came
		n.of.Server().Log().Error("a presence could not be covered", "jid", n.of.JID, "err", err)
		return &nothing
	}
	text := w.text
	if w.own {
		text = joined(ownWords(st), text)
	}
	lang := ""
	if l := n.worn.cover.graded.Language(); !w.plain && string(st.Lang) != l {
		lang = l
	}
	b := appendShown([]byte("'>"), w.show, text, lang)
	for i := range st.Children {
		if c := &st.Children[i]; !replaced(c, w.plain) {
			b = append(b, st.Bytes(c.At)...)
		}
	}
	b = append(append(b, w.state...), "</presence>"...)
	return &outfit{head: n.head, tail: b}
}

// replaced reports whether a child of a presence gives way to what is outward.
func replaced(c *stanza.Child, plain bool) bool {
	switch {
	case c.Is(stanza.NSClient, "show"), c.Is(stanza.NSClient, "status"):
		return true
	case plain:
		return false
	}
	return c.Is(nsIdle, "idle") || c.Is(presence.StateNamespace, "state")
}

const nsIdle = "urn:xmpp:idle:1" // XEP-0319

// ownWords returns the status of a presence: the first one.
func ownWords(st *stanza.Stanza) string {
	for i := range st.Children {
		if c := &st.Children[i]; c.Is(stanza.NSClient, "status") {
			return strings.TrimSpace(stanza.Text(st.Bytes(c.Inner)))
		}
	}
	return ""
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " · " + b
}
