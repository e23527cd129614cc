package portable

import (
	"encoding/xml"
	"slices"
	"strconv"

	"rollcall/roster/privacy"
	"rollcall/storage"
	"rollcall/xmpp/stanza"
)

// privacy reads privacy lists (XEP-0227 §4.8, XEP-0016). Which list is active is
// a matter of sessions, and of no account.
func (r *reader) privacy(xml.StartElement) error {
	if r.a.Parcel.Lists == nil {
		r.a.Parcel.Lists = &storage.PrivacyParcel{}
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
		switch {
		case e.Is(privacy.Namespace, "default"):
			r.a.Parcel.Lists.Default = e.Attr("name")
		case e.Is(privacy.Namespace, "list"):
			r.list(where, e)
		case !e.Is(privacy.Namespace, "active"):
			r.notes.leave("elements "+brace(start.Name), where, 1)
		}
	}
}

func (r *reader) list(where Place, e *stanza.Element) {
	lists := r.a.Parcel.Lists
	for i, it := range e.Elements() {
		if it.Attr("type") == "jid" {
			if j, err := r.address(it.Attr("value")); err == nil {
				setAttr(it, "value", j.String())
			}
		}
		if i > 0 && it.Attr("order") == e.Elements()[i-1].Attr("order") {
			// COMPAT(ejabberd): the blocklist has all items at one place.
			renumber(e)
		}
	}
	l, err := r.o.Privacy.Parse(e)
	switch {
	case err != nil:
		r.tell(where, "the privacy list %.50q is left out: %v", e.Attr("name"), err)
	case len(l.Items()) == 0:
	case slices.ContainsFunc(lists.Lists, func(x storage.PrivacyList) bool { return x.Name == l.Name() }):
		r.tell(where, "there is a privacy list %.50q already; the second one is left out", l.Name())
	case len(lists.Lists) >= r.o.Privacy.MaxLists:
		r.tell(where, "the privacy list %.50q is one too many and is left out (privacy.max_lists)", l.Name())
	default:
		lists.Lists = append(lists.Lists, storage.PrivacyList{Name: l.Name(), Items: l.Items()})
	}
}

// renumber gives the items of a list orders of their own, in the order in which
// they come.
func renumber(e *stanza.Element) {
	items := e.Elements()
	slices.SortStableFunc(items, func(a, b *stanza.Element) int {
		x, _ := strconv.ParseUint(a.Attr("order"), 10, 32)
		y, _ := strconv.ParseUint(b.Attr("order"), 10, 32)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for i, it := range items {
		setAttr(it, "order", strconv.Itoa(i+1))
	}
}

// finishLists makes sure that the default list is there.
func (r *reader) finishLists() {
	lists := r.a.Parcel.Lists
	if lists == nil || lists.Default == "" {
		return
	}
	if !slices.ContainsFunc(lists.Lists, func(l storage.PrivacyList) bool { return l.Name == lists.Default }) {
		r.tell(r.a.Where, "the default privacy list %.50q is not there: nothing is filtered", lists.Default)
		lists.Default = ""
	}
}

func (x *exporting) privacy() error {
	if x.parcel.Lists == nil {
		return nil
	}
	b := []byte("<query xmlns='" + privacy.Namespace + "'>")
	if name := x.parcel.Lists.Default; name != "" {
		b = append(stanza.AppendAttr(append(b, "<default"...), "name", name), "/>"...)
	}
	for _, l := range x.parcel.Lists.Lists {
		b = privacy.NewList(l.Name, slices.Clone(l.Items)).Append(b)
	}
	return x.line(append(b, "</query>"...))
}
