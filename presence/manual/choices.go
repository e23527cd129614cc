package manual

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"rollcall/presence"
)

// Choice is a state that somebody may set.
type Choice struct {
	ID, Name       string
	Lasts, Longest time.Duration // Lasts 0: it has to be said
}

// anyCustom is the state that stands for all that people name themselves, and custom
// what the ids of those begin with.
const (
	custom    = "custom:"
	anyCustom = "custom:*"
)

// may reports whether somebody may set a state. Who operates may set what people may
// set themselves.
func may(state *presence.State, by presence.Setter) bool {
	if by == presence.ByRole {
		by |= presence.ByManual
	}
	return state.SetBy&by != 0
}

// Choices returns the states that somebody may set, by their ids. Those that people
// can name themselves are not among them.
func (s *Service) Choices(kind presence.Kind, by presence.Setter) (out []Choice) {
	cat := s.engine.Catalogue()
	for _, state := range cat.States(kind) {
		if state.ID == anyCustom || !may(&state, by) {
			continue
		}
		longest := cmp.Or(state.Longest, presence.LongestOfAll)
		out = append(out, Choice{state.ID, state.Name(cat.Language()), state.Lasts, longest})
	}
	slices.SortFunc(out, func(a, b Choice) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// settable finds the state that an order names, if whoever gives it may set it.
func (s *Service) settable(o *Order) (*presence.State, string, error) {
	cat := s.engine.Catalogue()
	if state, id := find(cat, o.Kind, o.By, o.State); state != nil {
		return state, id, nil
	}
	var ids []string
	for _, c := range s.Choices(o.Kind, o.By) {
		ids = append(ids, c.ID)
	}
	if any, ok := cat.Lookup(o.Kind, anyCustom); ok && may(any, o.By) {
		ids = append(ids, custom+"…")
	}
	what := "there is no state " + quoted(o.State)
	if state, ok := cat.Lookup(o.Kind, o.State); ok && state.ID != anyCustom {
		what = quoted(o.State) + " is not set by hand"
		if may(state, presence.ByRole) {
			what = quoted(o.State) + " is for operators to set"
		}
	}
	if len(ids) == 0 {
		return nil, "", refuse("%s, and nothing can be set of a %s", what, o.Kind)
	}
	return nil, "", refuse("%s; there are: %s", what, strings.Join(ids, ", "))
}

// quoted is what somebody has typed, as far as it is worth repeating.
func quoted(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return "“" + s + "”"
}

// find returns the state that is called so, and its id. A name is an id, with blanks
// or hyphens for its underscores, or a label in any language, in capitals or not.
func find(cat *presence.Catalogue, kind presence.Kind, by presence.Setter, name string) (*presence.State, string) {
	key := fold(name)
	for _, state := range cat.States(kind) {
		if state.ID == anyCustom || !may(&state, by) {
			continue
		}
		called := fold(state.ID) == key || fold(strings.TrimPrefix(state.ID, custom)) == key
		for lang := range state.Label {
			called = called || fold(state.Name(lang)) == key
		}
		if called && key != "" {
			return &state, state.ID
		}
	}
	if id := strings.ToLower(name); strings.HasPrefix(id, custom) && presence.IsStateID(id) {
		if state, ok := cat.Lookup(kind, id); ok && may(state, by) {
			return state, id
		}
	}
	return nil, ""
}

// fold is a name as it is compared.
func fold(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), " ")
}
