package storage

import (
	"errors"
	"maps"
	"testing"

	"rollcall/presence"
)

func TestSharing(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Sharing()
		for _, who := range []presence.Subject{"ada@x", "bob@x", "carol@x"} {
			newAccount(t, db, who)
		}
		is := func(want map[presence.Subject]presence.Sharing) {
			t.Helper()
			got := map[presence.Subject]presence.Sharing{}
			err := s.Sharings(ctx, func(who presence.Subject, choice presence.Sharing) error {
				got[who] = choice
				return nil
			})
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("%v, %v; want %v", got, err, want)
			}
		}
		set := func(who presence.Subject, choice presence.Sharing) {
			t.Helper()
			if err := s.SetSharing(ctx, who, choice); err != nil {
				t.Error(err)
			}
		}
		is(map[presence.Subject]presence.Sharing{})
		set("ada@x", presence.ShareNothing)
		set("bob@x", presence.ShareBusyOnly)
		set("carol@x", presence.ShareNothing)
		set("carol@x", presence.SharePhone)
		is(map[presence.Subject]presence.Sharing{"ada@x": presence.ShareNothing, "bob@x": presence.ShareBusyOnly, "carol@x": presence.SharePhone})
		if err := s.SetSharing(ctx, "nobody@x", presence.ShareNothing); !errors.Is(err, ErrNoAccount) {
			t.Errorf("of nobody: %v", err)
		}
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		newAccount(t, db, "ada@x") // who comes after her has chosen nothing
		is(map[presence.Subject]presence.Sharing{"bob@x": presence.ShareBusyOnly, "carol@x": presence.SharePhone})
		if _, err := db.exec(ctx, "sharing.put", "bob@x", "sometimes"); err != nil {
			t.Fatal(err)
		}
		is(map[presence.Subject]presence.Sharing{"bob@x": presence.ShareNothing, "carol@x": presence.SharePhone})
	})
}
