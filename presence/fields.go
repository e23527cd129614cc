package presence

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is a part of a state as it is configured. Values are what a TOML decoder
// makes of a file: strings, int64, []any and map[string]any.
type field struct {
	name string
	set  func(*State, any) (what, remedy string)
	get  func(*State) any // nil: as if it were not written
}

// fields are all parts, in the order in which they are shown.
var fields = []field{
	{"rank", setRank, func(s *State) any { return int64(s.Rank) }},
	show("show", func(s *State) *Show { return &s.Show }),
	texts("label", func(s *State) *Texts { return &s.Label }),
	texts("aside", func(s *State) *Texts { return &s.Aside }),
	show("critical_show", func(s *State) *Show { return &s.CriticalShow }),
	texts("critical_label", func(s *State) *Texts { return &s.CriticalLabel }),
	word("rpid", checkRPID, func(s *State) *string { return &s.RPID }),
	word("activity", checkActivity, func(s *State) *string { return &s.Activity }),
	set("set_by", setterNames, func(s *State) *Setter { return &s.SetBy }),
	duration("lasts", func(s *State) *time.Duration { return &s.Lasts }),
	duration("longest", func(s *State) *time.Duration { return &s.Longest }),
	{"seen", setSeen, getSeen},
	{"labelled", setLabelled, getLabelled},
	set("traits", traitNames, func(s *State) *Trait { return &s.Traits }),
	word("onward", checkID, func(s *State) *string { return &s.Onward }),
}

// FieldNames returns the names of the parts of a state in a configuration.
func FieldNames() []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return names
}

// SetField sets a part of a state to a value as a TOML decoder makes it. It returns
// what is wrong with the value and what would be right, or "" and has set it.
func (s *State) SetField(name string, v any) (what, remedy string) {
	for _, f := range fields {
		if f.name == name {
			return f.set(s, v)
		}
	}
	return "unknown key", "known here: " + strings.Join(FieldNames(), ", ")
}

// Base returns what a configured state is laid over: the built-in state of that name,
// for a custom state "custom:*", or else nothing, and then known is false.
func Base(kind Kind, id string) (s State, known bool) {
	s = State{ID: id, Kind: kind}
	if b, ok := DefaultCatalogue().Lookup(kind, id); ok {
		s, known = *b, true
		s.ID = id
	}
	return s, known
}

// Edits returns the parts of a state that are other than those of its [Base], as SetField
// takes them; of texts only the languages that are other. Of a state that is laid over
// nothing, rank and show are always among them.
func (s *State) Edits() map[string]any {
	base, known := Base(s.Kind, s.ID)
	out := map[string]any{}
	for _, f := range fields {
		was, is := f.get(&base), f.get(s)
		if before, ok := was.(map[string]any); ok {
			now, _ := is.(map[string]any)
			maps.DeleteFunc(now, func(lang string, text any) bool { return before[lang] == text })
			if len(now) > 0 {
				out[f.name] = now
			}
		} else if !reflect.DeepEqual(was, is) || !known && (f.name == "rank" || f.name == "show") {
			out[f.name] = is
		}
	}
	return out
}

func setRank(s *State, v any) (what, remedy string) {
	n, ok := v.(int64)
	if !ok || n < 0 || n > 100 {
		return "not a rank", "write a whole number from 0 to 100"
	}
	s.Rank = int8(n)
	return "", ""
}

func show(name string, at func(*State) *Show) field {
	return field{
		name: name,
		set: func(s *State, v any) (what, remedy string) {
			i := slices.Index(showNames[:], asString(v))
			if i < 0 {
				return "unknown show", "write " + choices(showNames[:])
			}
			*at(s) = Show(i)
			return "", ""
		},
		get: func(s *State) any { return at(s).String() },
	}
}

// maxText is how long a label may be, in bytes.
const maxText = 200

func texts(name string, at func(*State) *Texts) field {
	return field{
		name: name,
		set: func(s *State, v any) (what, remedy string) {
			t, ok := v.(map[string]any)
			if !ok {
				return "not a table of languages", `write { en = "…" }`
			}
			out := maps.Clone(*at(s)) // what is not written stays
			if out == nil {
				out = Texts{}
			}
			for lang, v := range t {
				text, ok := v.(string)
				switch {
				case !ok || len(text) > maxText || strings.ContainsFunc(text, notInText):
					return "not a text in " + strconv.Quote(lang), fmt.Sprintf("write a line of at most %d bytes", maxText)
				case !IsLanguage(lang):
					return strconv.Quote(lang) + " is not a language", `write a tag such as "en" or "pt-br"`
				}
				if err := checkTemplate(text); err != "" {
					return "the text in " + strconv.Quote(lang) + " " + err, "places are " + strings.Join(placeNames(), " ") + ", and [ ] around what may be left out"
				}
				out[lang] = text
			}
			*at(s) = out
			return "", ""
		},
		get: func(s *State) any {
			out := map[string]any{}
			for lang, text := range *at(s) {
				out[lang] = text
			}
			return out
		},
	}
}

