package portable

import (
	"cmp"
	"encoding/xml"
	"slices"
	"strconv"

	"rollcall/server/features/pep"
	"rollcall/storage"
	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

const (
	nsPubsub      = "http://jabber.org/protocol/pubsub"
	nsPubsubOwner = nsPubsub + "#owner"
)

// pep reads what is in the nodes of the Personal Eventing Protocol (XEP-0227 §4.8.2). Of
// some a vCard is made as well, or bookmarks of an older kind.
func (r *reader) pep(xml.StartElement) error {
	return r.elements(func(n xml.Name) bool { return n.Local == "items" }, func(where Place, e *stanza.Element) error {
		if !r.a.card.take(where, e) {
			r.a.marks.take(where, e)
		}
		if n := r.node(where, e); n != nil {
			r.items(where, n, e)
		}
		return nil
	})
}

// node returns the node that an element is about; nil if there is no room for it.
func (r *reader) node(where Place, e *stanza.Element) *storage.PEPNode {
	p, name := &r.a.Parcel, e.Attr("node")
	if p.PEP == nil {
		p.PEP = []storage.PEPNode{}
	}
	if i := slices.IndexFunc(p.PEP, func(n storage.PEPNode) bool { return n.Name == name }); i >= 0 {
		return &p.PEP[i]
	}
	if name == "" || len(name) > pep.MaxName || len(p.PEP) == r.o.PEP.MaxNodes {
		r.tell(where, "a node is left out: it has no name or a long one, or there are too many ([pep])")
		return nil
	}
	o, _ := pep.Configured(name, new(form.Answers), r.o.PEP)
	p.PEP = append(p.PEP, storage.PEPNode{Node: pep.Node{Name: name, Options: o}})
	return &p.PEP[len(p.PEP)-1]
}

// items reads the items of a node.
func (r *reader) items(where Place, n *storage.PEPNode, e *stanza.Element) {
	size := 0
	for i := range r.a.Parcel.PEP {
		for _, it := range r.a.Parcel.PEP[i].Content {
			size += len(it.Payload) + len(it.ID) + pep.Overhead
		}
	}
	for _, item := range e.Elements() {
		all := item.Elements()
		if item.Local != "item" || len(all) == 0 {
			continue
		}
		it := pep.Item{ID: cmp.Or(item.Attr("id"), strconv.Itoa(len(n.Content)+1)), Payload: all[0].Canonical("")}
		size += len(it.Payload) + len(it.ID) + pep.Overhead
		_, err := whole(it.Payload, "")
		switch {
		case err != nil:
			r.tell(where, "an item of the node %s is left out: %v", n.Name, err)
		case len(it.ID) > pep.MaxID || len(it.Payload) > r.o.PEP.MaxItem || size > r.o.PEP.MaxAccount:
			r.tell(where, "an item of the node %s is too large, or there is no room left, and is left out ([pep])", n.Name)
		default:
			n.Content = slices.DeleteFunc(n.Content, func(x pep.Item) bool { return x.ID == it.ID })
			n.Content = append(n.Content, it)
		}
	}
}

// pepNodes reads how nodes are configured, and whose they are beside their owner's
// (XEP-0227 §4.8.1).
func (r *reader) pepNodes(xml.StartElement) error {
	known := func(n xml.Name) bool {
		return n.Local == "configure" || n.Local == "affiliations" || n.Local == "subscriptions"
	}
	return r.elements(known, func(where Place, e *stanza.Element) error {
		n := r.node(where, e)
		switch {
		case n == nil:
		case e.Local == "configure":
			r.configured(where, n, e)
		default:
			r.people(n, e)
		}
		return nil
	})
}

func (r *reader) configured(where Place, n *storage.PEPNode, e *stanza.Element) {
	x := form.Of(e)
	if x == nil {
		return
	}
	// Whatever kind of form it is, it is filled in.
	filled := &stanza.Element{Space: x.Space, Local: x.Local, Attrs: []stanza.Attr{{Local: "type", Value: "submit"}}, Nodes: x.Nodes}
	a, err := form.Parse(filled)
	if err == nil {
		n.Options, err = pep.Configured(n.Name, a, r.o.PEP)
	}
	if err != nil {
		r.tell(where, "the node %s is for members only now: %v", n.Name, err)
	}
}

// people reads members, outcasts and subscribers.
func (r *reader) people(n *storage.PEPNode, e *stanza.Element) {
	for _, c := range e.Elements() {
		j, err := r.address(c.Attr("jid"))
		kind := pep.Standing(c.Attr("affiliation"))
		switch {
		case err != nil:
		case e.Local == "subscriptions":
			if !slices.Contains(n.Subscribers, j) && len(n.Subscribers) < r.o.PEP.MaxSubscribers && c.Attr("subscription") == "subscribed" {
				n.Subscribers = append(n.Subscribers, j)
			}
		case (kind == pep.Member || kind == pep.Outcast) && len(n.Affiliations) < r.o.PEP.MaxSubscribers:
			n.Affiliations = append(n.Affiliations, pep.Affiliation{JID: j.Bare(), Kind: kind})
		}
	}
}

// finishPEP puts all in order, and keeps of each node's items what it has room for.
func (r *reader) finishPEP() {
	for i := range r.a.Parcel.PEP {
		n := &r.a.Parcel.PEP[i]
		most := cmp.Or(n.MaxItems, r.o.PEP.MaxItems)
		if !n.Persist {
			most = 0
		}
		if over := len(n.Content) - most; over > 0 {
			n.Content = n.Content[over:]
		}
	}
	slices.SortFunc(r.a.Parcel.PEP, func(a, b storage.PEPNode) int { return cmp.Compare(a.Name, b.Name) })
}

// pep writes how nodes are configured, and then what is in them.
func (x *exporting) pep() error {
	if len(x.parcel.PEP) == 0 {
		return nil
	}
	b := []byte("<pubsub xmlns='" + nsPubsubOwner + "'>")
	for i := range x.parcel.PEP {
		n := &x.parcel.PEP[i]
		b = append(stanza.AppendAttr(append(b, "<configure"...), "node", n.Name), '>')
		b = append(n.AppendForm(b), "</configure>"...)
		if len(n.Affiliations) > 0 {
			b = append(stanza.AppendAttr(append(b, "<affiliations"...), "node", n.Name), '>')
			for _, a := range n.Affiliations {
				b = stanza.AppendAttr(append(b, "<affiliation"...), "jid", string(a.JID))
				b = append(stanza.AppendAttr(b, "affiliation", string(a.Kind)), "/>"...)
			}
			b = append(b, "</affiliations>"...)
		}
		if len(n.Subscribers) > 0 {
			b = append(stanza.AppendAttr(append(b, "<subscriptions"...), "node", n.Name), '>')
			for _, j := range n.Subscribers {
				b = append(stanza.AppendAttr(append(b, "<subscription"...), "jid", j.String()), " subscription='subscribed'/>"...)
			}
			b = append(b, "</subscriptions>"...)
		}
	}
	if err := x.line(append(b, "</pubsub>"...)); err != nil {
		return err
	}
	b = []byte("<pubsub xmlns='" + nsPubsub + "'>")
	for i := range x.parcel.PEP {
		n := &x.parcel.PEP[i]
		b = append(stanza.AppendAttr(append(b, "<items"...), "node", n.Name), '>')
		for _, it := range n.Content {
			e, err := stanza.Parse(it.Payload, "", nil)
			if err != nil {
				return err
			}
			b = append(stanza.AppendAttr(append(b, "<item"...), "id", it.ID), '>')
			b = append(append(b, e.Canonical(nsPubsub)...), "</item>"...)
		}
		b = append(b, "</items>"...)
	}
	return x.line(append(b, "</pubsub>"...))
}
