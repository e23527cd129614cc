package portable

import (
	"encoding/xml"
	"slices"
	"strings"
	"time"

	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

const (
	nsMAM      = "urn:xmpp:mam:2"
	nsStanzaID = "urn:xmpp:sid:0"
	nsMAMTmp   = "urn:xmpp:mam:tmp"
	nsOldDelay = "jabber:x:delay"
)

// offline reads the messages that wait (XEP-0227 §4.5).
func (r *reader) offline(start xml.StartElement) error {
	if r.a.Offline == nil {
		r.a.Offline = &Letters{}
	}
	return r.elements(func(n xml.Name) bool { return n.Local == "message" }, func(where Place, e *stanza.Element) error {
		plain(e)
		stamp, ok := r.stampOf(where, e)
		if !ok || r.old(where, stamp, r.o.Offline, "offline.max_age") {
			return nil
		}
		r.strip(e, false)
		m, ok := r.letter(where, e, stamp)
		if !ok {
			return nil
		}
		m.ID = r.ownID(e)
		if err := r.a.Offline.add(m); err != nil {
			return &stopped{err}
		}
		return nil
	})
}

// stampOf takes the stamp of the server that kept a message out of it (XEP-0203);
// one of somebody on the way stays. Without one it came before the file was
// written.
func (r *reader) stampOf(where Place, e *stanza.Element) (time.Time, bool) {
	at := -1
	for i, n := range e.Nodes {
		if n.Elem == nil || !n.Elem.Is(stanza.NSDelay, "delay") && !n.Elem.Is(nsOldDelay, "x") {
			continue
		}
		from, err := r.address(n.Elem.Attr("from"))
		if ours := err == nil && (from.String() == r.host || from.Bare() == r.a.Parcel.Account); ours || at < 0 && n.Elem.Attr("from") == "" {
			at = i
		}
	}
	if at < 0 {
		return r.doc.at, true
	}
	stamp, ok := r.stamp(where, e.Nodes[at].Elem.Attr("stamp"))
	e.Nodes = append(e.Nodes[:at:at], e.Nodes[at+1:]...)
	return stamp, ok
}

// stamp reads a time (XEP-0082, XEP-0091) at which a message may have come.
func (r *reader) stamp(where Place, text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "20060102T15:04:05"} {
		at, err := time.Parse(layout, strings.TrimSpace(text))
		if err != nil {
			continue
		}
		if at.UnixMicro() < 1 || at.After(r.o.Now) {
			r.tell(where, "a message of %s, when nobody can have sent it, is left out", at.Format(time.DateTime))
			return at, false
		}
		return at, true
	}
	r.tell(where, "a message without a time (%.50q) is left out", text)
	return time.Time{}, false
}

// old reports whether a message is older than anything that is kept here.
func (r *reader) old(where Place, at time.Time, age time.Duration, key string) bool {
	if age <= 0 || at.After(r.o.Now.Add(-age)) {
		return false
	}
	r.notes.leave("messages that are older than "+key, where, 1)
	return true
}

// letter makes a message one that can be kept, with the addresses that it has
// here.
func (r *reader) letter(where Place, e *stanza.Element, at time.Time) (m storage.Letter, ok bool) {
	if !e.Is(stanza.NSClient, "message") {
		r.notes.leave("messages that are none", where, 1)
		return m, false
	}
	owner := r.a.Parcel.Account.With("")
	from, err1 := r.party(e.Attr("from"), owner)
	to, err2 := r.party(e.Attr("to"), owner)
	if err1 != nil || err2 != nil {
		r.tell(where, "a message from %.100q to %.100q, which are no addresses, is left out", e.Attr("from"), e.Attr("to"))
		return m, false
	}
	if from.Bare() != r.a.Parcel.Account && to.Bare() != r.a.Parcel.Account {
		r.tell(where, "a message from %s to %s, which is somebody else's, is left out", from, to)
		return m, false
	}
	m = storage.Letter{Stamp: at.UnixMicro(), From: from.String(), To: to.String()}
	m.Stanza, ok = r.stanza(where, e, m.From, m.To)
	return m, ok
}

// party reads an address of a message. Without one it is the owner's (RFC 6120
// §8.1.1).
func (r *reader) party(text string, owner jid.JID) (jid.JID, error) {
	if text == "" {
		return owner, nil
	}
	return r.address(text)
}

// ownID finds what the server of the account has called a message that waits
// (XEP-0359 §3).
func (r *reader) ownID(e *stanza.Element) string {
	for _, c := range e.Elements() {
		if c.Is(nsStanzaID, "stanza-id") && r.byOwner(c) {
			return c.Attr("id")
		}
	}
	return ""
}

// strip takes out what servers wrote into messages for their clients; alone it
// means nothing.
func (r *reader) strip(e *stanza.Element, ids bool) {
	e.Nodes = slices.DeleteFunc(e.Nodes, func(n stanza.Node) bool {
		return n.Elem != nil && (n.Elem.Is(nsMAMTmp, "archived") || ids && n.Elem.Is(nsStanzaID, "stanza-id")) && r.byOwner(n.Elem)
	})
}

