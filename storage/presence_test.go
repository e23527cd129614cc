package storage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/presence"
)

var (
	morning = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	at      = func(minutes int) time.Time { return morning.Add(time.Duration(minutes) * time.Minute) }
)

// everythingSaid has all that a contribution can have.
func everythingSaid() []presence.Contribution {
	return []presence.Contribution{
		{Source: "client/desk", Axis: presence.Willingness, State: "available", Channels: presence.Chat | presence.Mobile,
			Since: at(1), Expires: at(60), Facets: presence.Facets{Text: "tea <\"\\ & \u2028 \x00\n\t☕", Priority: -5, Idle: at(2), Messages: 65535}},
		{Source: "phone/2001", Axis: presence.Engagement, State: "on_call", Since: at(3).Add(time.Microsecond), Expires: at(61), Lapse: "unknown",
			Facets: presence.Facets{Device: "Desk phone", Counterpart: "sip:bob@y", Inbound: true, Ref: "1@z", Until: at(5), Cause: "c"}},
	}
}

func load(t testing.TB, s *Presence) (presence.Start, map[presence.Subject]presence.Record) {
	t.Helper()
	got := map[presence.Subject]presence.Record{}
	start, err := s.Load(t.Context(), func(r presence.Record) error {
		if _, twice := got[r.Subject]; twice {
			t.Errorf("%s was loaded twice", r.Subject)
		}
		got[r.Subject] = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return start, got
}

func keepAll(t testing.TB, s *Presence, b presence.Batch) {
	t.Helper()
	if err := s.Save(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
}

func TestPresence(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := db.Presence()
		start, got := load(t, s)
		if start != (presence.Start{Epoch: 1}) || len(got) != 0 {
			t.Errorf("an empty database: %+v, %v", start, got)
		}
		ada := presence.Record{Subject: "ada@x", Version: 1<<40 + 7, State: "on_call", Since: at(3), Last: 12, Said: everythingSaid()}
		door := presence.Record{Subject: "door@phones.x", Kind: presence.Device, Said: []presence.Contribution{}}
		keepAll(t, s, presence.Batch{Alive: at(4), Records: []presence.Record{ada, door}})
		bob := presence.Record{Subject: "bob@x", State: "dnd", Since: at(1), Said: everythingSaid()[:1]}
		ada.State = "odd\tstate\n"
		keepAll(t, s, presence.Batch{Records: []presence.Record{bob, ada}, Gone: []presence.Subject{"door@phones.x", "eve@x"}})
		keepAll(t, s, presence.Batch{Alive: at(2)}) // a clock that went back
		ada.State = "odd state "
		for range 2 {
			start, got = load(t, db.Presence())
			want := map[presence.Subject]presence.Record{"ada@x": ada, "bob@x": bob}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		}
		if start != (presence.Start{Epoch: 3, Alive: at(4)}) {
			t.Errorf("%+v", start)
		}
		// Who is gone and there again in one batch is there.
		keepAll(t, s, presence.Batch{Records: []presence.Record{bob}, Gone: []presence.Subject{"bob@x"}})
		if _, got := load(t, s); len(got) != 2 {
			t.Errorf("%v", got)
		}
	})
}

// However the log grows and is emptied, the last word on each subject counts.
func TestPresenceLog(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := db.Presence()
		want := map[presence.Subject]string{}
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 60 {
			var b presence.Batch
			seen := map[presence.Subject]bool{}
			for range random.IntN(20) {
				subject := presence.Subject(fmt.Sprintf("s%d@x", random.IntN(40)))
				if seen[subject] {
					continue
				}
				if seen[subject] = true; random.IntN(4) == 0 {
					b.Gone = append(b.Gone, subject)
					delete(want, subject)
					continue
				}
				want[subject] = fmt.Sprint(i)
				b.Records = append(b.Records, presence.Record{Subject: subject, State: want[subject]})
			}
			if i%17 == 0 {
				s.logged = logMost // as if there were so many
			}
			keepAll(t, s, b)
			if n := count(t, db, "SELECT count(*) FROM presence_log"); i%17 == 0 && n != 0 {
				t.Errorf("%d rows are left in the log that was full", n)
			}
			if i%7 == 0 {
				if err := s.settle(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, got := load(t, s)
		states := map[presence.Subject]string{}
		for subject, r := range got {
			states[subject] = r.State
		}
		if diff := cmp.Diff(want, states); diff != "" {
			t.Error(diff)
		}
		if n := count(t, db, "SELECT count(*) FROM presence_log"); n != 0 {
			t.Errorf("%d rows are left in the log", n)
		}
	})
}

// A line that is not whole is an error, and nothing is lost by it.
func TestPresenceLogBroken(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := db.Presence()
		for _, line := range []string{"ada@x\t0\t1\tidle\n", "ada@x\t0\tone\tidle\t0\t0\t[]\n"} {
			if _, err := db.exec(t.Context(), "presence.append", line); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Load(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "ada@x") {
				t.Errorf("%q: %v", line, err)
			}
			if _, err := db.exec(t.Context(), "presence.clear"); err != nil {
				t.Fatal(err)
			}
		}
		keepAll(t, s, presence.Batch{Records: []presence.Record{{Subject: "ada@x"}}})
		if err := s.settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := db.write.Exec("UPDATE presence_subject SET said = 'nonsense'"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Load(t.Context(), nil); err == nil {
			t.Error("nonsense was read")
		}
	})
}

// journalled keeps ten changes each of ada and bob, from minute 0 on, one after the
// other: s0 to s1 at 0, s1 to s2 at 1, and so on.
func journalled(t testing.TB, s *Presence) (all []presence.Entry) {
	last := map[presence.Subject]int64{}
	for i := range 10 {
		var b presence.Batch
		for j, subject := range []presence.Subject{"ada@x", "bob@x"} {
			e := presence.Entry{
				ID: at(i).UnixMicro() + int64(j), Prev: last[subject], Subject: subject, Kind: presence.Kind(j),
				From: fmt.Sprint("s", i), To: fmt.Sprint("s", i+1), Source: "client/desk", Cause: "reported", Since: at(i - 1), Until: at(i + 1),
			}
			if i == 0 {
				e.From = ""
			}
			last[subject] = e.ID
			all = append(all, e)
			b.Journal = append(b.Journal, e)
			b.Records = append(b.Records, presence.Record{Subject: subject, State: e.To, Since: e.Since, Last: e.ID})
		}
		keepAll(t, s, b)
	}
	return all
}

func TestPresenceJournal(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Presence()
		all := journalled(t, s)
		if start, _ := load(t, s); start.Entry != all[19].ID {
			t.Errorf("the last id is %d", start.Entry)
		}
		slices.Reverse(all)
		of := func(subject presence.Subject) (out []presence.Entry) {
			for _, e := range all {
				if e.Subject == subject {
					out = append(out, e)
				}
			}
			return out
		}
		ada := of("ada@x")
		for _, c := range []struct {
			what string
			q    presence.Query
			want []presence.Entry
		}{
			{"all", presence.Query{Limit: 50}, all},
			{"the newest of all", presence.Query{Limit: 3}, all[:3]},
			{"some time of all", presence.Query{Since: at(3), Before: at(5), Limit: 50}, all[10:14]},
			{"older ones of all", presence.Query{Older: all[2].ID, Limit: 2}, all[3:5]},
			{"ada", presence.Query{Subject: "ada@x", Limit: 50}, ada},
			{"bob", presence.Query{Subject: "bob@x", Limit: 50}, of("bob@x")},
			{"a page of ada", presence.Query{Subject: "ada@x", Limit: 3}, ada[:3]},
			{"the next page of ada", presence.Query{Subject: "ada@x", Limit: 3, Older: ada[2].ID}, ada[3:6]},
			{"some time of ada", presence.Query{Subject: "ada@x", Since: at(2), Before: at(6), Limit: 50}, ada[4:8]},
			{"a page of some time of ada", presence.Query{Subject: "ada@x", Since: at(2), Before: at(6), Limit: 2}, ada[4:6]},
			{"the next page of some time of ada", presence.Query{Subject: "ada@x", Since: at(2), Before: at(6), Limit: 5, Older: ada[5].ID}, ada[6:8]},
			{"before all", presence.Query{Subject: "ada@x", Before: at(0), Limit: 5}, nil},
			{"after all", presence.Query{Subject: "ada@x", Since: at(10), Limit: 5}, nil},
			{"nobody", presence.Query{Subject: "eve@x", Limit: 5}, nil},
		} {
			got, err := s.Entries(ctx, c.q)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s: %v %s", c.what, err, diff)
			}
		}
	})
}

