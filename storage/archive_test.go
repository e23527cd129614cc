package storage

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"rollcall/server/features/archive"
	"rollcall/xmpp/jid"
)

var (
	_ archive.Store   = (*Archive)(nil)
	_ archive.Book    = (*Archive)(nil)
	_ archive.Sweeper = (*Archive)(nil)
)

// conversation writes what ada, bob and cleo say to each other; ids are tens.
func conversation(t *testing.T, db *DB) (a *Archive, who []int64) {
	t.Helper()
	who = people(t, db, "ada@x", "bob@x", "cleo@x", "dan@x")
	w, _ := running(t, db, newTold())
	for i, k := range [][2]string{
		{"ada@x/desk", "bob@x"},       // 10
		{"bob@x/home", "ada@x/desk"},  // 20
		{"ada@x/desk", "cleo@x/hall"}, // 30
		{"ada@x/desk", "ada@x"},       // 40
		{"bob@x/home/2", "ada@x"},     // 50
		{"bob@x", "cleo@x"},           // 60
	} {
		owner := map[string]int64{"ada": who[0], "bob": who[1], "cle": who[2]}
		w.Keep(message(int64(i+1)*10, owner[k[0][:3]], owner[k[1][:3]], k[0], k[1]))
	}
	return db.Archive(w), who
}

func ids(page []archive.Message) (out []int64) {
	for _, m := range page {
		out = append(out, m.ID)
	}
	return out
}

func TestArchivePage(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		a, who := conversation(t, db)
		for _, c := range []struct {
			what  string
			owner int64
			f     archive.Filter
			cut   archive.Cut
			more  bool
			want  []int64
		}{
			{"all of ada's", who[0], archive.Filter{}, archive.Cut{Max: 10}, false, []int64{10, 20, 30, 40, 50}},
			{"all of bob's", who[1], archive.Filter{}, archive.Cut{Max: 10}, false, []int64{10, 20, 50, 60}},
			{"dan's", who[3], archive.Filter{}, archive.Cut{Max: 10}, false, nil},
			{"the first two", who[0], archive.Filter{}, archive.Cut{Max: 2}, true, []int64{10, 20}},
			{"the last two", who[0], archive.Filter{}, archive.Cut{Max: 2, Backward: true}, true, []int64{50, 40}},
			{"exactly all", who[0], archive.Filter{}, archive.Cut{Max: 5}, false, []int64{10, 20, 30, 40, 50}},
			{"between", who[0], archive.Filter{After: 10, Before: 50}, archive.Cut{Max: 10}, false, []int64{20, 30, 40}},
			{"skipping", who[0], archive.Filter{}, archive.Cut{Max: 1, Skip: 3}, true, []int64{40}},
			{"beyond", who[0], archive.Filter{}, archive.Cut{Max: 1, Skip: 9}, false, nil},
			{"few bytes", who[0], archive.Filter{}, archive.Cut{Max: 10, Bytes: 1}, true, []int64{10}},
			{"with bob", who[0], archive.Filter{With: address("bob@x")}, archive.Cut{Max: 10}, false, []int64{10, 20, 50}},
			{"with bob, backward", who[0], archive.Filter{With: address("bob@x"), Before: 50}, archive.Cut{Max: 1, Backward: true}, true, []int64{20}},
			{"with bob at home", who[0], archive.Filter{With: address("bob@x/home")}, archive.Cut{Max: 10}, false, []int64{20}},
			{"with bob nowhere", who[0], archive.Filter{With: address("bob@x/car")}, archive.Cut{Max: 10}, false, nil},
			{"with a beginning of a name", who[0], archive.Filter{With: address("bo@x")}, archive.Cut{Max: 10}, false, nil},
			{"with herself", who[0], archive.Filter{With: address("ada@x")}, archive.Cut{Max: 10}, false, []int64{40}},
			{"with dan", who[0], archive.Filter{With: address("dan@x")}, archive.Cut{Max: 10}, false, nil},
		} {
			page, more, err := a.Page(t.Context(), c.owner, c.f, c.cut)
			if err != nil || more != c.more {
				t.Errorf("%s: more %v, %v", c.what, more, err)
			}
			sameIDs(t, c.what, ids(page), c.want...)
			whole := c.f
			n, err := a.Count(t.Context(), c.owner, whole, 100)
			all, _, err2 := a.Page(t.Context(), c.owner, whole, archive.Cut{Max: 100})
			if err != nil || err2 != nil || n != len(all) {
				t.Errorf("%s: counted %d of %d, %v, %v", c.what, n, len(all), err, err2)
			}
		}
		if n, err := a.Count(t.Context(), who[0], archive.Filter{}, 3); n != 3 || err != nil {
			t.Errorf("counted %d of at most 3, %v", n, err)
		}
		page, err := a.Pick(t.Context(), who[0], []int64{60, 50, 10, 10, 11})
		if err != nil {
			t.Fatal(err)
		}
		sameIDs(t, "picked", ids(page), 10, 50)
		if m := page[0]; m.From != "ada@x/desk" || m.To != "bob@x" ||
			string(m.Stanza) != "<message from='ada@x/desk' to='bob@x' type='chat'><body>10</body></message>" {
			t.Errorf("it is %+v", m)
		}
	})
}

