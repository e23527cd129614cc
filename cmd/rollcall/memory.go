package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

const (
	lookEvery = time.Second
	tidyEvery = 5                          // looks
	tidyAbove = 4 << 20                    // bytes free and not given back
	tidyCalm  = 2 << 20                    // bytes allocated since the last time, at most
	tidyIdle  = tidyEvery * lookEvery / 50 // processor time used since then, at most
)

// gcPercent is how much garbage there may be for what is live. Messages and
// presence make none, so collecting sooner costs only logins a little, and a
// server with many idle connections is so much smaller. SIP makes some: while there is
// much of it there may be more garbage (gcBusy), since finding it costs as much as the
// requests' own work. A rush of logins is no such thing: what is live grows by it, and
// it leaves the heap in pieces as large as it once was.
const (
	gcPercent = 50
	gcBusy    = 200
	gcRush    = 8 << 20 // bytes allocated in a second, from which on there is much to do
	gcSteady  = 3       // looks with as much, while what is live hardly grew, until there may be more
	gcCalm    = 5       // looks without, after which there may not any more
)

// tidy gives memory back to the system after a rush, such as everybody logging
// in at once: the runtime by itself keeps as much as it may need for the next.
func tidy(ctx context.Context) {
	own, c := os.Getenv("GOGC") == "", collector{}
	if own {
		debug.SetGCPercent(gcPercent)
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	sample := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"},
	}
	last, used := uint64(0), time.Duration(0)
	for looks := 1; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(sample)
		free, objects := sample[0].Value.Uint64(), sample[1].Value.Uint64()
		live, allocated := sample[2].Value.Uint64(), sample[3].Value.Uint64()
		if percent, other := c.look(allocated, live); other && own {
			debug.SetGCPercent(percent)
		}
		if looks%tidyEvery != 0 {
			continue
		}
		garbage := objects - min(live, objects)
		now := processorTime()
		if free+garbage > tidyAbove && allocated-last < tidyCalm && now-used < tidyIdle {
			debug.FreeOSMemory()
			now = processorTime()
		}
		last, used = allocated, now
	}
}

// collector decides how much garbage there may be.
type collector struct {
	allocated uint64 // until the last look
	live      uint64 // when the looks began that are steady
	steady    int    // looks in a row with a rush that leaves what is live as it is
	calm      int    // looks in a row without
	busy      bool
}

// look takes how much has ever been allocated and how much was live of late, and says how
// much garbage there may be for what is live, and whether that is other than before.
func (c *collector) look(allocated, live uint64) (percent int, other bool) {
	if allocated-c.allocated >= gcRush && live <= c.live+c.live/8 {
		c.steady, c.calm = c.steady+1, 0
	} else {
		c.steady, c.calm, c.live = 0, c.calm+1, live
	}
	c.allocated = allocated
	was := c.busy
	c.busy = c.steady >= gcSteady || c.busy && c.calm < gcCalm
	if c.busy {
		return gcBusy, !was
	}
	return gcPercent, was
}

// processorTime returns what the process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