func TestPresenceAt(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		ctx, s := t.Context(), db.Presence()
		journalled(t, s)
		check := func(what string, subject presence.Subject, when time.Time, want string) {
			t.Helper()
			e, found, err := s.At(ctx, subject, when)
			if err != nil || found != (want != "") || found && (e.To != want || e.Subject != subject) {
				t.Errorf("%s: %s was %q, %v, %v; want %q", what, subject, e.To, found, err, want)
			}
		}
		always := func(what string) {
			check(what, "ada@x", at(5), "s6")
			check(what, "ada@x", at(6).Add(-time.Microsecond), "s6")
			check(what, "ada@x", at(9), "s10")
			check(what, "ada@x", at(1000), "s10")
			check(what, "bob@x", at(5).Add(time.Microsecond), "s6")
			check(what, "eve@x", at(5), "")
		}
		always("whole")
		check("whole", "ada@x", at(0), "s1")
		check("whole", "ada@x", at(-1), "")

		if n, err := s.Expire(ctx, at(5), 4); n != 4 || err != nil {
			t.Errorf("%d were removed, %v", n, err)
		}
		check("swept in part", "ada@x", at(1), "s2")
		if n, err := s.Expire(ctx, at(5), 100); n != 6 || err != nil {
			t.Errorf("%d were removed, %v", n, err)
		}
		always("swept")
		// The state at minute 4 is what the entry of minute 5 says there was.
		check("swept", "ada@x", at(4), "s5")
		if got, err := s.Entries(ctx, presence.Query{Subject: "ada@x", Limit: 50}); len(got) != 5 || err != nil {
			t.Errorf("%d are left, %v", len(got), err)
		}

		keepAll(t, s, presence.Batch{Gone: []presence.Subject{"bob@x"}})
		check("forgotten", "bob@x", at(7), "s7")
		check("forgotten", "bob@x", at(8), "s8")
		if got, err := s.Entries(ctx, presence.Query{Subject: "bob@x", Limit: 3}); len(got) != 3 || err != nil {
			t.Errorf("%d of who was forgotten, %v", len(got), err)
		}

		if n, err := s.Expire(ctx, at(1000), 100); n != 10 || err != nil {
			t.Errorf("%d were removed, %v", n, err)
		}
		check("all swept", "ada@x", at(9), "s10")
		check("all swept", "ada@x", at(8), "")
		check("all swept", "bob@x", at(9), "")
	})
}

