package search

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"rollcall/xmpp/stanza"
)

// Version is that of the rules of [Describe]. What was described by another is
// described anew.
const Version = 1

const nsCard = "vcard-temp"

// Field says where a word stands: bits, since it can stand in several.
type Field uint8

// The fields. Whole is a whole name, as far as it is not in its parts.
const (
	Given Field = 1 << iota
	Family
	Whole
	Nick
	Email
	Unit
	Local // of the account's address
)

// Card is what is shown of somebody who is found.
type Card struct{ Name, Given, Family, Nick, Email, Unit string }

// Entry is what an account is found by, and what is then shown.
type Entry struct {
	Card
	Words map[string]Field // none for somebody who is not to be found
}

// Limits of an entry.
const (
	maxShown = 256     // bytes of each field
	maxRead  = 1 << 10 // bytes of a field that are looked at
	maxWord  = 64      // bytes of a word
	maxWords = 64
)

// Describe says what an account is found by: the localpart of its address, and
// its vCard, or nil if it has none.
func Describe(local string, card *stanza.Element) Entry {
	e := Entry{Words: map[string]Field{}}
	if card == nil {
		e.add(Local, local)
		return e
	}
	if class := card.Child(nsCard, "CLASS"); class != nil && (class.Child(nsCard, "PRIVATE") != nil || class.Child(nsCard, "CONFIDENTIAL") != nil) {
		return e
	}
	var given, middle, family, email, unit, nick []string
	for _, c := range card.Elements() {
		switch {
		case c.Space != nsCard:
		case c.Local == "N":
			given, family = texts(given, c, "GIVEN"), texts(family, c, "FAMILY")
			middle = texts(middle, c, "MIDDLE")
		case c.Local == "EMAIL":
			email = texts(email, c, "USERID")
		case c.Local == "ORG":
			unit = texts(unit, c, "ORGUNIT")
		case c.Local == "NICKNAME":
			nick = append(nick, c.Text())
		}
	}
	e.Card = Card{
		Name:  shown(card.ChildText(nsCard, "FN")),
		Given: shown(given...), Family: shown(family...), Nick: shown(nick...), Email: shown(first(email)), Unit: shown(unit...),
	}
	e.add(Local, local)
	e.add(Given, given...)
	e.add(Family, family...)
	e.add(Nick, nick...)
	e.add(Email, email...)
	e.add(Unit, unit...)
	for _, word := range words(shorten(card.ChildText(nsCard, "FN"), maxRead)) {
		if e.Words[word]&(Given|Family) == 0 {
			e.put(word, Whole)
		}
	}
	e.add(Whole, middle...)
	return e
}

// texts adds the texts of an element's children of that name, but for empty ones.
func texts(to []string, e *stanza.Element, name string) []string {
	for _, c := range e.Elements() {
		if text := strings.TrimSpace(c.Text()); c.Is(nsCard, name) && text != "" {
			to = append(to, text)
		}
	}
	return to
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// shown is what people see of texts.
func shown(list ...string) string {
	return shorten(strings.Join(strings.Fields(strings.Join(list, ", ")), " "), maxShown)
}

// shorten cuts a text between characters.
func shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

func (e *Entry) add(at Field, list ...string) {
	for _, text := range list {
		for _, word := range words(shorten(text, maxRead)) {
			e.put(word, at)
		}
	}
}

func (e *Entry) put(word string, at Field) {
	if _, known := e.Words[word]; known || len(e.Words) < maxWords {
		e.Words[word] |= at
	}
}

// words splits a text into its words, without what people leave out when they
// look for somebody: case, accents, whatever is neither letter nor digit. Each
// is there once, and at most as long as any that is kept.
func words(text string) []string {
	// Twice taken apart, since folding can put together what has to come off.
	text = norm.NFKD.String(cases.Fold().String(norm.NFKD.String(text)))
	var out []string
	var word strings.Builder
	end := func() {
		if w := shorten(word.String(), maxWord); w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
		word.Reset()
	}
	for _, r := range text {
		switch plain, other := plainly[r]; {
		case other:
			word.WriteString(plain)
		case unicode.Is(unicode.Mn, r): // an accent, or what is like one
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.Is(unicode.Mc, r):
			word.WriteRune(r)
		default:
			end()
		}
	}
	end()
	return out
}

// plainly are letters that are not taken apart by Unicode and that people write
// without their strokes.
var plainly = map[rune]string{
	'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'æ': "ae", 'œ': "oe", 'ħ': "h", 'ı': "i", 'ŋ': "n",
}
