package crash

import (
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
)

// The people of these tests.
var (
	senders   = []string{"ada", "bea", "cleo", "dora"}
	receivers = []string{"plain", "second", "managed", "other", "lazy", "restive", "forgetful", "away", "private"}
)

// load is senders and receivers at work, in one life of the program after
// another.
type load struct {
	l         *ledger
	senders   []*sender
	receivers []*receiver

	ending atomic.Bool // connections may be lost from here on
	wg     sync.WaitGroup

	mu     sync.Mutex
	untold []string // who was not told of a shutdown, in this life
}

func newLoad(l *ledger, rng *rand.Rand) *load {
	own := func() *rand.Rand { return rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())) }
	w := &load{l: l, receivers: []*receiver{
		{name: "plain"}, {name: "second"}, {name: "managed", managed: true}, {name: "other", managed: true},
		{name: "lazy", lazy: true}, {name: "restive", restive: true},
		{name: "forgetful", forgets: true},
	}}
	for _, r := range w.receivers {
		r.l, r.rng = l, own()
	}
	for _, name := range senders {
		w.senders = append(w.senders, &sender{name: name, to: receivers, l: l, rng: own()})
	}
	return w
}

// begin sets them to work.
func (w *load) begin(address string) {
	w.ending.Store(false)
	w.untold = nil
	w.l.begin()
	for _, r := range w.receivers {
		w.wg.Go(func() { w.judge(r.name, r.run(address)) })
	}
	for _, s := range w.senders {
		w.wg.Go(func() { w.judge(s.name, s.run(address)) })
	}
}

// judge notes why somebody stopped, unless that is what was to be.
func (w *load) judge(name string, err error) {
	if late(err) || !w.ending.Load() {
		w.l.fault("%s: %v", name, err)
	}
	if !strings.Contains(err.Error(), "<system-shutdown ") {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.untold = append(w.untold, name)
	}
}

// keepStill has all keep their connections.
func (w *load) keepStill() {
	for _, s := range w.senders {
		s.steady = true
	}
	for _, r := range w.receivers {
		r.steady = true
	}
}

// wait returns when all have lost their connections.
func (w *load) wait() { w.wg.Wait() }
