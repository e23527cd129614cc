package storage

import (
	"errors"
	"testing"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// verifies says whether the account has keys that the password makes.
func verifies(t *testing.T, db *DB, who jid.Bare, password string) bool {
	t.Helper()
	for _, h := range sasl.Hashes() {
		kept, found, err := db.Accounts().Keys(t.Context(), who, h)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return false
		}
		made, err := sasl.Derive(h, password, kept.Salt, kept.Iterations)
		if err != nil {
			t.Fatal(err)
		}
		if string(made.StoredKey) != string(kept.StoredKey) || string(made.ServerKey) != string(kept.ServerKey) {
			return false
		}
	}
	return true
}

func TestRegistrations(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, r := t.Context(), db.Registrations(sasl.MinIterations)
		if err := r.Create(ctx, "ada@x", "analytical"); err != nil {
			t.Fatal(err)
		}
		if !verifies(t, db, "ada@x", "analytical") {
			t.Error("the new account does not have its password")
		}
		if err := r.Create(ctx, "ada@x", "another one"); !errors.Is(err, ErrExists) {
			t.Errorf("made again: %v", err)
		}
		if err := r.Create(ctx, "eve@x", "ring\u0007ring"); !errors.Is(err, sasl.ErrPassword) {
			t.Errorf("with a password that cannot be typed: %v", err)
		}
		if err := r.SetPassword(ctx, "ada@x", "difference"); err != nil {
			t.Fatal(err)
		}
		if verifies(t, db, "ada@x", "analytical") || !verifies(t, db, "ada@x", "difference") {
			t.Error("the password was not changed")
		}
		if err := r.SetPassword(ctx, "eve@x", "difference"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("the password of nobody: %v", err)
		}
		if err := r.Remove(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		if found, err := db.Accounts().Exists(ctx, "ada@x"); found || err != nil {
			t.Errorf("removed, and there: %v, %v", found, err)
		}
	})
}