// The engine's own restart, with a real store: the same states, newer versions.
func TestPresenceEngine(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		run := func(do func(e *presence.Engine)) {
			s := db.Presence()
			e := presence.NewEngine(presence.Options{Store: s, Journal: s, Volatile: []string{"client/"}, Config: presence.EngineConfig{Barrier: time.Minute}})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			if err := e.Load(ctx); err != nil {
				t.Fatal(err)
			}
			go func() { ended <- e.Run(ctx) }()
			do(e)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		var before *presence.Effective
		run(func(e *presence.Engine) {
			w := e.Watch()
			cs := everythingSaid()
			cs[0].Expires, cs[1].Expires, cs[1].Facets.Until = time.Now().Add(time.Hour), time.Now().Add(time.Hour), time.Time{}
			for i := range cs {
				if err := e.Report("ada@x", presence.Person, cs[i].Source, cs[i:i+1]); err != nil {
					t.Fatal(err)
				}
			}
			for before == nil || len(before.All) < 2 {
				if _, err := w.Next(t.Context()); err != nil {
					t.Fatal(err)
				}
				before = e.State("ada@x")
			}
			got, err := e.Entries(t.Context(), presence.Query{Subject: "ada@x", Limit: 5})
			if err != nil || len(got) == 0 || got[0].To != "on_call" {
				t.Errorf("%+v, %v", got, err)
			}
		})
		run(func(e *presence.Engine) {
			after := e.State("ada@x")
			if after.State != "on_call" || !after.Stale || after.Version <= before.Version || !after.Since.Equal(before.Since) {
				t.Errorf("%+v after %+v", after, before)
			}
			if got := after.All[1].Facets; got != before.All[1].Facets {
				t.Errorf("%+v, was %+v", got, before.All[1].Facets)
			}
			e.Forget("ada@x")
		})
		run(func(e *presence.Engine) {
			if e.State("ada@x") != nil {
				t.Error("ada is not forgotten")
			}
		})
	})
}
