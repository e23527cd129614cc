package storage

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/presence"
)

// presenceKilledVar tells the test binary to be the program that is killed, as
// killVar does.
const presenceKilledVar = "ROLLCALL_TEST_PRESENCE_KILLED"

// TestPresenceKilled kills a program that changes presence as fast as it can. What
// was written is there afterwards, whole; versions and the journal go on from there.
func TestPresenceKilled(t *testing.T) {
	if os.Getenv(presenceKilledVar) != "" {
		presenceVictim(t)
		return
	}
	for _, kind := range kinds()[1:] {
		t.Run(kind, func(t *testing.T) {
			cfg := configFor(t, kind)
			db := openEmpty(t, cfg)
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			for round := range 3 {
				said := presenceKillAfter(t, cfg, 3+round)
				checkKilled(t, db, said)
			}
		})
	}
}

// marks are what the victim said to be written: the greatest version, and the texts
// of its subjects.
type marks struct {
	version uint64
	round   int
}

// checkKilled begins a run as after a crash.
func checkKilled(t *testing.T, db *DB, said marks) {
	s := db.Presence()
	e := presence.NewEngine(presence.Options{Store: s, Journal: s, Config: presence.EngineConfig{Barrier: time.Minute}})
	began := time.Now()
	if err := e.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("it took %v until all was back", d)
	}
	n := 0
	for state := range e.All() {
		n++
		if state.Version <= said.version {
			t.Errorf("%s has version %d, it had %d", state.Subject, state.Version, said.version)
		}
		round, err := strconv.Atoi(state.Winner.Facets.Ref)
		if err != nil || round < said.round || state.State != victimState(round) {
			t.Errorf("%s is %s of round %q; round %d was written", state.Subject, state.State, state.Winner.Facets.Ref, said.round)
		}
		last, found, err := s.At(t.Context(), state.Subject, time.Now())
		if err != nil || !found || last.To != state.State {
			t.Errorf("the journal says that %s is %s, %v; it is %s", state.Subject, last.To, err, state.State)
		}
	}
	if n != victimSubjects {
		t.Errorf("%d subjects are back", n)
	}
}

const victimSubjects = 50

func victimState(round int) string { return []string{"on_call", "ringing", "paging"}[round%3] }

// presenceKillAfter runs the victim until it has said so often that all is written.
func presenceKillAfter(t *testing.T, cfg Config, lines int) (said marks) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPresenceKilled$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%s\n%s", presenceKilledVar, cfg.Driver, cfg.Path, cfg.DSN))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	n := 0
	for in.Scan() {
		var m marks
		if _, err := fmt.Sscanf(in.Text(), "version %d of round %d is written", &m.version, &m.round); err != nil {
			continue // the test binary's own words, or half a line at the end
		}
		said = m
		if n++; n == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || n < lines {
		t.Errorf("it ended by itself after %d lines: %v", n, err)
	}
	return said
}

// presenceVictim changes the states of devices and says which round is written,
// until it is killed.
func presenceVictim(t *testing.T) {
	lines := strings.Split(os.Getenv(presenceKilledVar), "\n")
	db := openEmpty(t, Config{Driver: lines[0], Path: lines[1], DSN: lines[2]})
	s := db.Presence()
	e := presence.NewEngine(presence.Options{Store: s, Journal: s})
	// The parent kills us long before; if it is gone, we end as well.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go e.Run(ctx)
	w := e.Watch()
	for round := 0; ctx.Err() == nil; round++ {
		heard := map[presence.Subject]uint64{}
		for i := range victimSubjects {
			subject := presence.Subject(fmt.Sprintf("door-%d@phones.x", i))
			cs := []presence.Contribution{{Axis: presence.Engagement, State: victimState(round), Channels: presence.Voice,
				Expires: time.Now().Add(time.Hour), Facets: presence.Facets{Ref: strconv.Itoa(round)}}}
			if err := e.Report(subject, presence.Device, "line", cs); err != nil {
				t.Fatal(err)
			}
		}
		version := uint64(0)
		for len(heard) < victimSubjects && ctx.Err() == nil {
			changed, err := w.Next(ctx)
			if err != nil {
				return
			}
			for _, subject := range changed {
				if state := e.State(subject); state.Winner.Facets.Ref == strconv.Itoa(round) {
					heard[subject] = state.Version
					version = max(version, state.Version)
				}
			}
		}
		// Some rounds are waited for, and in others it may die at any point.
		if round%5 == 4 {
			if _, err := e.Entries(ctx, presence.Query{Limit: 1}); err == nil {
				fmt.Printf("version %d of round %d is written\n", version, round)
			}
		}
	}
}