func TestArchivePrefs(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		a, who := conversation(t, db)
		if v, found, err := a.Prefs(t.Context(), who[0]); found || err != nil {
			t.Errorf("%q, %v, %v", v, found, err)
		}
		for _, want := range []string{`{"default":"never"}`, `{"default":"roster"}`} {
			if err := a.SetPrefs(t.Context(), who[0], want); err != nil {
				t.Fatal(err)
			}
			if v, found, err := a.Prefs(t.Context(), who[0]); v != want || !found || err != nil {
				t.Errorf("%q, %v, %v", v, found, err)
			}
		}
		if err := a.SetPrefs(t.Context(), 1<<40, "{}"); !errors.Is(err, ErrNoAccount) {
			t.Errorf("for nobody: %v", err)
		}
	})
}

func TestArchiveSweep(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		a, who := conversation(t, db)
		everything(t, a, who[0]) // so that all is in the index
		n, err := a.Sweep(t.Context(), 40)
		if n != 3 || err != nil {
			t.Errorf("%d removed, %v", n, err)
		}
		sameIDs(t, "ada's", everything(t, a, who[0]), 40, 50)
		sameIDs(t, "bob's", everything(t, a, who[1]), 50, 60)
		sameIDs(t, "cleo's", everything(t, a, who[2]), 60)
		if n := count(t, db, "SELECT count(*) FROM archive_index WHERE id < 40"); n != 0 {
			t.Errorf("%d index rows are left", n)
		}
	})
}

// What is deleted with an account stays deleted, even if it was not indexed.
func TestArchiveOfDeletedAccount(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		a, who := conversation(t, db)
		for _, name := range []jid.Bare{"bob@x", "cleo@x"} {
			if err := db.Accounts().Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		sameIDs(t, "ada's", everything(t, a, who[0]), 10, 20, 30, 40, 50)
	})
}

func TestOffline(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		who := people(t, db, "ada@x", "bob@x")
		w, _ := running(t, db, newTold())
		s := db.Offline(w)
		for id := int64(1); id <= 7; id++ {
			k := message(id, 0, who[id%2], "cleo@x/hall", "ada@x")
			k.Sender, k.Recipient, k.Offline = false, false, true
			if id == 3 {
				k.ID, k.Since = 1000, time.UnixMicro(2)
			}
			w.Keep(k)
		}
		if !settle(t, w, 7) {
			t.Fatal("not stored")
		}
		page, more, err := s.Page(t.Context(), who[1], 0, 3, 1<<20)
		if err != nil || !more {
			t.Errorf("more %v, %v", more, err)
		}
		if got := fmt.Sprint(page[0].ID, page[1].ID, page[2].ID); got != "1 5 7" {
			t.Errorf("the first page: %s", got)
		}
		page, more, err = s.Page(t.Context(), who[1], 7, 3, 1<<20)
		if err != nil || more || len(page) != 1 || page[0].ID != 1000 || page[0].Stored != 2 {
			t.Errorf("the second page: %v, %v, %v", page, more, err)
		}
		page, more, err = s.Page(t.Context(), who[1], 0, 10, 1)
		if err != nil || !more || len(page) != 1 {
			t.Errorf("few bytes: %d, %v, %v", len(page), more, err)
		}
		gone := map[int64]int{}
		if err := s.Expire(t.Context(), 6, func(account int64, n int) { gone[account] += n }); err != nil {
			t.Fatal(err)
		}
		if gone[who[0]] != 2 || gone[who[1]] != 2 {
			t.Errorf("expired: %v", gone)
		}
		for i, want := range []int{1, 2} {
			if n, err := s.Count(t.Context(), who[i]); n != want || err != nil {
				t.Errorf("%d left, want %d, %v", n, want, err)
			}
		}
	})
}
