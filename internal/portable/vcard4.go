package portable

import (
	"cmp"
	"strings"

	"rollcall/xmpp/stanza"
)

// Servers that keep everything in PEP have the vCard there in the form of
// XEP-0292, and the picture in nodes of its own (XEP-0084); Prosody does, by
// mod_vcard_legacy. Here it becomes a vCard in the form of XEP-0054 again, by the
// mapping that Prosody has for clients that ask for one.

const (
	nodeCard  = "urn:xmpp:vcard4"
	nodeData  = "urn:xmpp:avatar:data"
	nodeMeta  = "urn:xmpp:avatar:metadata"
	nodeNick  = "http://jabber.org/protocol/nick"
	nsVCard4  = "urn:ietf:params:xml:ns:vcard-4.0"
	nsVCard   = "vcard-temp"
	telScheme = "tel:"
)

// pepCard is what a vCard is made of.
type pepCard struct {
	where      Place
	card, nick *stanza.Element
	meta       *stanza.Element            // <info/>
	data       map[string]*stanza.Element // by the id of the item
}

// take takes the items of a node if they belong to a vCard.
func (p *pepCard) take(where Place, e *stanza.Element) bool {
	var last *stanza.Element // what is in the last item
	var lastID string
	for _, item := range e.Elements() {
		if all := item.Elements(); len(all) > 0 {
			last, lastID = all[0], item.Attr("id")
		}
		if e.Attr("node") == nodeData && last != nil {
			if p.data == nil {
				p.data = map[string]*stanza.Element{}
			}
			p.data[lastID] = last
		}
	}
	switch e.Attr("node") {
	case nodeData:
	case nodeCard:
		p.card = last
	case nodeNick:
		p.nick = last
	case nodeMeta:
		if last != nil {
			p.meta = last.Child(nodeMeta, "info")
		}
	default:
		return false
	}
	p.where = where
	return true
}

// vcard makes the vCard, or nil if there is nothing to make it of.
func (p *pepCard) vcard() *stanza.Element {
	out := &stanza.Element{Space: nsVCard, Local: "vCard"}
	if p.card != nil && p.card.Space == nsVCard4 {
		for _, c := range p.card.Elements() {
			if to := property(c); to != nil {
				add(out, to)
			}
		}
	} else if p.nick != nil {
		add(out, text("NICKNAME", p.nick.Text()))
	}
	add(out, p.photo())
	if len(out.Nodes) == 0 {
		return nil
	}
	return out
}

// photo makes the picture of the avatar's nodes.
func (p *pepCard) photo() *stanza.Element {
	if p.meta == nil {
		return nil
	}
	photo := &stanza.Element{Space: nsVCard, Local: "PHOTO"}
	add(photo, text("TYPE", p.meta.Attr("type")))
	data := p.data[p.meta.Attr("id")]
	switch {
	case data != nil:
		add(photo, text("BINVAL", data.Text()))
	case p.meta.Attr("url") != "":
		add(photo, text("EXTVAL", p.meta.Attr("url")))
	default:
		return nil
	}
	return photo
}

// add adds a child, if it is there.
func add(e, child *stanza.Element) {
	if child != nil {
		e.Nodes = append(e.Nodes, stanza.Node{Elem: child})
	}
}

// text makes an element with text, or nothing of nothing.
func text(name, value string) *stanza.Element {
	if value == "" {
		return nil
	}
	return &stanza.Element{Space: nsVCard, Local: name, Nodes: []stanza.Node{{Text: value}}}
}

// simple are the properties that are one text, by the element that it is in.
var simple = map[string]string{
	"nickname": "text", "title": "text", "role": "text", "note": "text", "url": "uri", "bday": "date", "fn": "text",
}

// structured are those with parts: what each is called there and here.
var structured = map[string][][2]string{
	"n":   {{"surname", "FAMILY"}, {"given", "GIVEN"}, {"additional", "MIDDLE"}, {"prefix", "PREFIX"}, {"suffix", "SUFFIX"}},
	"adr": {{"pobox", "POBOX"}, {"ext", "EXTADD"}, {"street", "STREET"}, {"locality", "LOCALITY"}, {"region", "REGION"}, {"code", "PCODE"}, {"country", "CTRY"}},
}

// property makes one property, or nil if there is none of its kind here.
func property(c *stanza.Element) *stanza.Element {
	value := func(name string) string { return c.ChildText(nsVCard4, name) }
	upper := strings.ToUpper(c.Local)
	if in, ok := simple[c.Local]; ok {
		return text(upper, value(in))
	}
	out := &stanza.Element{Space: nsVCard, Local: upper}
	switch c.Local {
	case "n", "adr":
		for _, part := range structured[c.Local] {
			add(out, text(part[1], value(part[0])))
		}
	case "email":
		add(out, text("USERID", value("text")))
	case "tel":
		add(out, text("NUMBER", strings.TrimPrefix(cmp.Or(value("uri"), value("text")), telScheme)))
	case "org":
		add(out, text("ORGNAME", value("text")))
	case "impp":
		if address, ok := strings.CutPrefix(value("uri"), "xmpp:"); ok {
			return text("JABBERID", address)
		}
		return nil
	default:
		return nil
	}
	if len(out.Nodes) == 0 {
		return nil
	}
	if kind := kindOf(c); kind != "" && c.Local != "n" && c.Local != "org" {
		out.Nodes = append([]stanza.Node{{Elem: &stanza.Element{Space: nsVCard, Local: kind}}}, out.Nodes...)
	}
	return out
}

// kindOf is HOME or WORK if the property says so.
func kindOf(c *stanza.Element) string {
	p := c.Child(nsVCard4, "parameters")
	if p == nil {
		return ""
	}
	if t := p.Child(nsVCard4, "type"); t != nil {
		switch t.ChildText(nsVCard4, "text") {
		case "home":
			return "HOME"
		case "work":
			return "WORK"
		}
	}
	return ""
}
