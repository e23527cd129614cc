package storage

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/directory"
	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server/features/archive"
	"rollcall/server/features/pep"
	"rollcall/server/features/privatexml"
	"rollcall/server/features/search"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

func somebodysKeys(t testing.TB, password string) map[sasl.Hash]sasl.Keys {
	t.Helper()
	keys, err := sasl.NewKeys(password, sasl.MinIterations)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// letter is a message of some second, at which several may have come.
func letter(stamp int64, from, to, body string) Letter {
	return Letter{Stamp: stamp, From: from, To: to,
		Stanza: []byte("<message from='" + from + "' to='" + to + "' type='chat'><body>" + body + "</body></message>")}
}

const second = 1_000_000

// everyPart is ada with something of each kind.
func everyPart(t testing.TB) *Parcel {
	return &Parcel{
		Account: "ada@x", Created: time.UnixMicro(77).UTC(), Disabled: true, Keys: somebodysKeys(t, "tea"),
		Roster: []roster.Item{
			{Contact: "bob@x", Name: "Bob", Groups: []string{"Work", "Tea"}, State: roster.Both},
			{Contact: "cy@x", State: roster.To | roster.PendingIn, Request: []byte("<presence from='cy@x' to='ada@x' type='subscribe'/>")},
			{Contact: "dan@x", State: roster.PendingIn, Hidden: true, Request: []byte("<presence from='dan@x' to='ada@x' type='subscribe'/>")},
			{Contact: "eve@x", State: roster.PendingOut | roster.Approved},
			{Contact: "fox@x", Name: "Foxy", Noted: true, Left: []string{"Staff"}},
		},
		Private: []privatexml.Item{{Namespace: "n", XML: []byte("<a xmlns='n'>1</a>")}, {Namespace: "p", XML: []byte("<a xmlns='p'/><b xmlns='p'/>")}},
		Lists: &PrivacyParcel{Default: "b", Lists: []PrivacyList{
			{"a", []privacy.Item{{Type: privacy.JID, Value: "eve@x", Action: privacy.Deny, Order: 1}, {Order: 2}}},
			{"b", []privacy.Item{{Type: privacy.Group, Value: "Work", Action: privacy.Deny, Order: 9, Kinds: privacy.IQs}}},
		}},
		PEP: []PEPNode{
			{pep.Node{Name: "a", Options: pep.Options{Access: pep.Open, Persist: true, SendLast: pep.SendNever}}, []pep.Item{
				{ID: "2", Payload: []byte("<a xmlns='n'/>"), At: time.UnixMicro(5)}, {ID: "1", Payload: []byte("<b xmlns='n'/>"), At: time.UnixMicro(5)},
			}},
			{pep.Node{
				Name: "b", Options: pep.Options{Access: pep.Roster, Groups: []string{"Tea"}, MaxItems: 1, SendLast: pep.SendOnPresence, Notify: true},
				Affiliations: []pep.Affiliation{{JID: "bob@x", Kind: pep.Member}}, Subscribers: []jid.JID{jid.MustParse("bob@x/home")},
			}, nil},
		},
		VCard: []byte("<vCard xmlns='vcard-temp'><FN>Ada</FN></vCard>"), Prefs: `{"default":"roster"}`,
		Offline: []Letter{letter(3*second, "bob@x/home", "ada@x", "late"), letter(3*second, "bob@x/home", "ada@x", "later"), letter(3*second, "bob@x/home", "ada@x", "later")},
		Archive: []Letter{
			letter(1*second, "ada@x/desk", "bob@x", "tea?"), letter(1*second, "bob@x/home", "ada@x/desk", "ok"),
			letter(1*second, "bob@x/home", "ada@x/desk", "ok"), letter(2*second, "ada@x/desk", "ada@x", "a note"),
		},
	}
}

// read is an account as it is exported.
func read(t *testing.T, p *Portable, who jid.Bare) (out *Parcel) {
	t.Helper()
	id, out, err := p.Get(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	for m, err := range p.Offline(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		out.Offline = append(out.Offline, Letter{Stamp: m.Stored, Stanza: m.Stanza})
	}
	for m, err := range p.Archive(t.Context(), who, id) {
		if err != nil {
			t.Fatal(err)
		}
		out.Archive = append(out.Archive, Letter{Stamp: m.ID, From: m.From, To: m.To, Stanza: m.Stanza})
	}
	for i := range out.Roster {
		out.Roster[i].Version = 0
	}
	slices.SortFunc(out.Roster, func(a, b roster.Item) int { return strings.Compare(string(a.Contact), string(b.Contact)) })
	return out
}

func put(t *testing.T, p *Portable, parcel *Parcel, terms Terms) Receipt {
	t.Helper()
	r, err := p.Put(t.Context(), parcel, terms)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What goes in comes out; and when it comes again, nothing is there twice.
func TestParcelComesOutAsItWentIn(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		r := put(t, p, everyPart(t), Terms{})
		want := map[string]int{PartPasswords: 1, PartContacts: 4, PartRequests: 2, PartVCards: 1, PartPrefs: 1, PartPrivate: 2, PartLists: 2, PartNodes: 2, PartWaiting: 3, PartArchived: 4}
		if !r.Made || r.Skipped || !reflect.DeepEqual(r.Added, want) || len(r.Known) > 0 || len(r.Refused) > 0 {
			t.Errorf("it came to %+v", r)
		}
		got := read(t, p, "ada@x")
		expected := everyPart(t)
		expected.Keys = got.Keys
		for i := range expected.Offline {
			expected.Offline[i].From, expected.Offline[i].To = "", ""
		}
		expected.Archive[1].Stamp++ // of those that came in one second each has its own place
		expected.Archive[2].Stamp += 2
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("it came out as\n%+v\nand not as\n%+v", got, expected)
		}
		for _, terms := range []Terms{{Existing: Merge}, {Existing: Skip}, {Existing: Merge, Dry: true}} {
			r := put(t, p, everyPart(t), terms)
			if r.Made || len(r.Added) > 0 || terms.Existing == Skip != r.Skipped || r.Changed() {
				t.Errorf("again, %+v: %+v", terms, r)
			}
		}
		put(t, p, everyPart(t), Terms{Existing: Replace})
		if again := read(t, p, "ada@x"); !reflect.DeepEqual(again.Archive, got.Archive) || !reflect.DeepEqual(again.Offline, got.Offline) || !reflect.DeepEqual(again.Roster, got.Roster) {
			t.Errorf("replaced by itself it is %+v", again)
		}
	})
}

func TestDryParcelChangesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		if r := put(t, p, everyPart(t), Terms{Dry: true}); !r.Made || r.Added[PartArchived] != 4 {
			t.Errorf("%+v", r)
		}
		if _, _, err := p.Get(t.Context(), "ada@x"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("it is there: %v", err)
		}
		more := &Parcel{Account: "ada@x", More: true, Archive: everyPart(t).Archive}
		if r := put(t, p, more, Terms{Dry: true}); r.Added[PartArchived] != 4 {
			t.Errorf("the rest: %+v", r)
		}
		if _, err := p.Put(t.Context(), more, Terms{}); !errors.Is(err, ErrNoAccount) {
			t.Errorf("a rest without a beginning: %v", err)
		}
		if n := count(t, db, "SELECT count(*) FROM archive_message"); n != 0 {
			t.Errorf("%d messages were left", n)
		}
	})
}

// A merge adds what is missing and leaves what is there.
func TestMergeParcel(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		put(t, p, everyPart(t), Terms{})
		before := read(t, p, "ada@x")
		other := everyPart(t)
		other.Keys, other.VCard, other.Prefs, other.Disabled = somebodysKeys(t, "coffee"), []byte("<vCard xmlns='vcard-temp'/>"), "{}", false
		other.Roster = []roster.Item{
			{Contact: "bob@x", Name: "Robert", State: roster.To},
			{Contact: "dan@x", State: roster.From}, // who only asked until now
			{Contact: "fay@x", State: roster.PendingIn, Hidden: true, Request: []byte("<presence/>")},
			{Contact: "gus@x", State: roster.Both},
		}
		other.Private = []privatexml.Item{{Namespace: "n", XML: []byte("<z xmlns='n'/>")}, {Namespace: "q", XML: []byte("<z xmlns='q'/>")}}
		other.Lists = &PrivacyParcel{Default: "c", Lists: []PrivacyList{{"a", []privacy.Item{{Order: 1}}}, {"c", []privacy.Item{{Order: 1}}}}}
		other.Archive = append(other.Archive, letter(9*second, "bob@x/home", "ada@x", "new"))
		r := put(t, p, other, Terms{Existing: Merge})
		if r.Added[PartContacts] != 2 || r.Added[PartRequests] != 1 || r.Added[PartArchived] != 1 || r.Added[PartPrivate] != 1 || r.Added[PartLists] != 1 || len(r.Refused) != 1 || r.Added[PartVCards]+r.Added[PartPasswords]+r.Added[PartPrefs]+r.Added[PartWaiting] != 0 || !r.Changed() {
			t.Errorf("%+v", r)
		}
		after := read(t, p, "ada@x")
		if !reflect.DeepEqual(after.Keys, before.Keys) || string(after.VCard) != string(before.VCard) || after.Prefs != before.Prefs || !after.Disabled {
			t.Errorf("what was there has changed: %+v", after)
		}
		if len(after.Private) != 3 || string(after.Private[0].XML) != "<a xmlns='n'>1</a>" || len(after.Lists.Lists) != 3 || after.Lists.Default != "b" || len(after.Lists.Lists[0].Items) != 2 {
			t.Errorf("private XML %q, lists %+v", after.Private, after.Lists)
		}
		if after.Roster[0].Name != "Bob" || len(after.Roster) != 7 || !slices.Equal(states(after.Roster), []string{"Both", "To + Pending In", "From + Pending In", "None + Pending Out, approved", "None + Pending In", "None", "Both"}) {
			t.Errorf("the roster is %+v: %q", after.Roster, states(after.Roster))
		}
	})
}

