package registrar

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHealth(t *testing.T) {
	for _, tt := range []struct {
		v    vitals
		want Health
	}{
		{vitals{}, Unasked},
		{vitals{misses: 9}, Unasked},
		{vitals{answered: true}, Good},
		{vitals{answered: true, misses: 1}, Good},
		{vitals{answered: true, misses: 2}, Degraded},
		{vitals{answered: true, misses: 3}, Degraded},
		{vitals{answered: true, misses: 4}, Unreachable},
	} {
		if got := tt.v.health(); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.v, got, tt.want)
		}
	}
}

func TestDecide(t *testing.T) {
	const every = 30 * time.Second
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	for _, tt := range []struct {
		name   string
		v      vitals
		now    float64
		jitter float64
		ask    bool
		next   float64 // less than 0: never
	}{
		{"new", vitals{heard: start}, 1, 0.5, true, 31},
		{"no answer yet", vitals{heard: start, misses: 2}, 61, 0.5, true, 91},
		{"it does not answer such questions", vitals{heard: start, misses: 3}, 91, 0.5, false, -1},
		{"heard a moment ago", vitals{answered: true, heard: at(29)}, 30, 0.5, false, 59},
		{"heard, and spread", vitals{answered: true, heard: at(29)}, 30, 0, false, 56},
		{"silent", vitals{answered: true, heard: start}, 27, 1, true, 60},
		{"missed", vitals{answered: true, heard: start, misses: 1}, 35, 0.5, true, 65},
		{"long gone", vitals{answered: true, heard: start, misses: 4}, 1000, 0.5, true, 1030},
	} {
		ask, next := tt.v.decide(at(tt.now), every, tt.jitter)
		want := at(tt.next)
		if tt.next < 0 {
			want = time.Time{}
		}
		if ask != tt.ask || !next.Equal(want) {
			t.Errorf("%s: %v, %v; want %v, %v", tt.name, ask, next, tt.ask, want)
		}
	}
}

func TestMiss(t *testing.T) {
	v := vitals{answered: true, heard: start}
	v.miss(start.Add(-time.Second)) // something else came after the question
	if v.misses != 0 {
		t.Error("a miss was counted")
	}
	for range 300 {
		v.miss(start)
	}
	if v.health() != Unreachable {
		t.Errorf("it is %v", v.health())
	}
	v.hear(start.Add(time.Second), false)
	if v.health() != Good {
		t.Errorf("it is %v", v.health())
	}
}

// ward is a registrar with a qualifier, and devices that answer or not.
type ward struct {
	t *testing.T
	*Registrar
	q *Qualifier

	mu    sync.Mutex // guards the fields below
	alive map[string]bool
	asked map[string]int
	told  []string
}

func runWard(t *testing.T, test func(w *ward)) {
	synctest.Test(t, func(t *testing.T) {
		w := &ward{t: t, alive: map[string]bool{}, asked: map[string]int{}}
		w.Registrar = New(Parts{Store: &shelf{}, Log: slog.New(slog.DiscardHandler)}, Config{MinExpires: time.Hour, Jitter: half})
		w.q = NewQualifier(QualifyParts{
			Critical: func(aor string) bool { return strings.HasPrefix(aor, "help") },
			Probe: func(ctx context.Context, b *Binding) bool {
				w.mu.Lock()
				w.asked[b.AOR]++
				alive := w.alive[b.AOR]
				w.mu.Unlock()
				if !alive {
					<-ctx.Done()
				}
				return alive
			},
			Tell: func(r Report) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.told = append(w.told, fmt.Sprintf("%s %v", r.Binding.AOR, r.Health))
			},
		}, QualifyConfig{Every: 30 * time.Second, EveryCritical: 15 * time.Second, Jitter: half})
		w.OnChange(w.q.Observe)
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { w.q.Run(ctx) })
		synctest.Wait()
		test(w)
		cancel()
		work.Wait()
	})
}

func half() float64 { return 0.5 }

func (w *ward) register(text string) {
	w.t.Helper()
	if got := w.Register(time.Now(), request(w.t, text)); got.Status != 200 {
		w.t.Fatalf("%+v", got)
	}
}

func (w *ward) set(aor string, alive bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.alive[aor] = alive
}

// after waits, and compares who was asked how often in that time, and what was told.
func (w *ward) after(d time.Duration, asked map[string]int, told ...string) {
	w.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.told)
	if !maps.Equal(w.asked, asked) || !slices.Equal(w.told, told) {
		w.t.Errorf("asked were %v, want %v; told was %q, want %q", w.asked, asked, w.told, told)
	}
	w.told, w.asked = nil, map[string]int{}
}

