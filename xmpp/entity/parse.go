package entity

import (
	"errors"
	"slices"

	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// What an answer may hold, beside the limits of a stanza.
const (
	MaxIdentities = 64
	MaxFeatures   = 1024
	MaxForms      = 16
	maxFields     = 64
	maxValues     = 256 // of a field
)

// Errors of Parse.
var (
	// ErrIllFormed says that an answer has something twice, so that two entities
	// could be known by one hash (XEP-0115 §5.4, rule 3).
	ErrIllFormed = errors.New("entity: something is there twice")

	// ErrTooMuch says that an answer is larger than anybody needs.
	ErrTooMuch = errors.New("entity: too much is said")
)

// Parse reads a disco#info result.
func Parse(query *stanza.Element) (i Info, err error) {
	if !query.Is(NSInfo, "query") {
		return i, errors.New("entity: no answer of service discovery")
	}
	for _, c := range query.Elements() {
		switch {
		case c.Is(NSInfo, "identity"):
			i.Identities = append(i.Identities, Identity{c.Attr("category"), c.Attr("type"), lang(c), c.Attr("name")})
		case c.Is(NSInfo, "feature"):
			i.Features = append(i.Features, c.Attr("var"))
		case c.Is(form.Namespace, "x"):
			x, ok, err := parseForm(c)
			if err != nil {
				return i, err
			}
			if ok {
				i.Forms = append(i.Forms, x)
			}
		}
		if len(i.Identities) > MaxIdentities || len(i.Features) > MaxFeatures || len(i.Forms) > MaxForms {
			return i, ErrTooMuch
		}
	}
	if i.twice() {
		return i, ErrIllFormed
	}
	return i, nil
}

// lang returns the language that an element names.
func lang(e *stanza.Element) string {
	for _, a := range e.Attrs {
		if a.Local == "lang" && a.Space != "" {
			return a.Value
		}
	}
	return ""
}

// parseForm reads extended information. What does not say what it is for counts for
// nothing (XEP-0115 §5.4, rule 3.6).
func parseForm(x *stanza.Element) (f form.Form, ok bool, err error) {
	for _, e := range x.Elements() {
		if !e.Is(form.Namespace, "field") {
			continue
		}
		field := form.Field{Var: e.Attr("var")}
		for _, v := range e.Elements() {
			if v.Is(form.Namespace, "value") {
				field.Values = append(field.Values, v.Text())
			}
		}
		if len(field.Values) > maxValues || len(f.Fields) == maxFields {
			return f, false, ErrTooMuch
		}
		if field.Var != form.TypeField {
			f.Fields = append(f.Fields, field)
			continue
		}
		if slices.Sort(field.Values); len(slices.Compact(field.Values)) > 1 {
			return f, false, ErrIllFormed // rule 3.5
		}
		if len(field.Values) > 0 && e.Attr("type") == string(form.Hidden) {
			f.Type, ok = field.Values[0], true
		}
	}
	return f, ok, nil
}

// twice reports whether there are two of anything that there is to be one of.
func (i Info) twice() bool {
	identities := map[Identity]bool{}
	for _, x := range i.Identities {
		if identities[x] {
			return true
		}
		identities[x] = true
	}
	seen := map[string]bool{}
	for _, x := range i.Features {
		if seen[x] {
			return true
		}
		seen[x] = true
	}
	clear(seen)
	for _, x := range i.Forms {
		if seen[x.Type] {
			return true
		}
		seen[x.Type] = true
	}
	return false
}