// byOwner reports whether an id is by the server of the account.
func (r *reader) byOwner(e *stanza.Element) bool {
	by, err := r.address(e.Attr("by"))
	return err == nil && by.Bare() == r.a.Parcel.Account
}

// stanza writes a stanza with addresses, and makes sure that it can be sent.
func (r *reader) stanza(where Place, e *stanza.Element, from, to string) ([]byte, bool) {
	setAttr(e, "from", from)
	setAttr(e, "to", to)
	raw := e.Canonical(stanza.NSClient)
	if _, err := whole(raw, stanza.NSClient); err != nil {
		r.tell(where, "a %s that cannot be sent is left out: %v", e.Local, err)
		return nil, false
	}
	return raw, true
}

// setAttr gives an element an attribute.
func setAttr(e *stanza.Element, name, value string) {
	for i := range e.Attrs {
		if e.Attrs[i].Space == "" && e.Attrs[i].Local == name {
			e.Attrs[i].Value = value
			return
		}
	}
	e.Attrs = append(e.Attrs, stanza.Attr{Local: name, Value: value})
}

// whole checks that bytes are one element that a stream can carry.
func whole(raw []byte, space string) (*stanza.Stanza, error) {
	l := stream.Limits{Stanza: maxElement, Tag: maxElement, Depth: stream.MaxDepth, Attrs: stream.MaxAttrs, Namespaces: 4096}
	sc := stream.New(l)
	sc.Reset(l, space, nil)
	return sc.Whole(raw)
}

// archive reads a message archive (XEP-0227 §4.11): results of XEP-0313 in the
// order in which they came.
func (r *reader) archive(start xml.StartElement) error {
	if r.o.NoArchive {
		return r.leaveEach("messages of archives, which are off (archive.enabled)")
	}
	if r.a.Archive == nil {
		r.a.Archive = &Letters{}
	}
	return r.elements(func(n xml.Name) bool {
		return n.Local == "result" && strings.HasPrefix(n.Space, "urn:xmpp:mam:")
	}, r.result)
}

func (r *reader) result(where Place, e *stanza.Element) error {
	forwarded := e.Child(stanza.NSForward, "forwarded")
	if forwarded == nil {
		r.tell(where, "a result of the archive without a message is left out")
		return nil
	}
	var message *stanza.Element
	stamp := ""
	for _, c := range forwarded.Elements() {
		switch {
		case c.Is(stanza.NSDelay, "delay"):
			stamp = c.Attr("stamp")
		default:
			plain(c)
			message = c
		}
	}
	if message == nil {
		r.tell(where, "a result of the archive without a message is left out")
		return nil
	}
	at, ok := r.stamp(where, stamp)
	if !ok || r.old(where, at, r.o.Archive, "archive.retention") {
		return nil
	}
	r.strip(message, true)
	m, ok := r.letter(where, message, at)
	if !ok {
		return nil
	}
	if err := r.a.Archive.add(m); err != nil {
		return &stopped{err}
	}
	return nil
}

func (x *exporting) offline() error {
	// Between these elements there must be nothing: ejabberd takes it for one.
	any := false
	for m, err := range x.store.Offline(x.ctx, x.id) {
		if err != nil {
			return err
		}
		if !any {
			x.write("<offline-messages>")
			any = true
		}
		e, err := stanza.Parse(m.Stanza, stanza.NSClient, nil)
		if err != nil {
			return err
		}
		stamp := string(stanza.AppendTime(nil, time.UnixMicro(m.Stored)))
		e.Nodes = append(e.Nodes, stanza.Node{Elem: &stanza.Element{
			Space: stanza.NSDelay, Local: "delay",
			Attrs: []stanza.Attr{{Local: "from", Value: x.parcel.Account.Domain()}, {Local: "stamp", Value: stamp}},
		}})
		if err := x.bytes(e.Canonical(NS)); err != nil {
			return err
		}
	}
	if !any {
		return nil
	}
	return x.line([]byte("</offline-messages>"))
}

func (x *exporting) archive() error {
	any := false
	for m, err := range x.store.Archive(x.ctx, x.parcel.Account, x.id) {
		if err != nil {
			return err
		}
		if !any {
			if err := x.line([]byte("<archive xmlns='" + nsArchive + "'>")); err != nil {
				return err
			}
			any = true
		}
		raw, err := stanza.Canonical(m.Stanza, stanza.NSClient)
		if err != nil {
			return err
		}
		b := append([]byte("<result xmlns='"+nsMAM+"' id='"), x.ids.Append(nil, m.ID)...)
		b = stanza.AppendForwarded(append(b, "'>"...), stanza.AppendDelay(nil, "", time.UnixMicro(m.ID)), raw)
		if err := x.line(append(b, "</result>"...)); err != nil {
			return err
		}
	}
	if !any {
		return nil
	}
	return x.line([]byte("</archive>"))
}
