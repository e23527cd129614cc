package profile

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/rich"
)

//go:embed profiles.toml
var builtIn []byte

// Profile is what a make of phones wants.
type Profile struct {
	Name  string   `toml:"name"`
	Match []string `toml:"match"`

	DummyDialog    bool    `toml:"dummy_dialog"`
	SingleDialog   bool    `toml:"single_dialog"`
	CallerAnswered bool    `toml:"caller_answered"`
	CallFirst      bool    `toml:"call_first"`
	Offline        Offline `toml:"offline"`

	XPIDF       bool `toml:"xpidf"`
	SingleTuple bool `toml:"single_tuple"`
	NoAway      bool `toml:"no_away"`
	AlwaysBusy  bool `toml:"always_busy"`
	NoEmptyMWI  bool `toml:"no_empty_mwi"`

	OnlyMD5 bool `toml:"only_md5"`
}

// Dialogs returns what the writer of dialog-info is to heed.
func (p *Profile) Dialogs() dialoginfo.Options {
	return dialoginfo.Options{
		Dummy: p.DummyDialog, Single: p.SingleDialog,
		CallerAnswered: p.CallerAnswered, ConfirmedFirst: p.CallFirst,
	}
}

// Presence returns what the writer of PIDF is to heed.
func (p *Profile) Presence() rich.Options {
	return rich.Options{NoAway: p.NoAway, Busy: p.AlwaysBusy, Single: p.SingleTuple}
}

// Offline is how a lamp shows a phone that is not registered.
type Offline uint8

// As if it were idle, as if it were in a call, or by ending the subscription.
const (
	NoDialog Offline = iota
	Busy
	Terminate
)

var offlines = [...]string{"no-dialog", "busy", "terminate"}

// String returns the word of a profile for it.
func (o Offline) String() string { return offlines[o] }

// UnmarshalText implements encoding.TextUnmarshaler.
func (o *Offline) UnmarshalText(b []byte) error {
	i := slices.Index(offlines[:], string(b))
	if i < 0 {
		return fmt.Errorf("%q is none of %s", b, strings.Join(offlines[:], ", "))
	}
	*o = Offline(i)
	return nil
}

// Set is profiles in the order in which they are looked at. It is never changed.
type Set struct{ all []Profile }

// The limits of an operator's file.
const (
	maxProfiles = 256
	maxPatterns = 32
)

// Default returns the profiles that are built in.
func Default() *Set {
	all, err := Parse(builtIn)
	if err != nil {
		panic("profile: " + err.Error()) // a test reads the file
	}
	return &Set{all}
}

// With returns the set with an operator's own profiles before it.
func (s *Set) With(own []Profile) *Set {
	all := slices.Clone(own)
	for _, p := range s.all {
		if !slices.ContainsFunc(own, func(o Profile) bool { return o.Name == p.Name }) {
			all = append(all, p)
		}
	}
	return &Set{all}
}

// Parse reads profiles, and reports all that is wrong with them at once.
func Parse(data []byte) ([]Profile, error) {
	var file struct {
		Profile []Profile `toml:"profile"`
	}
	d := toml.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			var all []error
			for _, e := range strict.Errors {
				line, _ := e.Position()
				all = append(all, fmt.Errorf("line %d: no such key: %s", line, strings.Join(e.Key(), ".")))
			}
			return nil, errors.Join(all...)
		}
		var wrong *toml.DecodeError
		if errors.As(err, &wrong) {
			line, _ := wrong.Position()
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		return nil, err
	}
	return file.Profile, check(file.Profile)
}

func check(all []Profile) error {
	var out []error
	if len(all) > maxProfiles {
		return fmt.Errorf("%d profiles, at most %d", len(all), maxProfiles)
	}
	names := map[string]bool{}
	for i := range all {
		p := &all[i]
		name := p.Name
		switch {
		case name == "":
			name = fmt.Sprintf("number %d", i+1)
			out = append(out, fmt.Errorf("profile %s has no name", name))
		case names[name]:
			out = append(out, fmt.Errorf("there are two profiles %q", name))
		}
		names[p.Name] = true
		if len(p.Match) > maxPatterns {
			out = append(out, fmt.Errorf("profile %s has %d patterns, at most %d", name, len(p.Match), maxPatterns))
		}
		for _, pattern := range p.Match {
			if strings.Trim(pattern, "* ") == "" {
				out = append(out, fmt.Errorf("profile %s: the pattern %q is every phone's", name, pattern))
			}
		}
	}
	return errors.Join(out...)
}

// generic is for phones that nobody has complained about.
var generic = Profile{Name: "generic"}

// For returns the profile for a User-Agent, never nil.
func (s *Set) For(userAgent string) *Profile {
	for i := range s.all {
		for _, pattern := range s.all[i].Match {
			if matches(pattern, userAgent) {
				return &s.all[i]
			}
		}
	}
	return &generic
}

// Named returns the profile of that name, for devices whose profile is configured,
// or nil.
func (s *Set) Named(name string) *Profile {
	for i := range s.all {
		if s.all[i].Name == name {
			return &s.all[i]
		}
	}
	return nil
}

// maxAgent is as much of a User-Agent as is looked at.
const maxAgent = 256

// matches reports whether s begins as the pattern does; * is anything.
func matches(pattern, s string) bool {
	s = s[:min(len(s), maxAgent)]
	first, rest, more := strings.Cut(pattern, "*")
	if len(s) < len(first) || !strings.EqualFold(s[:len(first)], first) {
		return false
	}
	s = s[len(first):]
	for more {
		var part string
		part, rest, more = strings.Cut(rest, "*")
		i := index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}

// index is strings.Index without regard to case.
func index(s, part string) int {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}
