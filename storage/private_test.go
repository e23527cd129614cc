package storage

import (
	"errors"
	"strings"
	"testing"

	"rollcall/server/features/privatexml"
	"rollcall/xmpp/stanza"
)

func TestPrivate(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Private()
		ada, bob := int64(newAccount(t, db, "ada@x")), int64(newAccount(t, db, "bob@x"))
		get := func(who int64, namespace, want string) {
			t.Helper()
			if got, err := s.Get(ctx, who, namespace); err != nil || string(got) != want {
				t.Errorf("%s of %d is %q, %v, want %q", namespace, who, got, err, want)
			}
		}
		set := func(most int, pairs ...string) error {
			var put []privatexml.Item
			for i := 0; i+1 < len(pairs); i += 2 {
				put = append(put, privatexml.Item{Namespace: pairs[i], XML: []byte(pairs[i+1])})
			}
			return s.Set(ctx, ada, put, most)
		}
		get(ada, "a", "")
		if err := set(100, "a", "<x xmlns='a'/>", "b", "<y xmlns='b'/>"); err != nil {
			t.Fatal(err)
		}
		get(ada, "a", "<x xmlns='a'/>")
		get(ada, "b", "<y xmlns='b'/>")
		get(bob, "a", "")
		if err := set(100, "a", "<z xmlns='a'/>", "b", ""); err != nil {
			t.Fatal(err)
		}
		get(ada, "a", "<z xmlns='a'/>")
		get(ada, "b", "")
		// 15 bytes are there; a name counts, in bytes.
		if err := set(15+2+10, "é", strings.Repeat("x", 10)); err != nil {
			t.Errorf("refused where there is room: %v", err)
		}
		err := set(15+2+9, "c", "y", "é", strings.Repeat("x", 10))
		if !errors.Is(err, privatexml.ErrFull) || !errors.Is(err, stanza.ErrResourceConstraint) {
			t.Errorf("with no room: %v", err)
		}
		get(ada, "c", "") // all or none
		if err := s.Set(ctx, 4711, []privatexml.Item{{Namespace: "a", XML: []byte("x")}}, 100); !errors.Is(err, ErrNoAccount) {
			t.Errorf("kept for nobody: %v", err)
		}
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		get(ada, "a", "")
		get(ada, "é", "")
	})
}
