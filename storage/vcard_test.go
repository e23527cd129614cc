package storage

import "testing"

// A picture's hash is made when the vCard is set, and that of an older vCard
// when it is first asked for.
func TestPhoto(t *testing.T) {
	const card, hash = "<vCard xmlns='vcard-temp'><PHOTO><BINVAL>YWJj</BINVAL></PHOTO></vCard>", "a9993e364706816aba3e25717850c26c9cd0d89d"
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.VCards()
		ada := int64(newAccount(t, db, "ada@x"))
		photo := func(want string, kept bool) {
			t.Helper()
			if got, there, err := s.Photo(ctx, ada); got != want || there != kept || err != nil {
				t.Errorf("%q, %v, %v, want %q, %v", got, there, err, want, kept)
			}
		}
		set := func(xml string) {
			t.Helper()
			if err := s.Set(ctx, "ada@x", []byte(xml)); err != nil {
				t.Fatal(err)
			}
		}
		photo("", false)
		set(card)
		photo(hash, true)
		set("")
		photo("", true)
		set("<vCard xmlns='vcard-temp'><FN>Ada</FN></vCard>")
		photo("", true)
		set(card)
		if _, err := db.write.ExecContext(ctx, "UPDATE vcard SET photo = '?'"); err != nil {
			t.Fatal(err)
		}
		photo(hash, true)
		var kept string
		if _, err := db.one(ctx, "vcard.photo", []any{ada}, &kept); err != nil || kept != hash {
			t.Errorf("it is not kept: %q, %v", kept, err)
		}
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		photo("", false)
	})
}
