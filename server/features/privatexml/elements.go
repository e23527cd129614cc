package privatexml

import (
	"slices"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

// asked is what a query has of one namespace.
type asked struct {
	Namespace string
	blank     bool   // its elements have nothing in them
	empty     []byte // the first one, without what is in it
	st        *stanza.Stanza
	all       []*stanza.Child
}

// elements sorts the elements of a query by their namespaces, in the order in
// which these are first met. The errors are refusals.
func elements(r *server.Request) ([]*asked, error) {
	// The query on its own, so that its elements can be taken out as they came.
	st, err := server.Whole(r.Stanza.AppendChild(nil, &r.Stanza.Children[0]))
	if err != nil {
		return nil, stanza.ErrBadRequest
	}
	parsed := r.Payload.Elements()
	if len(parsed) != len(st.Children) {
		return nil, stanza.ErrBadRequest
	}
	var items []*asked
	for i := range st.Children {
		c, e := &st.Children[i], parsed[i]
		if err := CheckNamespace(e.Space); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(items, func(a *asked) bool { return a.Namespace == e.Space })
		if at < 0 {
			if len(items) == maxNamespaces {
				return nil, stanza.Refuse(stanza.ErrPolicyViolation, "at most %d namespaces at a time", maxNamespaces)
			}
			first := stanza.Element{Space: e.Space, Local: e.Local}
			at = len(items)
			items = append(items, &asked{Namespace: e.Space, blank: true, empty: first.AppendXML(nil, ""), st: st})
		}
		items[at].blank = items[at].blank && len(e.Nodes) == 0 && len(e.Attrs) == 0
		items[at].all = append(items[at].all, c)
	}
	return items, nil
}

// maxNamespaces bounds how many namespaces one set can have.
const maxNamespaces = 100

// write returns the elements as they are kept, or nil if that is more than most
// bytes. An element takes with it what is declared around it, so what is small
// in a query can be large here.
func (a *asked) write(most int) []byte {
	b := []byte{}
	for _, c := range a.all {
		if len(b)+c.At.Len() > most {
			return nil
		}
		if b = a.st.AppendChild(b, c); len(b) > most {
			return nil
		}
	}
	return b
}
