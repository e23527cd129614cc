package storage

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/server/features/search"
	"rollcall/xmpp/jid"
)

// found is who has terms such as "ada:1", a beginning and the fields.
func found(t *testing.T, db *DB, most int, terms ...string) string {
	t.Helper()
	var list []search.Term
	for _, x := range terms {
		var term search.Term
		begins, fields, _ := strings.Cut(x, ":")
		if _, err := fmt.Sscan(fields, &term.Fields); err != nil {
			t.Fatal(err)
		}
		term.Begins = begins
		list = append(list, term)
	}
	all, err := db.Search().Find(t.Context(), "x", list, most)
	if err != nil {
		t.Fatal(err)
	}
	var who []string
	for _, x := range all {
		who = append(who, x.JID.Local())
	}
	return strings.Join(who, " ")
}

const anyField = ":255"

func TestSearch(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		for who, card := range map[jid.Bare]string{
			"ada@x":   "<FN>Ada Lovelace</FN><N><GIVEN>Ada</GIVEN><FAMILY>Lovelace</FAMILY></N><NICKNAME>Countess</NICKNAME><EMAIL><USERID>ada@analytical.example</USERID></EMAIL>",
			"adam@x":  "<FN>Adam Łoziński</FN><ORG><ORGNAME>X</ORGNAME><ORGUNIT>Night Shift</ORGUNIT></ORG>",
			"bob@x":   "<N><GIVEN>Bob</GIVEN><FAMILY>Adams</FAMILY></N>",
			"eve@x":   "<FN>Ada Eve</FN><CLASS><PRIVATE/></CLASS>",
			"ada@y":   "<FN>Ada Elsewhere</FN>",
			"ada.x@x": "",
		} {
			newAccount(t, db, who)
			if card == "" {
				continue
			}
			if err := db.VCards().Set(ctx, who, []byte("<vCard xmlns='vcard-temp'>"+card+"</vCard>")); err != nil {
				t.Fatal(err)
			}
		}
		given, family := fmt.Sprintf(":%d", search.Given|search.Whole), fmt.Sprintf(":%d", search.Family|search.Whole)
		for terms, want := range map[string]string{
			"ada" + anyField:                         "ada.x ada adam bob",
			"ad" + given:                             "ada adam",
			"ad" + family:                            "adam bob", // adam has no parts of a name
			"lozin" + family:                         "adam",
			"ozin" + family:                          "", // the beginning of a word
			"ada" + given + " love" + family:         "ada",
			"ada" + given + " adams" + family:        "",
			"analytical" + anyField:                  "ada",
			"night" + anyField + " shift" + anyField: "adam",
			"a:255 l:255 c:255 ad:255 ada:255":       "ada",
			"a:255 l:255 c:255 ad:255 adam:255":      "",
			"%" + anyField:                           "",
			"_da" + anyField:                         "",
			"eve" + anyField:                         "", // private
			"x" + anyField:                           "ada.x",
		} {
			if got := found(t, db, 10, strings.Fields(terms)...); got != want {
				t.Errorf("%s: %q, want %q", terms, got, want)
			}
		}
		if got := found(t, db, 2, "ada"+anyField); got != "ada.x ada" {
			t.Errorf("the first two are %q", got)
		}
		if got := found(t, db, 2); got != "" {
			t.Errorf("without terms %q is found", got)
		}
		all, err := db.Search().Find(ctx, "x", []search.Term{{Begins: "countess", Fields: search.Nick}}, 1)
		want := search.Card{Name: "Ada Lovelace", Given: "Ada", Family: "Lovelace", Nick: "Countess", Email: "ada@analytical.example"}
		if err != nil || len(all) != 1 || all[0].Card != want {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// What people are found by follows their vCards and their accounts.
func TestSearchFollows(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		newAccount(t, db, "ada@x")
		set := func(card string) {
			t.Helper()
			if err := db.VCards().Set(ctx, "ada@x", []byte(card)); err != nil {
				t.Fatal(err)
			}
		}
		is := func(word, want string) {
			t.Helper()
			if got := found(t, db, 10, word+anyField); got != want {
				t.Errorf("%s is %q, want %q", word, got, want)
			}
		}
		is("ada", "ada")
		set("<vCard xmlns='vcard-temp'><FN>Byron</FN></vCard>")
		is("byron", "ada")
		set("<vCard xmlns='vcard-temp'><FN>Lovelace</FN></vCard>")
		is("byron", "")
		is("lovelace", "ada")
		set("")
		is("lovelace", "")
		is("ada", "ada")
		if err := db.Accounts().Disable(ctx, "ada@x", true); err != nil {
			t.Fatal(err)
		}
		is("ada", "")
		if err := db.Accounts().Disable(ctx, "ada@x", false); err != nil {
			t.Fatal(err)
		}
		is("ada", "ada")
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		is("ada", "")
	})
}

// Those whom nobody has described, or by other rules, are described; the others
// are left alone.
func TestSearchFill(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx := t.Context()
		for n := range 5 {
			who := jid.Bare(fmt.Sprintf("person%d@x", n))
			newAccount(t, db, who)
			if err := db.VCards().Set(ctx, who, fmt.Appendf(nil, "<vCard xmlns='vcard-temp'><FN>Name%d</FN></vCard>", n)); err != nil {
				t.Fatal(err)
			}
		}
		fill := func(most, want int) {
			t.Helper()
			if n, err := db.Search().Fill(ctx, most); n != want || err != nil {
				t.Errorf("%d were described, %v, want %d", n, err, want)
			}
		}
		exec := func(query string) {
			t.Helper()
			if _, err := db.write.ExecContext(ctx, query); err != nil {
				t.Fatal(err)
			}
		}
		fill(10, 0)
		exec("DELETE FROM search_word")
		exec("DELETE FROM search_entry WHERE domain = 'x'")
		if got := found(t, db, 10, "name"+anyField); got != "" {
			t.Errorf("found %q", got)
		}
		fill(3, 3)
		fill(3, 2)
		fill(3, 0)
		if got := found(t, db, 10, "name"+anyField); got != "person0 person1 person2 person3 person4" {
			t.Errorf("found %q", got)
		}
		exec("UPDATE search_entry SET version = 0, name = 'old'")
		fill(10, 5)
		// Somebody was faster: what they have put there stays.
		err := db.tx(ctx, "be late", func(tx *tx) error {
			id, err := tx.account(ctx, "person0@x")
			if err != nil {
				return err
			}
			return tx.describe(ctx, "search.fill", id, "person0@x", nil)
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := found(t, db, 10, "name0"+anyField); got != "person0" {
			t.Errorf("found %q", got)
		}
	})
}
