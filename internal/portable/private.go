package portable

import (
	"cmp"
	"encoding/xml"
	"slices"

	"rollcall/server/features/privatexml"
	"rollcall/xmpp/stanza"
)

const nsPrivate = "jabber:iq:private"

// private reads private XML (XEP-0227 §4.6, XEP-0049).
func (r *reader) private(xml.StartElement) error {
	if r.a.Parcel.Private == nil {
		r.a.Parcel.Private = []privatexml.Item{}
	}
	for {
		start, found, err := r.doc.child()
		if err != nil || !found {
			return err
		}
		where := r.doc.place()
		e, err := r.doc.element(start)
		if err != nil {
			return err
		}
		r.keepPrivate(where, e)
	}
}

// keepPrivate keeps an element of private XML, with the others of its namespace.
func (r *reader) keepPrivate(where Place, e *stanza.Element) {
	if len(e.Nodes) == 0 && len(e.Attrs) == 0 {
		return // that is how clients take something away
	}
	raw := e.Canonical("")
	_, err := whole(raw, "")
	if err == nil {
		err = privatexml.CheckNamespace(e.Space)
	}
	if err != nil {
		r.tell(where, "private XML %s is left out: %v", brace(xml.Name{Space: e.Space, Local: e.Local}), err)
		return
	}
	size := 0
	for _, it := range r.a.Parcel.Private {
		size += len(it.XML) + len(it.Namespace)
	}
	at := slices.IndexFunc(r.a.Parcel.Private, func(it privatexml.Item) bool { return it.Namespace == e.Space })
	if at < 0 {
		at = len(r.a.Parcel.Private)
		r.a.Parcel.Private = append(r.a.Parcel.Private, privatexml.Item{Namespace: e.Space})
		size += len(e.Space)
	}
	it := &r.a.Parcel.Private[at]
	if len(it.XML)+len(raw) > r.o.Private.MaxElement || size+len(raw) > r.o.Private.MaxAccount {
		r.tell(where, "private XML %s is too much and is left out ([private_xml])", brace(xml.Name{Space: e.Space, Local: e.Local}))
		if len(it.XML) == 0 {
			r.a.Parcel.Private = slices.Delete(r.a.Parcel.Private, at, at+1)
		}
		return
	}
	it.XML = append(it.XML, raw...)
}

// finishPrivate makes bookmarks of PEP into those that are kept here, if there
// are none, and puts all in order.
func (r *reader) finishPrivate() {
	there := func(it privatexml.Item) bool { return it.Namespace == nsBookmarks }
	if e := r.a.marks.storage(); e != nil && !r.without("private") && !slices.ContainsFunc(r.a.Parcel.Private, there) {
		r.keepPrivate(r.a.marks.where, e)
	}
	slices.SortFunc(r.a.Parcel.Private, func(a, b privatexml.Item) int { return cmp.Compare(a.Namespace, b.Namespace) })
}

func (x *exporting) private() error {
	if len(x.parcel.Private) == 0 {
		return nil
	}
	b := []byte("<query xmlns='" + nsPrivate + "'>")
	for _, it := range x.parcel.Private {
		// Elements one after the other, each of which can stand anywhere.
		e, err := stanza.Parse(append(append([]byte("<all>"), it.XML...), "</all>"...), "", nil)
		if err != nil {
			return err
		}
		for _, c := range e.Elements() {
			b = append(b, c.Canonical(nsPrivate)...)
		}
	}
	return x.line(append(b, "</query>"...))
}

// Servers that keep everything in PEP have bookmarks there (XEP-0402, and
// XEP-0048 with XEP-0223); Prosody does, by mod_bookmarks. Clients that find no
// PEP look for them in private XML (XEP-0048).

const (
	nsBookmarks  = "storage:bookmarks"
	nodeBookmark = "urn:xmpp:bookmarks:1"
)

// pepMarks are bookmarks in nodes.
type pepMarks struct {
	where Place
	rooms []*stanza.Element // of XEP-0402, as XEP-0048 has them
	old   *stanza.Element   // <storage/>
}

// take takes the items of a node if they are bookmarks.
func (p *pepMarks) take(where Place, e *stanza.Element) bool {
	node := e.Attr("node")
	if node != nsBookmarks && node != nodeBookmark {
		return false
	}
	p.where = where
	for _, item := range e.Elements() {
		if c := item.Child(nsBookmarks, "storage"); c != nil && node == nsBookmarks {
			p.old = c
		}
		if c := item.Child(nodeBookmark, "conference"); c != nil && node == nodeBookmark {
			p.rooms = append(p.rooms, room(item.Attr("id"), c))
		}
	}
	return true
}

// room writes a bookmark as XEP-0048 has it.
func room(address string, c *stanza.Element) *stanza.Element {
	out := &stanza.Element{Space: nsBookmarks, Local: "conference", Attrs: []stanza.Attr{{Local: "jid", Value: address}}}
	for _, name := range []string{"name", "autojoin"} {
		if v := c.Attr(name); v != "" {
			out.Attrs = append(out.Attrs, stanza.Attr{Local: name, Value: v})
		}
	}
	for _, name := range []string{"nick", "password"} {
		if v := c.ChildText(nodeBookmark, name); v != "" {
			add(out, &stanza.Element{Space: nsBookmarks, Local: name, Nodes: []stanza.Node{{Text: v}}})
		}
	}
	return out
}

// storage is what a client finds in private XML, or nil if there is nothing.
func (p *pepMarks) storage() *stanza.Element {
	if len(p.rooms) == 0 {
		return p.old
	}
	out := &stanza.Element{Space: nsBookmarks, Local: "storage"}
	for _, c := range p.rooms {
		add(out, c)
	}
	return out
}
