package presence

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Only changes of state are in the journal, with who made them and why.
func TestJournal(t *testing.T) {
	store := newShelf()
	play(t, Options{Config: patience, Store: store, Journal: store}, func(s *stage) {
		began := micro(time.Now())
		s.report(ada, "client/desk", says(Willingness, Available, Chat))
		s.after(time.Minute)
		call := says(Engagement, "on_call", Voice)
		call.Facets.Counterpart, call.Facets.Text = "sip:bob@y", "a secret"
		s.report(ada, "phone/2001", call)
		s.report(ada, "client/desk", says(Willingness, Idle, Chat)) // behind the call
		s.after(time.Minute)
		ended := time.Now()
		s.report(ada, "phone/2001")
		s.after(time.Hour)
		got, err := s.Entries(s.Context(), Query{Subject: ada})
		if err != nil {
			t.Fatal(err)
		}
		slices.Reverse(got)
		var told []string
		for i, e := range got {
			told = append(told, fmt.Sprintf("%v %s>%s %s: %s", e.At().Sub(began), e.From, e.To, e.Source, e.Cause))
			if i > 0 && e.Prev != got[i-1].ID || i == 0 && e.Prev != 0 {
				t.Errorf("%+v is not behind the one before", e)
			}
		}
		want := []string{
			"150ms >available client/desk: reported", "1m0s available>on_call phone/2001: reported",
			"2m0.25s on_call>idle phone/2001: withdrawn", "1h1m0.15s idle>offline client/desk: expired",
		}
		if !slices.Equal(told, want) {
			t.Errorf("the journal says\n%q, want\n%q", told, want)
		}
		if !got[0].Since.Equal(began) {
			t.Errorf("since %v, want %v", got[0].Since, began)
		}
		e, found, err := s.At(s.Context(), ada, ended)
		if err != nil || !found || e.To != "on_call" {
			t.Errorf("%+v, %v, %v", e, found, err)
		}
		if text := fmt.Sprintf("%+v", store.entries); strings.Contains(text, "secret") || strings.Contains(text, "bob@y") {
			t.Error("the journal tells what people say and whom they call")
		}
	})
}

// A source's own cause is the cause.
func TestCause(t *testing.T) {
	store := newShelf()
	play(t, Options{Store: store, Journal: store}, func(s *stage) {
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		lost := says(Reachability, Offline, 0)
		lost.Facets.Cause = "registration expired"
		s.report(door, "registrar", lost)
		got, err := s.Entries(s.Context(), Query{Subject: door})
		if err != nil || len(got) != 2 || got[0].Cause != "registration expired" || got[0].Source != "registrar" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestNoJournal(t *testing.T) {
	play(t, Options{}, func(s *stage) {
		if _, err := s.Entries(s.Context(), Query{}); err == nil {
			t.Error("there is one")
		}
		if _, _, err := s.At(s.Context(), ada, time.Now()); err == nil {
			t.Error("there is one")
		}
	})
}

// What is old is swept.
func TestSweep(t *testing.T) {
	store := newShelf()
	play(t, Options{Config: EngineConfig{Journal: 24 * time.Hour}, Store: store, Journal: store}, func(s *stage) {
		for i := range 2*sweepStep + 10 {
			s.Report(Subject(fmt.Sprint(i, "@x")), Person, "client/desk", []Contribution{says(Willingness, Available, Chat)})
		}
		s.after(2 * time.Second)
		n := len(store.crash().entries)
		s.after(23 * time.Hour)
		if got := len(store.crash().entries); got != 2*n || n != 2*sweepStep+10 { // they have come and gone
			t.Errorf("%d entries, then %d", n, got)
		}
		s.after(2 * time.Hour)
		if got := len(store.crash().entries); got != n {
			t.Errorf("%d entries after a day, want %d", got, n)
		}
		s.after(time.Hour)
		if got := len(store.crash().entries); got != 0 {
			t.Errorf("%d entries in the end", got)
		}
	})
}

// While the database is away nobody waits, and nothing is lost that there is room
// for.
func TestDatabaseAway(t *testing.T) {
	store := newShelf()
	play(t, Options{Store: store, Journal: store}, func(s *stage) {
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.after(time.Second)
		store.fail(errors.New("it is away"))
		for range 100 {
			s.report(door, "line", says(Engagement, "on_call", 0))
			s.after(100 * time.Millisecond)
			s.report(door, "line")
			s.after(100 * time.Millisecond)
		}
		s.report(door, "line", says(Engagement, "ringing", 0))
		s.shows(door, "ringing")
		if _, err := s.Entries(s.Context(), Query{Subject: door}); err == nil {
			t.Error("all was written")
		}
		if n := len(store.crash().entries); n != 1 {
			t.Errorf("%d entries are written", n)
		}
		store.fail(nil)
		s.after(2 * time.Second)
		c := store.crash()
		if r := c.records[door]; r.State != "ringing" || len(r.Said) != 2 {
			t.Errorf("stored is %+v", r)
		}
		if n := len(c.entries); n != 202 {
			t.Errorf("%d entries are written", n)
		}
	})
}

// The journal's backlog has an end, and what follows is in order again.
func TestBacklog(t *testing.T) {
	store := newShelf()
	play(t, Options{Store: store, Journal: store, Shards: 1}, func(s *stage) {
		s.report(door, "registrar", says(Reachability, "idle", Voice))
		s.after(time.Second)
		store.fail(errors.New("it is away"))
		for i := range maxBacklog + 100 {
			var cs []Contribution
			if i%2 == 0 {
				cs = append(cs, says(Engagement, "on_call", 0))
			}
			s.Report(door, Device, "line", cs)
			synctest.Wait()
		}
		store.fail(nil)
		s.after(5 * time.Second)
		s.report(door, "line", says(Engagement, "ringing", 0))
		got, err := s.Entries(s.Context(), Query{Subject: door})
		if n := s.saver.backlog.Load(); n != 0 {
			t.Errorf("a backlog of %d is left", n)
		}
		if err != nil || len(got) != maxBacklog+2 || got[0].To != "ringing" {
			t.Errorf("%d entries, %v", len(got), err)
		}
		for i := range len(got) - 1 {
			if got[i].Prev != got[i+1].ID {
				t.Fatalf("%+v is not behind %+v", got[i], got[i+1])
			}
		}
	})
}
