package storage

import (
	"testing"
	"time"

	"rollcall/server/features/lastactivity"
)

func TestLastActivity(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.LastActivity()
		ada, bob := int64(newAccount(t, db, "ada@x")), int64(newAccount(t, db, "bob@x"))
		get := func(who int64, at time.Time, status string) {
			t.Helper()
			l, found, err := s.Left(ctx, who)
			if err != nil || found == at.IsZero() || found && (!l.At.Equal(at) || l.Status != status || l.Account != who) {
				t.Errorf("%d: %+v, %v, %v", who, l, found, err)
			}
		}
		get(ada, time.Time{}, "")
		first, second := time.UnixMicro(1700000000000001), time.UnixMicro(1700000001000000)
		// 4711 was removed meanwhile; the others are kept all the same.
		all := []lastactivity.Left{{Account: ada, At: first, Status: "bye"}, {Account: 4711, At: first}, {Account: bob, At: first}}
		if err := s.SetLeft(ctx, all); err != nil {
			t.Fatal(err)
		}
		get(ada, first, "bye")
		get(bob, first, "")
		get(4711, time.Time{}, "")
		if err := s.SetLeft(ctx, []lastactivity.Left{{Account: ada, At: second}}); err != nil {
			t.Fatal(err)
		}
		get(ada, second, "")
		if err := db.Accounts().Delete(ctx, "ada@x"); err != nil {
			t.Fatal(err)
		}
		get(ada, time.Time{}, "")
		get(bob, first, "")
	})
}
