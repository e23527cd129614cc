package presence

import "slices"

// Level is how much a watcher may see of a subject.
type Level uint8

// Each level sees what those before it see, and more. Who is Hidden from takes the
// subject for unavailable.
const (
	Hidden Level = iota // nothing, and not that there is something to hide
	Basic               // whether to disturb: show, and no words
	Status              // and what it is in a word: "On the phone"
	Detail              // and since when, the person's own words, which device, ringing
	Full                // and the other end, and what is hidden from others
	NumLevels
)

var levelNames = [NumLevels]string{"hidden", "basic", "status", "detail", "full"}

// String returns the word of the configuration: "hidden", "basic", "status", "detail"
// or "full".
func (l Level) String() string { return levelNames[min(l, Full)] }

// ParseLevel returns the level with that word.
func ParseLevel(s string) (l Level, ok bool) {
	i := slices.Index(levelNames[:], s)
	return Level(max(i, 0)), i >= 0
}
