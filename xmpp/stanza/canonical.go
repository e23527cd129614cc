package stanza

import (
	"cmp"
	"slices"
)

// Canonical writes an element in the one way in which two elements that say the
// same are the same bytes: no prefixes, attributes in order. parent is the
// default namespace where it will stand, as in AppendXML.
func (e *Element) Canonical(parent string) []byte {
	e.settle()
	return e.AppendXML(nil, parent)
}

// settle puts the attributes of the element and of all in it in order, and drops
// text that is none.
func (e *Element) settle() {
	slices.SortStableFunc(e.Attrs, func(a, b Attr) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Local, b.Local))
	})
	e.Nodes = slices.DeleteFunc(e.Nodes, func(n Node) bool { return n.Elem == nil && n.Text == "" })
	for _, n := range e.Nodes {
		if n.Elem != nil {
			n.Elem.settle()
		}
	}
}

// Canonical writes validated bytes of one element in the canonical form of
// [Element.Canonical]; space is the default namespace that they stand in, and
// that the result is to stand in.
func Canonical(raw []byte, space string) ([]byte, error) {
	e, err := Parse(raw, space, nil)
	if err != nil {
		return nil, err
	}
	return e.Canonical(space), nil
}
