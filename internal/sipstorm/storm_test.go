package sipstorm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rollcall/internal/transcript"
	"rollcall/sipgw/siptest"
)

// What there is in a storm: phones whose state changes, phones that have a lamp for one
// of them each, and people who see all.
const (
	busyPhones = 20
	panels     = 200
	sources    = 10
)

var viewers = []string{"ada", "bob", "cleo"}

// TestStorm has ten sources ask for what they do not get, again and again, while others
// see what is so. All of that arrives, nothing of theirs is refused, and the storm
// leaves nothing behind.
func TestStorm(t *testing.T) {
	changes, rate := 20, 1000
	if testing.Short() {
		changes = 5
	}
	s := newSquare(t)
	before := heap()
	stop := s.plug()
	floods := s.flood(rate)
	seen := s.changes(changes)
	if during := heap() - before; during > most {
		t.Errorf("%d KiB are in use more than before, in the middle of it", during>>10)
	}
	floods.raged(t)
	elapsed := floods.end()
	stop()
	t.Logf("%d changes, of which the slowest one percent took %v and more, under %d requests a second", len(seen), percentile(seen, 99), floods.total()/int(elapsed/time.Second+1))
	floods.judge(t, elapsed)
	within(t, func() error {
		if grown := heap() - before; grown > leftover+remembered {
			return fmt.Errorf("%d KiB are in use more than before", grown>>10)
		}
		return nil
	})
	t.Logf("%d KiB before, %d KiB after", before>>10, heap()>>10)
}

const (
	most       = 96 << 20 // bytes that all of it may take at any time, the phones with it
	remembered = 16 << 20 // bytes that answers may take that are known for a while
)

// BenchmarkStorm reports how soon real changes are seen while ten sources send 5,000
// requests a second each, or as many as the machine lets them.
func BenchmarkStorm(b *testing.B) {
	s := newSquare(b)
	defer s.plug()()
	floods := s.flood(5000)
	b.ResetTimer()
	seen := s.changes((b.N + busyPhones - 1) / busyPhones)
	b.StopTimer()
	elapsed := floods.end()
	b.ReportMetric(float64(percentile(seen, 50))/1e6, "p50-ms")
	b.ReportMetric(float64(percentile(seen, 99))/1e6, "p99-ms")
	b.ReportMetric(float64(floods.total())/elapsed.Seconds(), "flood/s")
	floods.judge(b, elapsed)
}

// A square is a town with lamps.
type square struct {
	*town
	busy, dark []string // the devices whose state changes, and those that watch them
	talkers    []*siptest.Phone
}

func newSquare(t testing.TB) *square {
	s := &square{town: newTown(t, map[string]string{
		// What a pace holds back is not what a storm does.
		"sip.dialog_pace": `"0s"`, "sip.presence_pace": `"0s"`, "sip.qualify": `"0s"`,
	}, viewers...)}
	s.busy = s.devices(true, "busy", busyPhones)
	s.dark = s.devices(false, "panel", panels)
	for _, name := range viewers {
		s.watch(name)
	}
	return s
}

// plug brings the phones, and returns how to take them away.
func (s *square) plug() (stop func()) {
	s.t.Helper()
	var all []*siptest.Phone
	for _, name := range s.busy {
		all = append(all, s.plugIn(name, nil))
	}
	s.talkers = all
	for _, name := range s.dark {
		all = append(all, s.plugIn(name, s.lamp(name)))
	}
	each(s.t, all, func(ctx context.Context, i int, p *siptest.Phone) error {
		if _, err := register(ctx, p); err != nil || i < busyPhones {
			return err
		}
		_, err := ask(ctx, p, func() *siptest.Message {
			return write("SUBSCRIBE sip:%s@%s\nEvent: dialog\nExpires: 3600", s.watched(i-busyPhones), transcript.Domain)
		})
		return err
	})
	s.settled("idle", "free")
	return func() {
		for _, p := range all {
			p.Close()
		}
		s.talkers = nil
	}
}

// watched is for whom a panel has a lamp.
func (s *square) watched(panel int) string { return s.busy[panel%busyPhones] }

