package search

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                 nil,
		" \n*%_?.-,'\"\\ ":                 nil,
		"Ada King-Noel":                    {"ada", "king", "noel"},
		"ada.king+x@mail.example":          {"ada", "king", "x", "mail", "example"},
		"ÅNGSTRÖM Ångström A\u030angström": {"angstrom"},
		"Müller Straße STRASSE":            {"muller", "strasse"},
		"Łoziński Ødegård Đorđević":        {"lozinski", "odegard", "dordevic"},
		"Þórr Æsir Œuvre":                  {"thorr", "aesir", "oeuvre"},
		"İstanbul ıslak ISLAK":             {"istanbul", "islak"},
		"Σίσυφος ΣΊΣΥΦΟΣ":                  {"σισυφοσ"},
		"Ёлкин Йод":                        {"елкин", "иод"},
		"ＡＤＡ ﬁn ①":                         {"ada", "fin", "1"},
		"山田太郎 가나":                          {"山田太郎", "가나"},
		"שָׁלוֹם مُحَمَّد":                 {"שלום", "محمد"},
		"O'Brien 0'brien":                  {"o", "brien", "0"},
		"b% c_d":                           {"b", "c", "d"},
		strings.Repeat("é", 100):           {strings.Repeat("e", maxWord)},
	} {
		got := words(text)
		for i := range got { // Hangul comes apart, the same way for all
			for j := range want {
				if got[i] == words(want[j])[0] {
					got[i] = want[j]
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func describe(local, inner string) Entry {
	card, err := stanza.Parse([]byte("<vCard xmlns='vcard-temp'>"+inner+"</vCard>"), "", nil)
	if err != nil {
		panic(err)
	}
	return Describe(local, card)
}

func TestDescribe(t *testing.T) {
	long := strings.Repeat("word é", 300)
	for _, c := range []struct {
		inner string
		card  Card
		words map[string]Field
	}{
		{"", Card{}, map[string]Field{"ada": Local, "k": Local}},
		{"<FN>Ada  Lovelace\n</FN>", Card{Name: "Ada Lovelace"}, map[string]Field{"ada": Local | Whole, "k": Local, "lovelace": Whole}},
		{
			"<FN>Lady Ada King</FN><N><GIVEN>Ada</GIVEN><MIDDLE>Augusta</MIDDLE><FAMILY>King</FAMILY></N>",
			Card{Name: "Lady Ada King", Given: "Ada", Family: "King"},
			map[string]Field{"ada": Local | Given, "k": Local, "king": Family, "lady": Whole, "augusta": Whole},
		},
		{
			"<NICKNAME>Countess,AAL</NICKNAME><EMAIL><WORK/><USERID>ada@x.example</USERID></EMAIL><EMAIL><USERID>king@y.example</USERID></EMAIL>" +
				"<ORG><ORGNAME>Engines</ORGNAME><ORGUNIT>Notes</ORGUNIT><ORGUNIT>Room 2</ORGUNIT></ORG><TEL><NUMBER>123</NUMBER></TEL>",
			Card{Nick: "Countess,AAL", Email: "ada@x.example", Unit: "Notes, Room 2"},
			map[string]Field{
				"ada": Local | Email, "k": Local, "countess": Nick, "aal": Nick, "x": Email, "example": Email, "king": Email, "y": Email,
				"notes": Unit, "room": Unit, "2": Unit,
			},
		},
		{"<FN>Ada</FN><CLASS><PRIVATE/></CLASS>", Card{}, map[string]Field{}},
		{"<FN>Ada</FN><CLASS><CONFIDENTIAL/></CLASS>", Card{}, map[string]Field{}},
		{"<FN>Ada</FN><CLASS><PUBLIC/></CLASS>", Card{Name: "Ada"}, map[string]Field{"ada": Local | Whole, "k": Local}},
		{"<FN xmlns='urn:o'>Eve</FN><N><GIVEN/></N><EMAIL/>", Card{}, map[string]Field{"ada": Local, "k": Local}},
		{
			"<FN>" + long + "</FN>", Card{Name: strings.TrimSuffix(long[:maxShown], "\xc3")},
			map[string]Field{"ada": Local, "k": Local, "word": Whole, "eword": Whole, "ewo": Whole}, // where it is cut
		},
	} {
		e := describe("ada.k", c.inner)
		if e.Card != c.card || !maps.Equal(e.Words, c.words) {
			t.Errorf("%.80s:\n got %+v\nwant %+v %v", c.inner, e, c.card, c.words)
		}
	}
	if e := Describe("ada.k", nil); len(e.Words) != 2 || e.Card != (Card{}) {
		t.Errorf("without a vCard: %+v", e)
	}
}

func TestDescribeIsBounded(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		b.WriteString("<EMAIL><USERID>" + strings.Repeat("a", i%200) + string(rune('a'+i%26)) + "</USERID></EMAIL>")
	}
	if e := describe("ada", b.String()); len(e.Words) != maxWords {
		t.Errorf("%d words", len(e.Words))
	}
}

// parse reads what a client could send.
func parse(raw string) *stanza.Element {
	l := stream.Limits{Stanza: 1 << 18, Tag: 1 << 14, Depth: 64, Attrs: 32, Namespaces: 32}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, nil)
	st, err := sc.Whole([]byte("<iq type='set' id='1'>" + raw + "</iq>"))
	if err != nil {
		return nil
	}
	return st.Payload()
}

// FuzzDescribe: whatever a vCard says, what is kept of it is bounded, and every
// word in it is one that can be looked for.
func FuzzDescribe(f *testing.F) {
	for _, s := range []string{
		"<vCard xmlns='vcard-temp'><FN>Ada Łoziński</FN><N><GIVEN>A</GIVEN><FAMILY>é</FAMILY></N><CLASS/></vCard>",
		"<vCard xmlns='vcard-temp'><CLASS><PRIVATE/></CLASS></vCard>", "<vCard xmlns='vcard-temp'><EMAIL><USERID>\ufdfa\ufdfa@x</USERID></EMAIL></vCard>",
		"<vCard xmlns='vcard-temp'><NICKNAME>\u0301\U0010fffd&#x1F600;</NICKNAME><ORG><ORGUNIT>\u0130\u0131\u1e9e</ORGUNIT></ORG></vCard>",
	} {
		f.Add("ada", s)
	}
	f.Fuzz(func(t *testing.T, local, raw string) {
		card := parse(raw)
		if card == nil || !utf8.ValidString(local) {
			return
		}
		e := Describe(local, card)
		for _, s := range []string{e.Name, e.Given, e.Family, e.Nick, e.Email, e.Unit} {
			if len(s) > maxShown || !utf8.ValidString(s) {
				t.Errorf("shown: %q", s)
			}
		}
		if len(e.Words) > maxWords {
			t.Errorf("%d words", len(e.Words))
		}
		for w, at := range e.Words {
			if len(w) > maxWord || w == "" || !utf8.ValidString(w) || at == 0 || strings.ContainsAny(w, "%_*\x00\U0010FFFF") {
				t.Errorf("found by %q in %d", w, at)
			}
			if again := words(w); len(w) < maxWord && (len(again) != 1 || again[0] != w) {
				t.Errorf("%q is looked for as %q", w, again)
			}
		}
	})
}

// FuzzRead: whatever is looked for, there are a few words of it or a refusal.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"<query xmlns='jabber:iq:search'><first>Ad*</first><last>'; DROP</last></query>", "<query xmlns='jabber:iq:search'/>",
		"<query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='submit'><field var='fn'><value>a b c d e f</value></field></x></query>",
		"<query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='cancel'/></query>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		query := parse(raw)
		if query == nil {
			return
		}
		terms, _, err := read(query)
		var refusal *stanza.Error
		if err != nil && !errors.As(err, &refusal) {
			t.Fatalf("no refusal: %v", err)
		}
		if len(terms) > MaxTerms {
			t.Errorf("%d terms", len(terms))
		}
		for _, x := range terms {
			if x.Begins == "" || x.Fields == 0 || len(x.Begins) > maxWord || strings.ContainsAny(x.Begins, "%_*\x00\U0010FFFF") {
				t.Errorf("looks for %+v", x)
			}
		}
	})
}
