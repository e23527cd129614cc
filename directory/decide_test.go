package directory

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rollcall/xmpp/jid"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func ours(local string) Account { return Account{JID: jid.Bare(local + "@x")} }
func theirs(local string) Account {
	return Account{JID: jid.Bare(local + "@x"), Theirs: true, Person: Person{Local: local}}
}

func gone(a Account, since time.Duration) Account {
	a.Gone = noon.Add(-since)
	return a
}

func entry(a Account, id string) Account {
	a.Person.Entry = id
	return a
}

func people(locals ...string) (all []Person) {
	for _, l := range locals {
		all = append(all, Person{Local: l})
	}
	return all
}

func many(n int, f func(string) Account) (all []Account) {
	for i := range n {
		all = append(all, f(fmt.Sprintf("p%03d", i)))
	}
	return all
}

// What follows from what is here and what is there.
func TestDecide(t *testing.T) {
	usual := Config{Domain: "x", VanishPercent: 20}
	month := usual
	month.RemoveAfter = 30 * 24 * time.Hour
	takeOver := usual
	takeOver.TakeOver = true
	tests := []struct {
		name  string
		have  []Account
		found Snapshot
		cfg   Config
		sure  bool
		want  Changes
	}{
		{name: "nothing is nothing"},
		{
			name: "somebody new", found: Snapshot{People: people("ada")},
			want: Changes{Create: people("ada")},
		},
		{
			name: "nothing new", have: []Account{theirs("ada"), ours("bob")}, found: Snapshot{People: people("ada")},
		},
		{
			name: "another telephone", have: []Account{theirs("ada")}, found: Snapshot{People: []Person{{Local: "ada", Phone: "1"}}},
			want: Changes{Update: []Person{{Local: "ada", Phone: "1"}}},
		},
		{
			name: "an account that is ours stays so", have: []Account{ours("ada")}, found: Snapshot{People: people("ada")},
			want: Changes{Clashes: []jid.Bare{"ada@x"}},
		},
		{
			name: "or is taken over", have: []Account{ours("ada")}, found: Snapshot{People: people("ada")}, cfg: takeOver,
			want: Changes{TakeOver: people("ada")},
		},
		{
			name: "an account that is ours is nobody's business", have: []Account{ours("ada"), theirs("bob")}, found: Snapshot{People: people("bob")}, cfg: takeOver,
		},
		{
			name: "somebody left", have: []Account{theirs("ada"), theirs("bob")}, found: Snapshot{People: people("bob")},
			want: Changes{Vanish: []jid.Bare{"ada@x"}},
		},
		{
			name: "and is still away", have: []Account{gone(theirs("ada"), 24*time.Hour), theirs("bob")}, found: Snapshot{People: people("bob")}, cfg: month,
		},
		{
			name: "for long enough", have: []Account{gone(theirs("ada"), 30*24*time.Hour), theirs("bob")}, found: Snapshot{People: people("bob")}, cfg: month,
			want: Changes{Remove: []jid.Bare{"ada@x"}},
		},
		{
			name: "which there may not be", have: []Account{gone(theirs("ada"), 3000*24*time.Hour), theirs("bob")}, found: Snapshot{People: people("bob")},
		},
		{
			name: "and is back", have: []Account{gone(theirs("ada"), time.Hour)}, found: Snapshot{People: people("ada")},
			want: Changes{Update: people("ada")},
		},
		{
			name: "as the same entry", have: []Account{gone(entry(theirs("ada"), "1"), time.Hour)}, found: Snapshot{People: []Person{{Local: "ada", Entry: "1"}}},
			want: Changes{Update: []Person{{Local: "ada", Entry: "1"}}},
		},
		{
			name: "or another has the name now", have: []Account{gone(entry(theirs("ada"), "1"), time.Hour)}, found: Snapshot{People: []Person{{Local: "ada", Entry: "2"}}},
			want: Changes{Strangers: []jid.Bare{"ada@x"}},
		},
		{
			name: "an entry that was made anew without anybody leaving", have: []Account{entry(theirs("ada"), "1")}, found: Snapshot{People: []Person{{Local: "ada", Entry: "2"}}},
			want: Changes{Update: []Person{{Local: "ada", Entry: "2"}}},
		},
		{
			name: "whoever is in doubt is not missing", have: []Account{theirs("ada"), theirs("bob")}, found: Snapshot{People: people("bob"), Doubtful: []string{"ada"}},
		},
		{
			name: "five may be missing", have: append(many(5, theirs), theirs("zoe")), found: Snapshot{People: people("zoe")},
			want: Changes{Vanish: []jid.Bare{"p000@x", "p001@x", "p002@x", "p003@x", "p004@x"}},
		},
		{
			name: "six are a mistake", have: append(many(6, theirs), theirs("zoe"), gone(theirs("old"), 99*24*time.Hour)), found: Snapshot{People: people("zoe", "new")}, cfg: month,
			want: Changes{Create: people("new"), Missed: 6},
		},
		{
			name: "unless somebody is sure", have: append(many(6, theirs), theirs("zoe")), found: Snapshot{People: people("zoe")}, sure: true,
			want: Changes{Vanish: []jid.Bare{"p000@x", "p001@x", "p002@x", "p003@x", "p004@x", "p005@x"}},
		},
		{
			name: "that nobody is there is a mistake", have: []Account{theirs("ada"), gone(theirs("old"), 99*24*time.Hour)}, cfg: month,
			want: Changes{Missed: 1},
		},
		{
			name: "unless somebody is sure of that", have: []Account{theirs("ada")}, sure: true,
			want: Changes{Vanish: []jid.Bare{"ada@x"}},
		},
	}
	for _, tt := range tests {
		if tt.cfg.Domain == "" {
			tt.cfg = usual
		}
		got := Decide(tt.have, &tt.found, tt.cfg, noon, tt.sure)
		if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// A hundredth of many is more than five.
func TestDecideAboutMany(t *testing.T) {
	have := many(200, theirs)
	for missing, vanish := range map[int]bool{40: true, 41: false} {
		var found Snapshot
		for _, a := range have[missing:] {
			found.People = append(found.People, a.Person)
		}
		c := Decide(have, &found, Config{Domain: "x", VanishPercent: 20}, noon, false)
		if (len(c.Vanish) == missing) != vanish || (c.Missed == 0) != vanish {
			t.Errorf("%d of 200 are missing: %d vanish, %d are a mistake", missing, len(c.Vanish), c.Missed)
		}
	}
}

func TestVCard(t *testing.T) {
	tests := []struct {
		p    Person
		want string
	}{
		{Person{Local: "ada"}, "<vCard xmlns='vcard-temp'><FN>ada</FN></vCard>"},
		{
			Person{Local: "ada", Name: "Ada <Lovelace>", Given: "Ada", Family: "Lovelace", Mail: "ada@x", Phone: "+44", Title: "Countess", Org: "A & B", Unit: "C"},
			"<vCard xmlns='vcard-temp'><FN>Ada &lt;Lovelace&gt;</FN><N><FAMILY>Lovelace</FAMILY><GIVEN>Ada</GIVEN></N>" +
				"<TEL><WORK/><VOICE/><NUMBER>+44</NUMBER></TEL><EMAIL><WORK/><INTERNET/><USERID>ada@x</USERID></EMAIL>" +
				"<TITLE>Countess</TITLE><ORG><ORGNAME>A &amp; B</ORGNAME><ORGUNIT>C</ORGUNIT></ORG></vCard>",
		},
		{Person{Local: "ada", Unit: "C"}, "<vCard xmlns='vcard-temp'><FN>ada</FN><ORG><ORGUNIT>C</ORGUNIT></ORG></vCard>"},
	}
	for _, tt := range tests {
		if got := string(tt.p.VCard()); got != tt.want {
			t.Errorf("%+v:\n%s\nwant\n%s", tt.p, got, tt.want)
		}
	}
}

// A password is remembered for as long as was said, and no other is right.
func TestMemory(t *testing.T) {
	m := memory{lasts: time.Minute}
	m.put(m.now(), "ada@x", "secret", noon)
	tests := []struct {
		who      jid.Bare
		password string
		after    time.Duration
		right    bool
	}{
		{"ada@x", "secret", 0, true},
		{"ada@x", "secret", time.Minute - 1, true},
		{"ada@x", "secret", time.Minute, false},
		{"ada@x", "Secret", 0, false},
		{"ada@x", "", 0, false},
		{"bob@x", "secret", 0, false},
	}
	for _, tt := range tests {
		if got := m.right(tt.who, tt.password, noon.Add(tt.after)); got != tt.right {
			t.Errorf("%s %q after %v: %v", tt.who, tt.password, tt.after, got)
		}
	}
	era := m.now()
	m.forget("ada@x", "bob@x")
	if m.right("ada@x", "secret", noon) {
		t.Error("not forgotten")
	}
	if m.put(era, "ada@x", "secret", noon); m.right("ada@x", "secret", noon) {
		t.Error("what was checked before is remembered after it was to be forgotten")
	}
	none := memory{}
	if none.put(none.now(), "ada@x", "secret", noon); none.right("ada@x", "secret", noon) {
		t.Error("remembered though it is off")
	}
}