func states(items []roster.Item) (out []string) {
	for _, it := range items {
		out = append(out, it.State.String())
	}
	return out
}

// A replacement takes the place of what it has something of, and of nothing
// else. A client with the roster of before gets the whole roster.
func TestReplaceParcel(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		put(t, p, everyPart(t), Terms{})
		book := roster.NewBook(db.Rosters(), roster.Config{})
		old, err := book.Of(t.Context(), "ada@x")
		if err != nil {
			t.Fatal(err)
		}
		bob := &Parcel{Account: "bob@x", Archive: []Letter{letter(1*second, "ada@x/desk", "bob@x", "tea?")}}
		put(t, p, bob, Terms{})
		put(t, p, &Parcel{
			Account: "ada@x", Roster: []roster.Item{{Contact: "bob@x", Name: "Robert", State: roster.Both}}, Offline: []Letter{},
			Archive: []Letter{letter(5*second, "ada@x/desk", "cy@x", "only this")}, Private: []privatexml.Item{{Namespace: "p", XML: []byte("<z xmlns='p'/>")}},
			Lists: &PrivacyParcel{Lists: []PrivacyList{{"b", []privacy.Item{{Order: 1}}}}},
		}, Terms{Existing: Replace})
		got := read(t, p, "ada@x")
		if len(got.Roster) != 1 || got.Roster[0].Name != "Robert" || len(got.Offline) != 0 || len(got.Archive) != 1 || !got.Disabled {
			t.Errorf("it is %+v", got)
		}
		if len(got.Private) != 1 || string(got.Private[0].XML) != "<z xmlns='p'/>" || got.Lists.Default != "" || len(got.Lists.Lists) != 1 || got.Lists.Lists[0].Items[0].Order != 1 {
			t.Errorf("private XML %q, lists %+v", got.Private, got.Lists)
		}
		if len(got.Keys) != 3 || len(got.VCard) == 0 || got.Prefs == "" {
			t.Errorf("what it says nothing about is gone: %+v", got)
		}
		if b := read(t, p, "bob@x"); len(b.Archive) != 1 {
			t.Errorf("bob's archive is %+v", b.Archive)
		}
		book.Forget("ada@x")
		now, err := book.Of(t.Context(), "ada@x")
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := now.Since(old.Version()); ok || now.Version() == old.Version() {
			t.Errorf("a client with version %s is told what has changed up to %s, which nobody knows", old.Version(), now.Version())
		}
		if _, err := book.Set(t.Context(), "ada@x", roster.Edit{Contact: "z@x"}, nil); err != nil {
			t.Errorf("the roster cannot be changed any more: %v", err)
		}
	})
}

