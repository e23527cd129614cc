package storage

import (
	"slices"
	"testing"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// What a roster set may hold comes back from the database as it was, however
// rows are joined into one text on the way.
func FuzzRosterItem(f *testing.F) {
	f.Add("bob@example.org", "Bob", "Friends", "Work")
	f.Add("bob@example.org", "", "", "")
	f.Add("b\u00fccher.example", "\"'\\<&>", `["a"]`, "\t\n")
	f.Add("x", "a\x1fb\x1ec", "\x00", "\xff")
	db := openEmpty(f, Config{Path: Memory})
	if _, err := db.Migrate(f.Context()); err != nil {
		f.Fatal(err)
	}
	newAccount(f, db, "ada@x")
	book := roster.NewBook(db.Rosters(), roster.Config{})
	f.Fuzz(func(t *testing.T, contact, name, group1, group2 string) {
		who, err := jid.Parse(contact)
		if err != nil {
			return
		}
		e := roster.Edit{Contact: who.Bare(), Name: name}
		for _, g := range []string{group1, group2} {
			if g != "" {
				e.Groups = append(e.Groups, g)
			}
		}
		if _, err := book.Set(t.Context(), "ada@x", e, nil); err != nil {
			if (roster.Config{}).Check("ada@x", e) == nil {
				t.Fatalf("%+v is fine and was not kept: %v", e, err)
			}
			return
		}
		c, err := db.Rosters().LoadRoster(t.Context(), "ada@x")
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Items) != 1 || c.Items[0].Contact != e.Contact || c.Items[0].Name != name || !slices.Equal(c.Items[0].Groups, e.Groups) {
			t.Errorf("%+v comes back as %+v", e, c.Items)
		}
		if _, err := book.Remove(t.Context(), "ada@x", e.Contact, nil); err != nil {
			t.Fatal(err)
		}
	})
}

// Rows that are not ours give an error, never a panic or a wrong item.
func FuzzParseItems(f *testing.F) {
	f.Add("a@x\x1fA\x1f[\"g\"]\x1f3\x1f7\x1f1\x1f[\"h\"]\x1eb@x\x1f\x1f\x1f0\x1f1\x1f0\x1f")
	f.Add("a@x\x1f\x1fnull\x1f255\x1f99999999999\x1f0\x1f")
	f.Add("a@x\x1f\x1f\x1f0\x1f1\x1f2\x1f")
	f.Add("\x1e\x1f")
	f.Fuzz(func(t *testing.T, text string) {
		items, err := parseItems(text)
		if err == nil && text != "" && len(items) == 0 {
			t.Error("items were lost")
		}
		for _, it := range items {
			if it.State&^stored != 0 {
				t.Errorf("state %d", it.State)
			}
		}
		if gone, err := parseTombstones(text); err == nil && text != "" && len(gone) == 0 {
			t.Error("tombstones were lost")
		}
	})
}