// settled waits until all see all devices in a state.
func (s *square) settled(lamp, show string) {
	s.t.Helper()
	within(s.t, func() error {
		for i := range s.busy {
			if err := s.see(i, lamp, show, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// see is whether all who watch a device see it in a state. When each did is added to at.
func (s *square) see(device int, lamp, show string, at *[]time.Time) error {
	name := s.busy[device]
	var all []time.Time
	for i := device; i < panels; i += busyPhones {
		l := s.sight.last(s.dark[i], name)
		if l.state != lamp {
			return fmt.Errorf("%s shows %s as %q, not %s", s.dark[i], name, l.state, lamp)
		}
		all = append(all, l.at)
	}
	for _, who := range viewers {
		l := s.sight.last(who, name)
		if l.state != show {
			return fmt.Errorf("%s sees %s as %q, not %s", who, name, l.state, show)
		}
		all = append(all, l.at)
	}
	if at != nil {
		*at = all
	}
	return nil
}

// changes has all devices change so many times, each as soon as everybody has seen the
// last one, and returns how long it took until somebody saw it, for all who did.
func (s *square) changes(n int) []time.Duration {
	s.t.Helper()
	took := make([][]time.Duration, busyPhones)
	each(s.t, s.talkers, func(ctx context.Context, i int, p *siptest.Phone) error {
		tag := ""
		for k := range n {
			lamp, show, body := "busy", "dnd", `<dialog id="a"><state>confirmed</state></dialog>`
			if k%2 == 1 {
				lamp, show, body = "idle", "free", ""
			}
			began := time.Now()
			res, err := ask(ctx, p, func() *siptest.Message { return s.publication(p.Name(), tag, body) })
			if err != nil {
				return err
			}
			tag = res.Header("SIP-ETag")
			at, err := s.await(ctx, i, lamp, show)
			if err != nil {
				return err
			}
			for _, t := range at {
				took[i] = append(took[i], t.Sub(began))
			}
		}
		return nil
	})
	return slices.Concat(took...)
}

// await waits until all see a device in a state.
func (s *square) await(ctx context.Context, device int, lamp, show string) (at []time.Time, err error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if err = s.see(device, lamp, show, &at); err == nil {
			return at, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// publication says what a phone does.
func (s *square) publication(name, tag, dialogs string) *siptest.Message {
	m := write("PUBLISH sip:%[1]s@%[2]s\nEvent: dialog\nContent-Type: application/dialog-info+xml\n--\n"+
		`<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:%[1]s@%[2]s">%[3]s</dialog-info>`,
		name, transcript.Domain, dialogs)
	if tag != "" {
		m.Fields = append(m.Fields, siptest.Field{Name: "SIP-If-Match", Value: tag})
	}
	return m
}

func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, len(all)*p/100)]
}

// flood has ten sources send so many requests a second each.
func (s *square) flood(rate int) *floods {
	f := &floods{began: time.Now(), stop: make(chan struct{})}
	for i := range sources {
		x := newFlooder(s.t, byte(2+i), s.gateway, s.busy[i])
		f.all = append(f.all, x)
		f.wg.Go(func() { x.pour(rate, f.stop) })
	}
	return f
}

// floods are all of them.
type floods struct {
	all   []*flooder
	began time.Time
	stop  chan struct{}
	wg    sync.WaitGroup
}

// raged waits until each has sent more than it may, and was told so.
func (f *floods) raged(t testing.TB) {
	t.Helper()
	within(t, func() error {
		for i, x := range f.all {
			if x.challenged.Load() == 0 || x.slowed.Load() == 0 {
				return fmt.Errorf("source %d was asked for its credentials %d times, and told to slow down %d times", i, x.challenged.Load(), x.slowed.Load())
			}
		}
		return nil
	})
}

// end ends them, and says how long it went on.
func (f *floods) end() time.Duration {
	close(f.stop)
	f.wg.Wait()
	for _, x := range f.all {
		x.close()
	}
	return time.Since(f.began)
}

func (f *floods) total() (n int) {
	for _, x := range f.all {
		n += int(x.sent.Load())
	}
	return n
}

// The limits that are in force where nothing else is said (sip.rate and sip.burst): for
// one kind of request of one address and port.
const (
	limitRate  = 10
	limitBurst = 60
)

// judge wants each to have been stopped before anybody looked at most of what they
// sent, and none to have got anything.
func (f *floods) judge(t testing.TB, elapsed time.Duration) {
	t.Helper()
	room := int64(ports * kinds * (limitBurst + limitRate*int(elapsed/time.Second+2)))
	for i, x := range f.all {
		if x.challenged.Load() > room {
			t.Errorf("source %d was asked for its credentials %d times, at most %d may be", i, x.challenged.Load(), room)
		}
		if x.let.Load() > 0 || x.odd.Load() > 0 {
			t.Errorf("source %d was let in %d times, and got %d answers that are none", i, x.let.Load(), x.odd.Load())
		}
	}
}
