package presence

import (
	"context"
	"fmt"
	"runtime"
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
		en.publish(pictureOf(&Effective{}, nil), 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		if e.State("4711@x") == nil {
			b.Fatal("not there")
		}
	}
}

// BenchmarkPeople is what it costs in memory that people are online: ten thousand of
// them, each with one client, and that has been so for long enough to be renewed.
func BenchmarkPeople(b *testing.B) {
	const people = 10_000
	var after, before runtime.MemStats
	for b.Loop() {
		subjects := make([]Subject, people)
		for i := range subjects {
			subjects[i] = Subject(fmt.Sprintf("person-%d@example.org", i))
		}
		e := NewEngine(Options{})
		ctx, cancel := context.WithCancel(b.Context())
		ended := make(chan error)
		go func() { ended <- e.Run(ctx) }()
		runtime.GC()
		runtime.ReadMemStats(&before)
		for renewed := range 2 {
			for i, subject := range subjects {
				source := "client/" + string(subject[:10])
				if err := e.Report(subject, Person, source, []Contribution{{
					Axis: Willingness, State: Available, Channels: Chat, Since: noon, Facets: Facets{Priority: 5},
					Expires: time.Now().Add(time.Duration(1+renewed) * time.Hour)}}); err != nil {
					b.Fatal(err)
				}
				if i%256 == 255 {
					if _, err := e.Contributions(ctx, subject); err != nil { // until it is taken in
						b.Fatal(err)
					}
				}
			}
		}
		for _, subject := range subjects {
			if cs, err := e.Contributions(ctx, subject); len(cs) != 1 || e.State(subject).State != Available {
				b.Fatal(cs, err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/people, "B/person")
		runtime.KeepAlive(subjects)
		cancel()
		<-ended
	}
}
