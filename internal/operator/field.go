package operator

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/presence/device"
	"rollcall/server/features/announcements"
	"rollcall/xmpp/jid"
)

// Kind says what a field holds, and so how it is asked for and checked.
type Kind string

// The kinds of fields.
const (
	Text    Kind = "text"
	Lines   Kind = "lines"   // a text of several lines, each a value; never noted
	Secret  Kind = "secret"  // never shown, logged or kept
	Person  Kind = "person"  // the bare address of an account
	People  Kind = "people"  // one or more of them
	Clients Kind = "clients" // one or more addresses of accounts, or of one client each
	Number  Kind = "number"  // a count; beside those of Options others can be named
	Yes     Kind = "yes"     // "true" or "false"
	Choice  Kind = "choice"  // one of Options
	Words   Kind = "words"   // one or more short texts
	List    Kind = "list"    // a text in TOML, each line a value; never noted
)

// Field is one thing that an operation wants to know.
type Field struct {
	Name     string // as in XEP-0133, where it is there
	Label    string // for a form
	Kind     Kind
	Required bool
	Options  []Option // of a Choice, or the usual ones of a Number
	Also     string   // another name for it that is offered and taken
	Preset   string   // what stands in a form
	About    bool     // it names what the operation is about, as the address of an account always does
}

// Option is a value to choose, and what it is called.
type Option struct{ Value, Label string }

const (
	maxValues     = 1000 // of one field
	maxValueBytes = 8 << 10
	maxListLines  = 500_000
)

// check returns an order's values in canonical form.
func (op *Operation) check(o Order) (values, error) {
	known := values{}
	for name := range o.Values {
		if !slices.ContainsFunc(op.Fields, func(f Field) bool { return f.Name == name || f.Also == name && name != "" }) {
			return nil, wrong("%s knows no field %q", op.Name, name)
		}
	}
	for i := range op.Fields {
		f := &op.Fields[i]
		given := o.Values[f.Name]
		if f.Also != "" {
			given = slices.Concat(given, o.Values[f.Also])
		}
		all, err := f.check(given)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			known[f.Name] = all
		}
	}
	return known, nil
}

// several reports whether a field may have more than one value.
func (k Kind) several() bool { return k == People || k == Clients || k == Words || k.lines() }

// lines reports whether the values of a field are the lines of a text.
func (k Kind) lines() bool { return k == Lines || k == List }

// limits returns how many values a field may have, and of how many bytes.
func (k Kind) limits() (values, bytes int) {
	switch k {
	case Lines:
		return maxValues, announcements.MaxBytes
	case List:
		return maxListLines, device.MaxList
	}
	return maxValues, maxValues * maxValueBytes
}

// check returns the values of a field in canonical form.
func (f *Field) check(given []string) ([]string, error) {
	given = slices.Clone(given)
	if !f.Kind.lines() {
		given = slices.DeleteFunc(given, func(s string) bool { return s == "" })
	} else if strings.TrimSpace(strings.Join(given, "")) == "" {
		given = nil
	}
	most, mostBytes := f.Kind.limits()
	switch {
	case len(given) == 0 && f.Required:
		return nil, wrong("%s is missing", f.Label)
	case len(given) > 1 && !f.Kind.several():
		return nil, wrong("%s has one value", f.Label)
	case len(given) > most:
		return nil, wrong("%s has at most %d values", f.Label, most)
	}
	total := 0
	for i, s := range given {
		if total += len(s) + 1; len(s) > maxValueBytes || total > mostBytes {
			return nil, wrong("%s is too long", f.Label)
		}
		if f.Kind != Secret && !plain(s) {
			return nil, wrong("%s has characters that nobody can see", f.Label)
		}
		var err error
		if given[i], err = f.canonical(s); err != nil {
			return nil, err
		}
	}
	if f.Kind == People || f.Kind == Clients || f.Kind == Words {
		given = once(given)
	}
	return given, nil
}

// plain reports whether a value is text without control characters.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\t' })
}

// once leaves out what is there already.
func once(list []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s string) bool {
		before := seen[s]
		seen[s] = true
		return before
	})
}

func (f *Field) canonical(s string) (string, error) {
	switch f.Kind {
	case Person, People, Clients:
		j, err := jid.Parse(s)
		if err != nil || j.Local() == "" {
			return "", wrong("%s: %q is not the address of an account", f.Label, s)
		}
		if f.Kind == Clients {
			return j.String(), nil
		}
		return string(j.Bare()), nil // XEP-0133 §4.2: clients should not send a resource, but some do
	case Number:
		n, err := strconv.Atoi(s)
		if !f.offers(s) && (err != nil || n < 0 || strconv.Itoa(n) != s) {
			return "", wrong("%s: %q is no count", f.Label, s)
		}
	case Yes:
		switch s {
		case "true", "1": // XEP-0004 §3.3
			return "true", nil
		case "false", "0":
			return "false", nil
		}
		return "", wrong("%s: say true or false", f.Label)
	case Choice:
		if !f.offers(s) {
			var all []string
			for _, o := range f.Options {
				all = append(all, o.Value)
			}
			return "", wrong("%s: %q is none of the choices: %s", f.Label, s, strings.Join(all, ", "))
		}
	}
	return s, nil
}

// offers reports whether a value is one of the options.
func (f *Field) offers(s string) bool {
	return slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == s })
}
