package presence

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is the configuration of presence.
type Config struct {
	// States are those that are other than the built-in ones, or new.
	States []State

	// Words are those of languages besides English and German, or instead of theirs.
	Words map[string]Words

	// Language is that of texts for watchers who do not say theirs; "" is English.
	Language string

	// Zone is where times in texts are told: a name of the time zone database. Empty
	// is UTC, "local" is where the server is.
	Zone string

	// Audience are the rules on who sees how much, before those that always hold.
	Audience []Rule

	// Roles says who has a role.
	Roles []RoleHolders
}

// Fault is what is wrong with a state of a configuration.
type Fault struct {
	Kind         Kind
	ID           string // of the state
	Field        string // "rank", or "" for all of it
	What, Remedy string
}

// String says it in a line.
func (f Fault) String() string {
	at := f.Kind.String() + "." + f.ID
	if f.Field != "" {
		at += "." + f.Field
	}
	return at + ": " + f.What + "; " + f.Remedy
}

// NewCatalogue returns the built-in states with those of a configuration laid over
// them. It returns all that is wrong with these.
func NewCatalogue(cfg Config) (*Catalogue, []Fault) {
	zone, err := LoadZone(cfg.Zone)
	if err != nil {
		return nil, []Fault{{Field: "zone", What: err.Error(), Remedy: `write a name such as "Europe/Berlin"`}}
	}
	states, words := BuiltIn()
	c := &Catalogue{zone: zone, words: words, usual: cmp.Or(cfg.Language, English), alone: map[string][]string{}}
	for lang, w := range cfg.Words {
		c.words[lang] = w
	}
	for i := range c.kinds {
		c.kinds[i] = map[string]*State{}
	}
	for _, s := range slices.Concat(states, cfg.States) {
		c.alone[s.ID] = []string{s.ID}
		c.kinds[s.Kind][s.ID] = &s
	}
	var faults []Fault
	for _, s := range cfg.States {
		faults = append(faults, c.faultsOf(c.kinds[s.Kind][s.ID])...)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return c, nil
}

// LoadZone returns the time zone of [Config.Zone].
func LoadZone(name string) (*time.Location, error) {
	if name == "local" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("no time zone that this machine knows")
	}
	return zone, nil
}

// faultsOf returns what is wrong with a state among the others.
func (c *Catalogue) faultsOf(s *State) (faults []Fault) {
	bad := func(field, what, remedy string) {
		faults = append(faults, Fault{s.Kind, s.ID, field, what, remedy})
	}
	if what, remedy := checkID(s.ID); what != "" {
		bad("", what, remedy)
	}
	switch {
	case s.ID == Offline && s.Rank != 0 && s.Kind != Device:
		bad("rank", "offline is what is left when nothing else is", "leave it at 0")
	case s.ID == Offline && s.Show != ShowUnavailable:
		bad("show", "offline is not to be reached", `leave it "unavailable"`)
	}
	if s.Has(TraitUnreachable) && s.Show.Open() {
		bad("show", "it would be shown as available though nothing can be reached", `write "away", "xa" or "dnd", or leave the trait "unreachable" out`)
	}
	if s.CriticalShow.Open() && len(s.CriticalLabel) > 0 {
		bad("critical_show", "what is lost would be shown as available", `write "away", "xa" or "dnd"`)
	}
	if s.Longest > 0 && s.Lasts > s.Longest {
		bad("lasts", "more than longest", "write at most "+strconv.Quote(short(s.Longest)))
	}
	if s.Onward != "" {
		if _, ok := c.kinds[Person][s.Onward]; !ok {
			bad("onward", "people have no state "+strconv.Quote(s.Onward), "write the name of one that they have")
		}
	}
	for _, t := range []struct {
		field string
		texts Texts
	}{{"label", s.Label}, {"aside", s.Aside}, {"critical_label", s.CriticalLabel}} {
		if len(t.texts) > 0 && t.texts[English] == "" {
			bad(t.field, "no text in English, which other languages fall back to", `write { en = "…" }`)
		}
	}
	return append(faults, c.twins(s)...)
}

// twins finds states that people could not tell from s, since they have one label.
func (c *Catalogue) twins(s *State) (faults []Fault) {
	for _, other := range c.States(s.Kind) {
		if other.ID == s.ID {
			continue
		}
		for lang, text := range s.Label {
			if plain := plainLabel(text); plain != "" && plain == plainLabel(other.Label[lang]) {
				faults = append(faults, Fault{s.Kind, s.ID, "label", fmt.Sprintf("the same in %q as that of %s", lang, other.ID), "give one of them another label"})
			}
		}
	}
	slices.SortFunc(faults, func(a, b Fault) int { return cmp.Compare(a.What, b.What) })
	return faults
}

// plainLabel is a label as it reads when no detail is known.
func plainLabel(label string) string {
	return strings.ToLower(strings.TrimSpace(fill(label, func(string) string { return "" })))
}