// A merge tells a client what has been added, one change at a time.
func TestMergedRosterHasVersions(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		newAccount(t, db, "ada@x")
		book := roster.NewBook(db.Rosters(), roster.Config{})
		for _, c := range []jid.Bare{"a@x", "b@x"} {
			if _, err := book.Set(t.Context(), "ada@x", roster.Edit{Contact: c}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := book.Remove(t.Context(), "ada@x", "b@x", nil); err != nil {
			t.Fatal(err)
		}
		old, _ := book.Of(t.Context(), "ada@x")
		put(t, p, &Parcel{Account: "ada@x", Roster: []roster.Item{{Contact: "b@x", State: roster.To}, {Contact: "c@x"}}}, Terms{Existing: Merge})
		book.Forget("ada@x")
		now, err := book.Of(t.Context(), "ada@x")
		if err != nil {
			t.Fatal(err)
		}
		changes, ok := now.Since(old.Version())
		if !ok || len(changes) != 2 || changes[0].Item.Contact != "b@x" || changes[0].Removed || changes[0].Version == changes[1].Version {
			t.Errorf("since then: %+v, %v", changes, ok)
		}
	})
}

// Both sides of a conversation have a message once, and its place in both
// archives, in whatever order they come.
func TestBothSidesOfAParcel(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		said := []Letter{letter(1*second, "ada@x/desk", "bob@x", "1"), letter(1*second, "bob@x/home", "ada@x/desk", "2"), letter(1*second, "ada@x/desk", "bob@x", "3")}
		alone := letter(1*second, "bob@x/home", "cy@x", "for cy")
		put(t, p, &Parcel{Account: "bob@x", Archive: append([]Letter{alone}, said...)}, Terms{})
		put(t, p, &Parcel{Account: "ada@x", Archive: said}, Terms{})
		if n := count(t, db, "SELECT count(*) FROM archive_message"); n != 4 {
			t.Errorf("%d messages are kept", n)
		}
		if n := count(t, db, "SELECT count(*) FROM archive_message WHERE keepers = 3"); n != 3 {
			t.Errorf("%d of them for both sides", n)
		}
		for who, want := range map[jid.Bare]string{"ada@x": "123", "bob@x": "for cy123"} {
			got := ""
			for _, m := range read(t, p, who).Archive {
				body := strings.TrimSuffix(string(m.Stanza), "</body></message>")
				got += body[strings.LastIndex(body, ">")+1:]
			}
			if got != want {
				t.Errorf("%s has %q", who, got)
			}
		}
		// The same with other words between the tags.
		loose := said[1]
		loose.Stanza = []byte("<message from='bob@x/home' to='ada@x/desk' type='chat'><body>2</body></message>")
		if _, err := db.exec(t.Context(), "archive.put", 7*second, 1, "bob@x/home", "ada@x/desk", []byte(`<message  to="ada@x/desk" type="chat" from="bob@x/home"><body>2</body></message>`)); err != nil {
			t.Fatal(err)
		}
		loose.Stamp = 7 * second
		if r := put(t, p, &Parcel{Account: "ada@x", Archive: []Letter{loose}}, Terms{Existing: Merge}); r.LastArchive != 7*second || r.Added[PartArchived] != 1 {
			t.Errorf("what a client sent in its own way is not known again: %+v", r)
		}
		if err := db.Accounts().Delete(t.Context(), "ada@x"); err != nil {
			t.Fatal(err)
		}
		if n := len(read(t, p, "bob@x").Archive); n != 4 {
			t.Errorf("bob has %d after ada has gone", n)
		}
	})
}

// A parcel in parts is the same as one in one piece.
func TestParcelInParts(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		var all []Letter
		for i := range 7 {
			all = append(all, letter(1*second, "ada@x/desk", "bob@x", fmt.Sprint("same", i/2)))
		}
		for range 2 {
			r := put(t, p, &Parcel{Account: "ada@x", Archive: all[:2], Offline: all[:1]}, Terms{Existing: Merge})
			for i := 2; i < len(all); i++ {
				r = put(t, p, &Parcel{
					Account: "ada@x", More: true, Archive: all[i : i+1], Offline: all[i-1 : i],
					AfterArchive: r.LastArchive, AfterOffline: r.LastOffline,
				}, Terms{Existing: Merge})
			}
			got := read(t, p, "ada@x")
			if len(got.Archive) != 7 || len(got.Offline) != 6 || got.Archive[6].Stamp != 1*second+6 {
				t.Fatalf("there are %d and %d", len(got.Archive), len(got.Offline))
			}
		}
	})
}

