package presence

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// States that follow from what is not said, besides those that sources say.
const (
	Offline   = "offline"    // of all kinds: nothing can be reached
	Available = "available"  // of people
	Idle      = "idle"       // of people: a client that says nothing of itself
	PhoneOnly = "phone_only" // of people: nothing but a telephone can be reached
	Busy      = "busy"       // of people: a call of somebody who shares no more than that
	Unknown   = "unknown"    // of devices: whoever knows is silent
)

// custom is what the ids of states begin with that people name themselves, and
// customAny the state that stands for those that are not in the catalogue.
const (
	custom    = "custom:"
	customAny = "custom:*"
)

// Catalogue is all states that there are. It never changes, so anybody may read it.
type Catalogue struct {
	kinds [3]map[string]*State // by what kindOf returns
	alone map[string][]string  // a list of one, by that one: so mentioning a state needs no room
	zone  *time.Location
	words map[string]Words
	usual string // the language when none is asked for that there is
}

// Words are what a language says around a time, which stands for {time}, and around a
// number, which stands for {count}.
type Words struct {
	Since string `toml:"since"` // "since {time}"
	Until string `toml:"until"` // "until {time}"

	// Messages is "new messages: {count}"; "" is as in English.
	Messages string `toml:"messages"`
}

// kindOf returns the kind whose states a kind of subject has.
func kindOf(k Kind) Kind {
	if k == Role {
		return Person
	}
	return k
}

// Lookup returns a state of a kind of subject. A custom state that is not in the
// catalogue is as "custom:*", but for its ID.
func (c *Catalogue) Lookup(kind Kind, id string) (*State, bool) {
	states := c.kinds[kindOf(kind)]
	if s, ok := states[id]; ok {
		return s, true
	}
	if strings.HasPrefix(id, custom) {
		s, ok := states[customAny]
		return s, ok
	}
	return nil, false
}

// States returns the states of a kind of subject, the highest rank first.
func (c *Catalogue) States(kind Kind) []State {
	var out []State
	for _, s := range c.kinds[kindOf(kind)] {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b State) int {
		return cmp.Or(cmp.Compare(b.Rank, a.Rank), strings.Compare(a.ID, b.ID))
	})
	return out
}

// Zone returns where times are told.
func (c *Catalogue) Zone() *time.Location { return c.zone }

// Tell writes a time as people tell it, with its date if that is not today.
func (c *Catalogue) Tell(t, now time.Time) string {
	v := view{cat: c, now: now}
	return v.tell(t)
}

//go:embed states.toml
var builtIn []byte

// BuiltIn returns the states and the words of states.toml. The slice and the map are
// the caller's.
func BuiltIn() ([]State, map[string]Words) {
	p := readBuiltIn()
	return slices.Clone(p.states), maps.Clone(p.words)
}

var readBuiltIn = sync.OnceValue(func() (p parsed) {
	p, err := parseStates(builtIn)
	if err != nil {
		// A test reads the same bytes, so no built program gets here.
		panic("presence: states.toml: " + err.Error())
	}
	return p
})

// parsed is what states.toml says.
type parsed struct {
	states []State
	words  map[string]Words
}

// DefaultCatalogue returns the catalogue of an empty [Config]: times are in UTC.
var DefaultCatalogue = sync.OnceValue(func() *Catalogue {
	c, faults := NewCatalogue(Config{})
	if len(faults) > 0 {
		panic("presence: states.toml: " + faults[0].What)
	}
	return c
})

// page is states.toml.
type page struct {
	Words  map[string]Words          `toml:"words"`
	Person map[string]map[string]any `toml:"person"`
	Device map[string]map[string]any `toml:"device"`
	Team   map[string]map[string]any `toml:"team"`
}

func parseStates(text []byte) (out parsed, err error) {
	var p page
	if err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(&p); err != nil {
		return out, err
	}
	for kind, entries := range map[Kind]map[string]map[string]any{Person: p.Person, Device: p.Device, Team: p.Team} {
		for id, fields := range entries {
			s := State{ID: id, Kind: kind}
			for name, v := range fields {
				if what, remedy := s.SetField(name, v); what != "" {
					return out, fmt.Errorf("%s: %s: %s; %s", id, name, what, remedy)
				}
			}
			out.states = append(out.states, s)
		}
	}
	slices.SortFunc(out.states, func(a, b State) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	})
	out.words = p.Words
	return out, nil
}
