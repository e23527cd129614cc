package presence

import (
	"errors"
	"strings"
	"time"
)

// Show is what a chat client shows of somebody (RFC 6121 §4.7.2.1), or that they are
// unavailable.
type Show uint8

// The values of show.
const (
	ShowNone        Show = iota // no <show/>: available
	ShowChat                    // eager to chat
	ShowAway                    // away for a while
	ShowXA                      // away for long
	ShowDND                     // not to be disturbed
	ShowUnavailable             // type='unavailable'
	numShows
)

var showNames = [numShows]string{"none", "chat", "away", "xa", "dnd", "unavailable"}

// String returns the word of the configuration: "none", "chat", "away", "xa", "dnd"
// or "unavailable".
func (s Show) String() string { return showNames[s] }

// Element returns the content of <show/>; "" is none.
func (s Show) Element() string {
	if s == ShowNone || s == ShowUnavailable {
		return ""
	}
	return showNames[s]
}

// Open reports whether it invites: none or chat.
func (s Show) Open() bool { return s == ShowNone || s == ShowChat }

// Setter is a kind of who may set a state.
type Setter uint8

// Setters are a set.
const (
	ByManual Setter = 1 << iota // the person, by a command or the bot
	ByRole                      // who operates: dispatchers, supervisors, operators of devices
	ByAPI                       // another program
	BySource                    // it is found out, from calls, clients, registrations, calendars
)

var setterNames = []string{"manual", "role", "api", "source"}

// Trait is what the merge has to know of a state.
type Trait uint8

// Traits are a set.
const (
	TraitCall        Trait = 1 << iota // a call is up
	TraitPhone                         // it tells of somebody's telephone, see [Sharing]
	TraitIdle                          // nobody touches a client; a manual Available masks it
	TraitMasks                         // set by hand, it masks what the calendar says and idling
	TraitUnreachable                   // it stands though nothing can be reached
)

var traitNames = []string{"call", "phone", "idle", "masks", "unreachable"}

// Texts are words in several languages, by language tag: "en", "de".
type Texts map[string]string

// In returns the text in a language, or in English.
func (t Texts) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t[English]
}

// English is the language that every text falls back to.
const English = "en"

// State is an entry of the [Catalogue]. It is not changed once it is in one.
type State struct {
	ID   string // "on_call", "custom:site_visit"
	Kind Kind   // Person (roles too), Device or Team

	Rank int8 // 0 to 100: the highest wins
	Show Show

	// Label is what it is in a word. It may have places for details, see
	// states.toml.
	Label Texts

	// Aside is how it is mentioned beside another state; without it is not.
	Aside Texts

	// CriticalShow and CriticalLabel are shown of devices that stay in sight. Without
	// a CriticalLabel they are as others.
	CriticalShow  Show
	CriticalLabel Texts

	RPID     string // activity of RFC 4480: "on-the-phone"
	Activity string // of XEP-0108: "talking/on_the_phone"

	SetBy Setter

	// Lasts is how long it lasts when who sets it does not say; 0: they must. Longest
	// is the most that they may say; 0 is the most of all states.
	Lasts, Longest time.Duration

	// From is the first level that it is seen at, and Below the first that sees
	// through it; 0: all. LabelFrom is the first that sees its label.
	From, Below, LabelFrom Level

	Traits Trait

	// Onward is the state that the owner of a device has while the device has this
	// one; "" is none.
	Onward string
}

// LongestOfAll is for how long any state may be set by hand.
const LongestOfAll = 30 * 24 * time.Hour

// Has reports whether a state has a trait.
func (s *State) Has(t Trait) bool { return s.Traits&t != 0 }

// SeenAt reports whether a level sees the state. Who does not, sees what would be
// without it.
func (s *State) SeenAt(l Level) bool { return l >= s.From && (s.Below == 0 || l < s.Below) }

// Name returns what people call a state, in a language: its label without details, or
// words made of its id.
func (s *State) Name(lang string) string {
	name := strings.TrimSpace(fill(s.Label.In(lang), func(string) string { return "" }))
	if name == "" && s.ID != "" {
		name = strings.ReplaceAll(strings.TrimPrefix(s.ID, custom), "_", " ")
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	return name
}

// ErrNoExpiry says that who sets a state has to say for how long.
var ErrNoExpiry = errors.New("say for how long")

// Expiry returns when the state ends that is set at now for so long; 0 is for as
// long as usual. What is too long is cut off. The error is [ErrNoExpiry].
func (s *State) Expiry(now time.Time, asked time.Duration) (time.Time, error) {
	if asked <= 0 {
		asked = s.Lasts
	}
	if asked <= 0 {
		return time.Time{}, ErrNoExpiry
	}
	longest := s.Longest
	if longest == 0 {
		longest = LongestOfAll
	}
	return now.Add(min(asked, longest)), nil
}

// Kinds of sources: what their names have before the slash. Only those are here
// that the merge treats in a way of their own.
const (
	FromClient   = "client"   // "client/desk": a chat client, by its resource
	FromManual   = "manual"   // what the person set by a command
	FromCalendar = "calendar" // a plan
	FromPhone    = "phone"    // "phone/2001": a device, by its SIP user
	FromMailbox  = "mailbox"  // of a device, or "mailbox/2001" of whose it is: it says no state
	FromPBX      = "pbx"      // "pbx/hq": a PBX; "pbx/hq/2001": a device there, of its owner
)

// SourceKind returns what the name of a source has before the slash: "client" of
// "client/desk".
func SourceKind(source string) string {
	kind, _, _ := strings.Cut(source, "/")
	return kind
}

// SourceName returns what it has after that, or "". Of a device at a PBX it is the SIP
// user alone, as of those that register here.
func SourceName(source string) string {
	kind, name, _ := strings.Cut(source, "/")
	if _, user, of := strings.Cut(name, "/"); of && kind == FromPBX {
		return user
	}
	return name
}
