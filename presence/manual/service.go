package manual

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"rollcall/presence"
)

// The sources of what is set by hand.
const (
	Own       = presence.FromManual               // by the person
	Operators = presence.FromManual + "/operator" // by who operates, for somebody else or a device
)

// MaxText is how many characters a person's or an operator's own words have at most.
const MaxText = 200

// Refusal is why something cannot be done, in words for people. It is an error.
type Refusal string

// Error implements error.
func (r Refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// Store keeps how much of their telephones people let others see. Those who let all
// be seen need not be in it.
type Store interface {
	// Sharings calls each for everybody who has chosen something.
	Sharings(ctx context.Context, each func(presence.Subject, presence.Sharing) error) error
	// SetSharing keeps a choice. It fails if there is no such account.
	SetSharing(ctx context.Context, who presence.Subject, choice presence.Sharing) error
}

// Options are what a service is made of.
type Options struct {
	Engine *presence.Engine // whose Expired is to be [Service.Expired]
	Store  Store

	// Tell tells a person something, whether they are there or later. It may wait.
	// Nil: nobody is told.
	Tell func(who presence.Subject, text string)
}

// Service sets states by hand and takes them away. All methods are safe for use by
// many goroutines.
type Service struct {
	// Fixed.
	engine *presence.Engine
	store  Store
	tell   func(presence.Subject, string)
	wake   chan struct{} // holds a token if notices wait

	// Safe.
	pace    pace
	sharing atomic.Pointer[map[presence.Subject]presence.Sharing] // of those who have chosen; replaced under mu

	mu      sync.Mutex // guards the field below
	notices []notice
}

// New returns a service. It starts nothing.
func New(o Options) *Service {
	s := &Service{engine: o.Engine, store: o.Store, tell: o.Tell, wake: make(chan struct{}, 1)}
	s.sharing.Store(&map[presence.Subject]presence.Sharing{})
	if s.tell == nil {
		s.tell = func(presence.Subject, string) {}
	}
	return s
}

// Order is what somebody wants to be set.
type Order struct {
	Subject presence.Subject
	Kind    presence.Kind

	// By says who sets it: the person, or who operates.
	By presence.Setter

	// State is the id of a state, or what it is called in any language.
	State string

	// For is for how long, and Until until when, if For is zero. With neither it is for as
	// long as usual.
	For   time.Duration
	Until time.Time

	Text string // own words; "" is none
}

// Setting is a state that is set by hand.
type Setting struct {
	Subject presence.Subject
	Kind    presence.Kind
	Source  string // [Own] or [Operators]
	State   string // its id
	Name    string // what people call it
	Text    string
	Since   time.Time
	Until   time.Time

	// Shortened says that it was to last longer than it may.
	Shortened bool
}

// Set sets a state in place of what was set by hand before. The error is a [Refusal]
// if whoever gave the order can do something about it.
func (s *Service) Set(ctx context.Context, o Order) (Setting, error) {
	now := time.Now()
	state, id, err := s.settable(&o)
	if err != nil {
		return Setting{}, err
	}
	if o.Text, err = words(o.Text); err != nil {
		return Setting{}, err
	}
	until, short, err := ending(state, &o, now)
	if err != nil {
		return Setting{}, err
	}
	if o.By == presence.ByManual && !s.pace.allow(o.Subject, now) {
		return Setting{}, refuse("you have changed your state very often; wait a moment")
	}
	set := Setting{
		Subject: o.Subject, Kind: o.Kind, Source: Own, State: id, Name: s.name(o.Kind, id), Text: o.Text,
		Since: now, Until: until, Shortened: short,
	}
	axis := presence.Willingness
	if o.By != presence.ByManual {
		set.Source, axis = Operators, presence.Policy
	}
	if _, err := s.withdraw(ctx, o.Subject, o.Kind, o.By, set.Source); err != nil {
		return Setting{}, err
	}
	return set, s.report(o.Subject, o.Kind, set.Source, presence.Contribution{
		Axis: axis, State: id, Since: now, Expires: until, Facets: presence.Facets{Text: o.Text, Until: until},
	})
}

// Clear takes away what is set by hand, as far as whoever asks may, and returns what
// that was.
func (s *Service) Clear(ctx context.Context, who presence.Subject, kind presence.Kind, by presence.Setter) ([]Setting, error) {
	return s.withdraw(ctx, who, kind, by, "")
}

// withdraw takes away what one source has set, and those others that whoever asks
// may. What is about to be replaced is left to be replaced, so that nobody sees what
// would be between.
func (s *Service) withdraw(ctx context.Context, who presence.Subject, kind presence.Kind, by presence.Setter, replaced string) ([]Setting, error) {
	set, err := s.Settings(ctx, who)
	if err != nil {
		return nil, err
	}
	var gone []Setting
	for _, x := range set {
		if x.Source == replaced || !s.mayClear(&x, by) {
			continue
		}
		if err := s.report(who, kind, x.Source); err != nil {
			return gone, err
		}
		gone = append(gone, x)
	}
	return gone, nil
}

// mayClear reports whether somebody may take away what is set: their own, and what
// they might have set.
func (s *Service) mayClear(x *Setting, by presence.Setter) bool {
	if by != presence.ByManual || x.Source == Own {
		return true
	}
	state, ok := s.engine.Catalogue().Lookup(x.Kind, x.State)
	return !ok || state.SetBy&presence.ByManual != 0
}

func (s *Service) report(who presence.Subject, kind presence.Kind, source string, cs ...presence.Contribution) error {
	err := s.engine.Report(who, kind, source, cs)
	if errors.Is(err, presence.ErrBusy) {
		return refuse("too much is going on just now; try again in a moment")
	}
	return err
}

// Settings returns what is set by hand of a subject now, the newest first.
func (s *Service) Settings(ctx context.Context, who presence.Subject) ([]Setting, error) {
	cs, err := s.engine.Contributions(ctx, who)
	if err != nil {
		return nil, err
	}
	kind := presence.Person
	if e := s.engine.State(who); e != nil {
		kind = e.Kind
	}
	return s.settings(who, kind, cs), nil
}

func (s *Service) settings(who presence.Subject, kind presence.Kind, cs []presence.Contribution) (out []Setting) {
	for i := range cs {
		c := &cs[i]
		if presence.SourceKind(c.Source) != presence.FromManual || c.State == "" {
			continue
		}
		x := Setting{
			Subject: who, Kind: kind, Source: c.Source, State: c.State, Name: s.name(kind, c.State),
			Text: c.Facets.Text, Since: c.Since, Until: c.Expires,
		}
		if len(out) > 0 && x.Since.After(out[0].Since) {
			out = append([]Setting{x}, out...)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// All returns what is set by hand of all subjects, as far as it has been merged.
func (s *Service) All() (out []Setting) {
	for e := range s.engine.All() {
		out = append(out, s.settings(e.Subject, e.Kind, e.All)...)
	}
	return out
}

// name is what people call a state.
func (s *Service) name(kind presence.Kind, id string) string {
	cat := s.engine.Catalogue()
	if state, ok := cat.Lookup(kind, id); ok {
		named := *state
		named.ID = id
		return named.Name(cat.Language())
	}
	return id
}

// words checks what people write of themselves.
func words(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	switch {
	case utf8.RuneCountInString(text) > MaxText:
		return "", refuse("the text is too long: %d characters at most", MaxText)
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return "", refuse("the text has characters that nobody can see")
	}
	return text, nil
}

// ending is when a state ends, and whether that is sooner than wished.
func ending(state *presence.State, o *Order, now time.Time) (until time.Time, short bool, err error) {
	asked := o.For
	if asked == 0 && !o.Until.IsZero() {
		if asked = o.Until.Sub(now); asked <= 0 {
			return until, false, refuse("that time is past")
		}
	}
	if asked < 0 || asked > 0 && asked < time.Second {
		return until, false, refuse("that is too short")
	}
	until, err = state.Expiry(now, asked)
	if errors.Is(err, presence.ErrNoExpiry) {
		return until, false, refuse("say for how long: 20m, 2h or until 15:00")
	}
	return until, asked > 0 && until.Before(now.Add(asked)), err
}
