package server

import (
	"runtime"
	"sync"
)

// Trier is a transport that can write without waiting. A presence for two
// thousand watchers is then two thousand writes of one goroutine.
type Trier interface {
	Transport
	// Tries reports whether this one can, which does not change.
	Tries() bool
	// TryWrite writes what can be written at once, which may be nothing.
	TryWrite([]byte) (n int, err error)
}

// flusher writes out the outboxes whose connections are Triers.
type flusher struct {
	mu      sync.Mutex
	queue   []*outbox
	next    int // in queue
	running int
}

// flushBatch is how many outboxes are written before others may run.
const flushBatch = 64

// add has an outbox written out soon. More than one goroutine does it if there
// is much to do, and processors to do it.
func (f *flusher) add(o *outbox) {
	f.mu.Lock()
	f.queue = append(f.queue, o)
	more := f.running == 0 || len(f.queue)-f.next > 4*flushBatch*f.running && f.running < runtime.GOMAXPROCS(0)
	if more {
		f.running++
	}
	f.mu.Unlock()
	if more {
		go f.run()
	}
}

// run writes until nothing is left. It begins behind all who are ready to run:
// what they add to an outbox goes with the same write.
func (f *flusher) run() {
	var batch [flushBatch]*outbox
	for {
		runtime.Gosched()
		f.mu.Lock()
		n := copy(batch[:], f.queue[f.next:])
		clear(f.queue[f.next : f.next+n])
		f.next += n
		switch {
		case n == 0:
			f.queue, f.next = f.queue[:0], 0
			if cap(f.queue) > 4096 {
				f.queue = nil
			}
			f.running--
			f.mu.Unlock()
			return
		case f.next == len(f.queue):
			f.queue, f.next = f.queue[:0], 0
		}
		f.mu.Unlock()
		for _, o := range batch[:n] {
			o.flush(true)
		}
	}
}
