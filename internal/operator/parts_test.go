package operator

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/xmpp/jid"
)

// Whether somebody uses a client is told by what it says of itself, and by its
// silence.
func TestIdle(t *testing.T) {
	for _, row := range []struct {
		s    standing
		want bool
	}{
		{standing{}, false},
		{standing{Show: "dnd"}, false}, // and does not want to be disturbed
		{standing{Show: "chat"}, false},
		{standing{Silent: quiet - time.Second}, false},
		{standing{Silent: quiet}, true},
		{standing{Show: "away"}, true},
		{standing{Show: "xa"}, true},
		{standing{Inactive: true}, true},
		{standing{Waiting: true}, true},
	} {
		if got := row.s.idle(); got != row.want {
			t.Errorf("%+v: %v", row.s, got)
		}
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 90 * time.Second: "90 seconds", time.Minute: "1 minute", 5 * time.Minute: "5 minutes",
		time.Hour: "1 hour", 36 * time.Hour: "36 hours", time.Hour + time.Second: "3601 seconds",
	} {
		if got := spell(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var e end
		e.init()
		come := func() bool {
			synctest.Wait()
			select {
			case <-e.come:
				return true
			default:
				return false
			}
		}
		if e.cancel() {
			t.Error("what was not ordered was taken back")
		}
		e.in(time.Hour)
		e.in(time.Minute) // in its place
		if !e.cancel() || e.cancel() {
			t.Error("an order can be taken back once")
		}
		time.Sleep(2 * time.Hour)
		if come() {
			t.Fatal("it came, though it was taken back")
		}
		e.in(time.Minute)
		time.Sleep(59 * time.Second)
		if come() {
			t.Fatal("it came early")
		}
		time.Sleep(time.Second)
		if !come() {
			t.Fatal("it did not come")
		}
		if e.cancel() {
			t.Error("it was taken back when it was too late")
		}
		e.in(0) // once more, which does no harm
		if !come() {
			t.Error("it is not over any more")
		}
	})
}

func TestIntruders(t *testing.T) {
	var in intruders
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		who  jid.Bare
		at   time.Duration
		want bool
	}{
		{"bob@x", 0, true}, {"bob@x", time.Second, false}, {"eve@x", time.Second, true},
		{"bob@x", noteEvery - 1, false}, {"bob@x", noteEvery, true}, {"bob@x", noteEvery + 1, false},
	} {
		if got := in.note(row.who, now.Add(row.at)); got != row.want {
			t.Errorf("%s after %v: %v", row.who, row.at, got)
		}
	}
	noted := 0
	for i := range 2 * maxIntruders {
		if in.note(jid.Bare(fmt.Sprintf("u%d@x", i)), now.Add(noteEvery)) {
			noted++
		}
	}
	if noted >= maxIntruders || len(in.since) > maxIntruders {
		t.Errorf("%d of very many are written down, and %d remembered", noted, len(in.since))
	}
	if !in.note("late@x", now.Add(3*noteEvery)) || len(in.since) != 1 {
		t.Errorf("later there is no room; %d are remembered", len(in.since))
	}
}
