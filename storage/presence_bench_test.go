package storage

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"rollcall/presence"
)

// BenchmarkPresence is 1000 changes a second of 5000 devices, from the report to the
// watch, with all of it stored. What counts is cpu-ns/op; the time is that of a clock.
func BenchmarkPresence(b *testing.B) {
	for _, kind := range kinds() {
		b.Run(kind, func(b *testing.B) {
			const devices, every = 5000, 250 // at a time: four times a second
			db := openEmpty(b, configFor(b, kind))
			if _, err := db.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			store := db.Presence()
			e := presence.NewEngine(presence.Options{Store: store, Journal: store, Volatile: []string{"line"}})
			ctx, cancel := context.WithCancel(b.Context())
			ended := make(chan error, 1)
			go func() { ended <- e.Run(ctx) }()
			w := e.Watch()
			heard := 0
			hear := func(until int) {
				for heard < until {
					changed, err := w.Next(ctx)
					if err != nil {
						b.Fatal(err)
					}
					heard += len(changed)
				}
			}
			begin := time.Now()
			subject := func(i int) presence.Subject {
				return presence.Subject(fmt.Sprintf("door-%d@phones.example.org", i%devices))
			}
			up := []presence.Contribution{{Axis: presence.Reachability, State: "idle", Channels: presence.Voice, Since: begin, Expires: begin.Add(time.Hour)}}
			for i := range devices {
				if err := e.Report(subject(i), presence.Device, "registrar", up); err != nil {
					b.Fatal(err)
				}
			}
			hear(devices)
			if _, err := e.Entries(ctx, presence.Query{Limit: 1}); err != nil { // all is written
				b.Fatal(err)
			}
			before := usedCPU()
			b.ResetTimer()
			tick := time.NewTicker(time.Second / 4)
			defer tick.Stop()
			for i := range b.N {
				var said []presence.Contribution
				if i/devices%2 == 0 {
					said = []presence.Contribution{{Axis: presence.Engagement, State: "on_call", Since: time.Now(), Expires: begin.Add(time.Hour),
						Facets: presence.Facets{Counterpart: "sip:2002@example.org", Inbound: true, Ref: "3848276298220188511@atlanta"}}}
				}
				// Neighbours are not on the phone together.
				if err := e.Report(subject(i*1657), presence.Device, "line", said); err != nil {
					b.Fatal(err)
				}
				if i%every == every-1 {
					hear(devices + i + 1)
					<-tick.C
				}
			}
			hear(devices + b.N)
			if _, err := e.Entries(ctx, presence.Query{Limit: 1}); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64((usedCPU()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
			cancel()
			if err := <-ended; err != nil {
				b.Error(err)
			}
		})
	}
}

// usedCPU is the time that the program has used of all processors.
func usedCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