func TestParcelWithinLimits(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{MaxItems: 2, MaxRequests: 1})
		r := put(t, p, everyPart(t), Terms{})
		if r.Added[PartContacts] != 2 || r.Added[PartRequests] != 1 || len(r.Refused) != 3 ||
			!strings.Contains(r.Refused[0], "roster.max_items") || !strings.Contains(r.Refused[2], "roster.max_requests") {
			t.Errorf("%+v", r)
		}
	})
}

// While a server runs, what it has not put into the index yet is seen, and what
// moves in is seen at once.
func TestParcelBesideAWriter(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		a, who := conversation(t, db)
		p := db.Portable(a.w, roster.Config{})
		if got := read(t, p, "ada@x").Archive; len(got) != 5 {
			t.Errorf("%d messages are exported", len(got))
		}
		put(t, p, &Parcel{Account: "ada@x", Archive: []Letter{letter(5, "bob@x/home", "ada@x", "before all"), letter(35, "cy@x", "ada@x", "between")}}, Terms{Existing: Merge})
		sameIDs(t, "ada's", everything(t, a, who[0]), 5, 10, 20, 30, 35, 40, 50)
		page, _, err := a.Page(t.Context(), who[0], archive.Filter{With: address("cy@x")}, archive.Cut{Max: 10})
		if err != nil {
			t.Fatal(err)
		}
		sameIDs(t, "with cy", ids(page), 35)
		put(t, p, &Parcel{Account: "ada@x", Archive: []Letter{}}, Terms{Existing: Replace})
		sameIDs(t, "ada's", everything(t, a, who[0]))
		sameIDs(t, "bob's", everything(t, a, who[1]), 10, 20, 50, 60)
	})
}

func TestNamesByDomain(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		for _, who := range []jid.Bare{"b@y", "a@z", "c@y", "a@x"} {
			newAccount(t, db, who)
		}
		names, err := db.Portable(nil, roster.Config{}).Names(t.Context())
		if err != nil || !slices.Equal(names, []jid.Bare{"a@x", "b@y", "c@y", "a@z"}) {
			t.Errorf("%q, %v", names, err)
		}
	})
}

// Who moves in is found by name, like those who were here, and their picture is
// known.
func TestParcelIsFound(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		p := db.Portable(nil, roster.Config{})
		parcel := everyPart(t)
		parcel.Disabled = false
		parcel.VCard = []byte("<vCard xmlns='vcard-temp'><FN>Augusta King</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO></vCard>")
		r := put(t, p, parcel, Terms{})
		terms := []search.Term{{Begins: "augusta", Fields: ^search.Field(0)}}
		list, err := db.Search().Find(t.Context(), "x", terms, 10)
		if err != nil || len(list) != 1 || list[0].JID != "ada@x" {
			t.Errorf("found %+v, %v", list, err)
		}
		if hash, kept, err := db.VCards().Photo(t.Context(), int64(r.ID)); err != nil || !kept || hash != "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d" {
			t.Errorf("the picture is %q, %v, %v", hash, kept, err)
		}
	})
}

// A password of before opens no account of a directory's.
func TestParcelOfSomebodyInADirectory(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		save(t, db, directory.Changes{Create: []directory.Person{ada}}, time.Now())
		p := db.Portable(nil, roster.Config{})
		for _, existing := range []Existing{Merge, Replace} {
			r := put(t, p, everyPart(t), Terms{Existing: existing})
			if r.Added[PartPasswords] != 0 || len(r.Refused) == 0 || !strings.Contains(r.Refused[0], "directory") {
				t.Errorf("%s: %+v", existing, r)
			}
		}
		if got := read(t, p, "ada@x"); len(got.Keys) != 0 || len(got.Roster) != 5 || len(got.Archive) != 4 {
			t.Errorf("it has %d keys, %d contacts, %d messages", len(got.Keys), len(got.Roster), len(got.Archive))
		}
	})
}
