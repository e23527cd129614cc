package search

import (
	"fmt"
	"slices"
	"strings"

	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// columns are what is told of those who are found.
var columns = []form.Field{
	{Var: "jid", Kind: form.JIDSingle, Label: "Address"},
	{Var: "fn", Kind: form.TextSingle, Label: "Name"},
	{Var: "first", Kind: form.TextSingle, Label: "Given name"},
	{Var: "last", Kind: form.TextSingle, Label: "Family name"},
	{Var: "nick", Kind: form.TextSingle, Label: "Nickname"},
	{Var: "email", Kind: form.TextSingle, Label: "Email"},
	{Var: "orgunit", Kind: form.TextSingle, Label: "Unit"},
}

// incomplete is what people are told when there are more than they are shown.
func incomplete(n int) string {
	return fmt.Sprintf("These are the first %d. There are more: say more about whom you look for.", n)
}

// table is the answer to a form (XEP-0055 §3).
func table(list []Found, more bool) []byte {
	t := form.Table{Type: namespace, Columns: columns}
	if more {
		t.Title, t.Instructions = fmt.Sprintf("The first %d", len(list)), []string{incomplete(len(list))}
	}
	for i := range list {
		x := &list[i]
		t.Rows = append(t.Rows, []string{string(x.JID), x.Name, x.Given, x.Family, x.Nick, x.Email, x.Unit})
	}
	b := t.AppendResult([]byte("<query xmlns='" + namespace + "'>"))
	return append(b, "</query>"...)
}

// items is the answer to fields without a form (XEP-0055 §2.1). That there are
// more is said where instructions stand otherwise: there is no other place.
func items(list []Found, more bool) []byte {
	b := []byte("<query xmlns='" + namespace + "'>")
	if more {
		b = stanza.AppendElement(b, "instructions", incomplete(len(list)))
	}
	for i := range list {
		x := &list[i]
		given := x.Given
		if given == "" && x.Family == "" {
			given = x.Name
		}
		b = append(stanza.AppendAttr(append(b, "<item"...), "jid", string(x.JID)), '>')
		for _, field := range [...][2]string{{"first", given}, {"last", x.Family}, {"nick", x.Nick}, {"email", x.Email}} {
			b = append(append(append(b, '<'), field[0]...), '>')
			b = append(append(append(stanza.AppendText(b, field[1]), "</"...), field[0]...), '>')
		}
		b = append(b, "</item>"...)
	}
	return append(b, "</query>"...)
}

// Limits of what is looked for.
const (
	// MaxTerms is how many words one search can have.
	MaxTerms = 5

	maxQuery = 1 << 10 // bytes of what is filled in, all together
)

// Term is a word's beginning, and the fields that a word with that beginning can
// stand in.
type Term struct {
	Begins string
	Fields Field
}

// places says in which fields of a person what is filled in is looked for. Many
// vCards have only a whole name, so its words count as given and as family
// names.
var places = map[string]Field{
	"fn":    Given | Family | Whole | Nick | Local,
	"first": Given | Whole, "last": Family | Whole,
	"nick": Nick | Local, "email": Email, "orgunit": Unit,
}

// read reads what is looked for; formed says that it stood in a form, which is
// then answered by one. Without terms there is nothing to look for.
func read(query *stanza.Element) (terms []Term, formed bool, err error) {
	said := map[string]string{}
	x := form.Of(query)
	if x == nil {
		for _, name := range []string{"first", "last", "nick", "email"} {
			said[name] = query.ChildText(namespace, name)
		}
	} else {
		a, err := form.Parse(x)
		if err != nil || a.Cancelled {
			return nil, true, err
		}
		if err := asked.Check(a); err != nil {
			return nil, true, err
		}
		for name := range places {
			said[name] = a.Text(name)
		}
	}
	terms, err = termsOf(said)
	return terms, x != nil, err
}

// termsOf returns the terms of what is filled in, the longest first: it is the
// one that fewest have.
func termsOf(said map[string]string) ([]Term, error) {
	var terms []Term
	size := 0
	for name, text := range said {
		if size += len(text); size > maxQuery {
			return nil, stanza.Refuse(stanza.ErrNotAcceptable, "a search has at most %d bytes", maxQuery)
		}
		for _, word := range words(text) {
			terms = append(terms, Term{word, places[name]})
		}
	}
	slices.SortFunc(terms, func(a, b Term) int {
		if len(a.Begins) != len(b.Begins) {
			return len(b.Begins) - len(a.Begins)
		}
		if n := strings.Compare(a.Begins, b.Begins); n != 0 {
			return n
		}
		return int(a.Fields) - int(b.Fields)
	})
	terms = slices.Compact(terms)
	if len(terms) > MaxTerms {
		return nil, stanza.Refuse(stanza.ErrNotAcceptable, "a search has at most %d words", MaxTerms)
	}
	return terms, nil
}
