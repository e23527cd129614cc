package presence

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// cpu is the time that the program has used of all processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkReport is a device that goes on and off the hook, among 5000, to the watch
// that hears of it; without a store.
func BenchmarkReport(b *testing.B) {
	const devices = 5000
	e := NewEngine(Options{})
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	w := e.Watch()
	heard := 0
	hear := func(until int) {
		for heard < until {
			changed, err := w.Next(ctx)
			if err != nil {
				b.Fatal(err)
			}
			for _, subject := range changed {
				if e.State(subject) != nil {
					heard++
				}
			}
		}
	}
	subjects := make([]Subject, devices)
	end := time.Now().Add(time.Hour)
	for i := range subjects {
		subjects[i] = Subject(fmt.Sprintf("door-%d@phones.example.org", i))
		if err := e.Report(subjects[i], Device, "registrar", []Contribution{
			{Axis: Reachability, State: "idle", Channels: Voice, Since: noon, Expires: end}}); err != nil {
			b.Fatal(err)
		}
	}
	hear(devices)
	call := []Contribution{{Axis: Engagement, State: "on_call", Since: noon, Expires: end, Facets: Facets{Counterpart: "sip:2002@x"}}}
	b.ReportAllocs()
	began := cpu()
	n := 0
	for b.Loop() {
		said := call
		if n/devices%2 == 1 {
			said = nil
		}
		if err := e.Report(subjects[n%devices], Device, "line", said); err != nil {
			b.Fatal(err)
		}
		if n++; n%256 == 0 { // so many are under way at most
			hear(devices + n)
		}
	}
	hear(devices + n)
	b.ReportMetric(float64((cpu()-began).Nanoseconds())/float64(n), "cpu-ns/op")
	cancel()
	<-ended
}

// BenchmarkState reads what is shown.
func BenchmarkState(b *testing.B) {
	e := NewEngine(Options{})
	for i := range 5000 {
		s := e.shardOf(Subject(fmt.Sprint(i, "@x")))
		en := s.enter(Subject(fmt.Sprint(i, "@x")), Device)
		en.slot.shown.Store(&Effective{})
	}
	b.ReportAllocs()
	for b.Loop() {
		if e.State("4711@x") == nil {
			b.Fatal("not there")
		}
	}
}