func notInText(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd || r == 0xfffe || r == 0xffff }

// IsLanguage reports whether s is a language tag in lower case.
func IsLanguage(s string) bool {
	if s == "" || len(s) > 35 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
}

func word(name string, check func(string) (what, remedy string), at func(*State) *string) field {
	return field{
		name: name,
		set: func(s *State, v any) (what, remedy string) {
			text, ok := v.(string)
			if !ok {
				return "not a string", `write it in quotes, or "" for none`
			}
			if text != "" {
				if what, remedy := check(text); what != "" {
					return what, remedy
				}
			}
			*at(s) = text
			return "", ""
		},
		get: func(s *State) any { return *at(s) },
	}
}

// set is a list of names, each of which is a bit.
func set[T Setter | Trait](name string, names []string, at func(*State) *T) field {
	return field{
		name: name,
		set: func(s *State, v any) (what, remedy string) {
			list, ok := v.([]any)
			var bits T
			for _, e := range list {
				i := slices.Index(names, asString(e))
				ok = ok && i >= 0
				bits |= 1 << max(i, 0)
			}
			if !ok {
				return "not a list of what there is", "write a list of " + choices(names)
			}
			*at(s) = bits
			return "", ""
		},
		get: func(s *State) any {
			out := []any{}
			for i, n := range names {
				if *at(s)&(1<<i) != 0 {
					out = append(out, n)
				}
			}
			return out
		},
	}
}

func duration(name string, at func(*State) *time.Duration) field {
	return field{
		name: name,
		set: func(s *State, v any) (what, remedy string) {
			text := asString(v)
			d, err := time.ParseDuration(text)
			if text == "" {
				d, err = 0, nil
			}
			if err != nil || d < 0 || d > LongestOfAll || v != text {
				return "not a duration of at most 720h", `write "90s", "20m" or "8h", or "" for none`
			}
			*at(s) = d
			return "", ""
		},
		get: func(s *State) any {
			if *at(s) == 0 {
				return ""
			}
			return short(*at(s))
		},
	}
}

// short writes a duration without the zeros that Duration.String puts at the end.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func setSeen(s *State, v any) (what, remedy string) {
	from, okFrom := strings.CutPrefix(asString(v), "from ")
	below, okBelow := strings.CutPrefix(asString(v), "below ")
	l, known := ParseLevel(from)
	switch {
	case v == "by all":
		s.From, s.Below = 0, 0
		return "", ""
	case okFrom && known:
		s.From, s.Below = l, 0
		return "", ""
	}
	if l, known := ParseLevel(below); okBelow && known && l > Hidden {
		s.From, s.Below = 0, l
		return "", ""
	}
	return "not a choice of levels", `write "by all", "from detail" or "below full"`
}

func getSeen(s *State) any {
	switch {
	case s.From > 0:
		return "from " + s.From.String()
	case s.Below > 0:
		return "below " + s.Below.String()
	}
	return "by all"
}

func setLabelled(s *State, v any) (what, remedy string) {
	from, ok := strings.CutPrefix(asString(v), "from ")
	l, known := ParseLevel(from)
	if !ok || !known {
		return "not a level", `write "from status" or "from detail"`
	}
	s.LabelFrom = l
	return "", ""
}

func getLabelled(s *State) any { return "from " + max(s.LabelFrom, Status).String() }

// IsStateID reports whether a state can be called that.
func IsStateID(id string) bool {
	what, _ := checkID(id)
	return what == "" && id != customAny
}

// checkID tells what is wrong with the id of a state.
func checkID(id string) (what, remedy string) {
	name := strings.TrimPrefix(id, custom)
	bad := strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	if id != customAny && (bad || name == "" || len(id) > 64) {
		return "not the name of a state", `write small letters, digits and _, such as "custom:site_visit"`
	}
	return "", ""
}

func asString(v any) string {
	s, _ := v.(string)
	return s
}

func choices(names []string) string { return `"` + strings.Join(names, `" or "`) + `"` }