func TestQualify(t *testing.T) {
	runWard(t, func(w *ward) {
		w.set("2001@x", true)
		w.set("help@x", true)
		w.register("To: 2001@x\nContact: <sip:a>")
		w.register("To: help@x\nContact: <sip:h>\nSource: 192.0.2.2:5060")
		w.register("To: mute@x\nContact: <sip:m>\nSource: 192.0.2.3:5060") // knows no OPTIONS
		w.after(16*time.Second, map[string]int{"2001@x": 1, "help@x": 1, "mute@x": 1}, "2001@x good", "help@x good")
		w.after(5*time.Minute, map[string]int{"2001@x": 10, "help@x": 20, "mute@x": 2})
		// Who talks is not asked.
		flow := w.Lookup("2001@x")[0].Flow
		for range 10 {
			w.q.Heard(time.Now(), flow)
			w.after(15*time.Second, map[string]int{"help@x": 1})
		}
		w.set("2001@x", false)
		w.set("help@x", false)
		w.after(41*time.Second, map[string]int{"2001@x": 1, "help@x": 3}, "help@x degraded")
		w.after(31*time.Second, map[string]int{"2001@x": 1, "help@x": 2}, "2001@x degraded", "help@x unreachable")
		w.after(60*time.Second, map[string]int{"2001@x": 2, "help@x": 4}, "2001@x unreachable")
		if id := w.Lookup("2001@x")[0].ID; w.q.Health(id) != Unreachable {
			t.Errorf("it is %v", w.q.Health(id))
		}
		// Any sign of life will do, a refresh too.
		w.q.Heard(time.Now(), flow)
		w.register("To: help@x\nContact: <sip:h>\nSource: 192.0.2.2:5060\nCSeq: 2")
		w.after(0, map[string]int{}, "2001@x good", "help@x good")
		w.set("help@x", true)
		w.after(35*time.Second, map[string]int{"2001@x": 1, "help@x": 2})
	})
}

// A device that was restarted may answer now; one that is gone is not asked.
func TestQualifyRebootAndGone(t *testing.T) {
	runWard(t, func(w *ward) {
		w.register("To: 2001@x\nContact: <sip:a>")
		w.after(5*time.Minute, map[string]int{"2001@x": 3})
		w.set("2001@x", true)
		w.register("To: 2001@x\nContact: <sip:a>\nCall-ID: b")
		w.after(31*time.Second, map[string]int{"2001@x": 1}, "2001@x good")
		w.Remove(time.Now(), "2001@x")
		w.after(5*time.Minute, map[string]int{})
		if len(w.q.byID) > 0 || len(w.q.byFlow) > 0 {
			t.Errorf("left are %v, %v", w.q.byID, w.q.byFlow)
		}
	})
}

// Who is not to be asked is not.
func TestQualifyNobody(t *testing.T) {
	runWard(t, func(w *ward) {
		w.q.cfg.Every = 0
		w.register("To: 2001@x\nContact: <sip:a>")
		w.register("To: 2001@x\nContact: <sip:a>\nCall-ID: b")
		w.register("To: help@x\nContact: <sip:h>\nSource: 192.0.2.2:5060")
		w.after(16*time.Second, map[string]int{"help@x": 1})
	})
}

// Several bindings may be on one flow, and move from one to another.
func TestQualifyFlows(t *testing.T) {
	runWard(t, func(w *ward) {
		w.register("To: a@x\nContact: <sip:a>")
		w.register("To: b@x\nContact: <sip:b>")
		w.register("To: c@x\nContact: <sip:c>")
		shared := w.Lookup("a@x")[0].Flow
		w.register("To: b@x\nContact: <sip:b>\nSource: 192.0.2.2:1\nCSeq: 2")
		time.Sleep(time.Second)
		w.q.Heard(time.Now(), shared)
		for aor, heard := range map[string]bool{"a@x": true, "b@x": false, "c@x": true} {
			w.q.mu.Lock()
			if got := w.q.byID[w.Lookup(aor)[0].ID].heard().Equal(time.Now()); got != heard {
				t.Errorf("%s was heard: %v", aor, got)
			}
			w.q.mu.Unlock()
		}
		w.Remove(time.Now(), "a@x")
		w.Remove(time.Now(), "c@x")
		w.q.Heard(time.Now(), shared) // nobody is there any more
		if len(w.q.byFlow) != 1 {
			t.Errorf("the flows are %v", w.q.byFlow)
		}
	})
}

// What is heard on a flow makes all well that are on it, and is not forgotten when one
// moves elsewhere.
func TestQualifyTogether(t *testing.T) {
	runWard(t, func(w *ward) {
		for _, who := range []string{"a", "b", "c"} {
			w.set(who+"@x", true)
			w.register("To: " + who + "@x\nContact: <sip:" + who + ">")
		}
		shared := w.Lookup("a@x")[0].Flow
		all := func(n int) map[string]int { return map[string]int{"a@x": n, "b@x": n, "c@x": n} }
		w.after(16*time.Second, all(1), "a@x good", "b@x good", "c@x good")
		w.set("a@x", false)
		w.set("b@x", false)
		w.after(66*time.Second, all(2), "a@x degraded", "b@x degraded")
		w.register("To: b@x\nContact: <sip:b>\nSource: 192.0.2.2:1\nCSeq: 2")
		w.after(0, map[string]int{}, "b@x good")
		w.register("To: b@x\nContact: <sip:b>\nCSeq: 3")
		w.q.Heard(time.Now(), shared)
		w.after(0, map[string]int{}, "a@x good")
		if n := w.q.byFlow[shared].ill; n != 0 {
			t.Errorf("%d are ill", n)
		}
		// Who was heard with the others need not be asked when it is alone.
		w.register("To: c@x\nContact: <sip:c>\nCSeq: 2")
		time.Sleep(10 * time.Second)
		w.q.Heard(time.Now(), shared)
		c := w.q.byID[w.Lookup("c@x")[0].ID]
		w.q.mu.Lock()
		w.q.leave(c)
		if !c.vitals.heard.Equal(time.Now()) {
			t.Errorf("it was heard %v ago", time.Since(c.vitals.heard))
		}
		w.q.enter(c)
		w.q.mu.Unlock()
	})
}
