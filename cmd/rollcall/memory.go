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
	tidyEvery = 5 * time.Second
	tidyAbove = 4 << 20        // bytes free and not given back
	tidyCalm  = 2 << 20        // bytes allocated since the last look, at most
	tidyIdle  = tidyEvery / 50 // processor time used since then, at most
	tidyBusy  = 40 << 20       // bytes allocated since the last look: from here on there is much to do
)

// gcPercent is how much garbage there may be for what is live. Messages and
// presence make none, so collecting sooner costs only logins a little, and a
// server with many idle connections is so much smaller. SIP makes some: while there is
// much of it there may be more garbage (gcBusy), since finding it costs as much as the
// requests' own work.
const (
	gcPercent = 50
	gcBusy    = 150
)

// tidy gives memory back to the system after a rush, such as everybody logging
// in at once: the runtime by itself keeps as much as it may need for the next.
func tidy(ctx context.Context) {
	own, percent := os.Getenv("GOGC") == "", gcPercent
	if own {
		debug.SetGCPercent(percent)
	}
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	sample := []metrics.Sample{
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"},
	}
	last, used := uint64(0), time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(sample)
		free, objects := sample[0].Value.Uint64(), sample[1].Value.Uint64()
		live, allocated := sample[2].Value.Uint64(), sample[3].Value.Uint64()
		garbage := objects - min(live, objects)
		if want := gcFor(allocated - last); own && want != percent {
			percent = want
			debug.SetGCPercent(percent)
		}
		now := processorTime()
		if free+garbage > tidyAbove && allocated-last < tidyCalm && now-used < tidyIdle {
			debug.FreeOSMemory()
			now = processorTime()
		}
		last, used = allocated, now
	}
}

// gcFor is how much garbage there may be where so many bytes were allocated since the
// last look.
func gcFor(allocated uint64) int {
	if allocated > tidyBusy {
		return gcBusy
	}
	return gcPercent
}

// processorTime returns what the process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
