package form

import (
	"slices"
	"strings"

	"rollcall/xmpp/stanza"
)

// Check holds answers against the form that asked for them (XEP-0004 §4): what is
// required has to be there, and what is there has to be of its kind. Fields that
// are not in the form are passed over (§3.1), and a form that does not say what
// it is for is taken for this one. The errors are refusals: bad-request for
// another form, not-acceptable for anything else.
func (f *Form) Check(a *Answers) error {
	if a.Type != "" && a.Type != f.Type {
		return stanza.Refuse(stanza.ErrBadRequest, "the form is not for this")
	}
	for i := range f.Fields {
		if err := f.Fields[i].check(a); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) check(a *Answers) error {
	given := a.Values(f.Var)
	if !slices.ContainsFunc(given, f.says) {
		if f.Required {
			return stanza.Refuse(stanza.ErrNotAcceptable, "%s is missing", f.name())
		}
		return nil
	}
	switch f.Kind {
	case Fixed, Hidden, TextMulti:
		return nil
	case ListMulti, JIDMulti:
	default:
		if len(given) > 1 {
			return stanza.Refuse(stanza.ErrNotAcceptable, "%s has one value", f.name())
		}
	}
	return f.checkKind(a, given)
}

// says reports whether a value says anything.
func (f *Field) says(value string) bool {
	if f.Kind == JIDMulti || f.Kind == JIDSingle {
		value = strings.TrimSpace(value)
	}
	return value != ""
}

func (f *Field) checkKind(a *Answers, given []string) error {
	switch f.Kind {
	case Boolean:
		if _, ok := boolean(given[0]); !ok {
			return stanza.Refuse(stanza.ErrNotAcceptable, "%s is true or false", f.name())
		}
	case JIDMulti, JIDSingle:
		if _, err := a.JIDs(f.Var); err != nil {
			return stanza.Refuse(stanza.ErrNotAcceptable, "an address in %s is none", f.name())
		}
	case ListMulti, ListSingle:
		for _, v := range given {
			if !f.Open && !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }) {
				return stanza.Refuse(stanza.ErrNotAcceptable, "%s is chosen from a list", f.name())
			}
		}
	}
	return nil
}

// name is what people know the field by.
func (f *Field) name() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Var
}
