package watcher

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
)

// quiet sends nothing: the benchmarks play the answers.
type quiet struct{}

func (quiet) Start(transport.Outgoing, func(*transport.Response, error)) *transport.Call { return nil }

// manned returns a watcher with so many subscriptions in force.
func manned(b testing.TB, n int, tell func(Learned)) (*Watcher, []*leg) {
	r := device.NewRegister(memory(phones(n)), device.Config{Domain: "x", MaxDevices: n})
	if err := r.Load(context.Background()); err != nil {
		b.Fatal(err)
	}
	w := New(Parts{SIP: quiet{}, Devices: r.Picture, Tell: tell, Synced: func() {}}, Config{Upstreams: []Upstream{hq()}, Rate: 10_000})
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.plan(now)
	var all []*leg
	for _, x := range w.watched {
		g := x.legs[Dialog]
		g.m.Tick(now)
		w.anew(g)
		g.m.Answered(200, time.Hour, -1, -1, now)
		w.schedule(g, next(g))
		all = append(all, g)
	}
	return w, all
}

// notifies makes NOTIFYs of a subscription: a call that comes and goes.
func (g *leg) notify(n int) string {
	body := document(n, "full", []string{"early", "confirmed", ""}[n%3])
	return fmt.Sprintf("NOTIFY sip:192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:2001@%s>;tag=pbx\r\nTo: <sip:rollcall@%s>;tag=%s\r\n"+
		"Call-ID: %s\r\nCSeq: %d NOTIFY\r\nContact: <sip:pbx@%s>\r\nEvent: dialog\r\nSubscription-State: active;expires=3599\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		pbxAt, g.local, n, pbxAt, pbxAt, g.local, g.callID, n+1, pbxAt, accepts[Dialog], len(body), body)
}

// BenchmarkNotify is what a NOTIFY costs that has been read, until what it comes to is
// told: the parser of SIP, the document, the table, the machine.
func BenchmarkNotify(b *testing.B) {
	w, all := manned(b, 5000, nil)
	b.ReportAllocs()
	now := time.Now()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		text := []byte(all[n%len(all)].notify(n / len(all)))
		b.StartTimer()
		r, err := transport.ParseRequest(text)
		if err != nil {
			b.Fatal(err)
		}
		w.Notified(r)
		if _, told, _, _ := w.round(now, now); n > len(all) && len(told) != 1 {
			b.Fatalf("%d are told", len(told))
		}
	}
}

// BenchmarkNotifyOverUDP is the same from datagram to answer, with the transport and the
// network of the tests.
func BenchmarkNotifyOverUDP(b *testing.B) {
	var told atomic.Int64
	w, all := manned(b, 5000, func(Learned) { told.Add(1) })
	net := &siptest.Network{}
	tr, err := transport.New(transport.Options{Network: net, Config: transport.Config{Listen: []string{gateway}, Limits: transport.Limits{
		Transactions: 1 << 20, Trusted: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	tr.Handle("NOTIFY", transport.Endpoint(w.Notified))
	if err := tr.Listen(); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { tr.Run(ctx) })
	running.Go(func() { w.Run(ctx) })
	p, err := net.Packets(pbxAt)
	if err != nil {
		b.Fatal(err)
	}
	buf, bad := make([]byte, 1<<16), 0
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		text := []byte(all[n%len(all)].notify(n / len(all)))
		b.StartTimer()
		p.WriteToUDPAddrPort(text, netip.MustParseAddrPort(gateway))
		if m, _, err := p.ReadFromUDPAddrPort(buf); err != nil || !strings.HasPrefix(string(buf[:m]), "SIP/2.0 200") {
			bad++
		}
	}
	b.ReportMetric(float64(told.Load())/float64(b.N), "told/op")
	cancel()
	p.Close()
	running.Wait()
	if bad > 0 {
		b.Errorf("%d were not answered 200", bad)
	}
}

// BenchmarkMemory is what a subscription in force takes.
func BenchmarkMemory(b *testing.B) {
	const n = 10_000
	var before, after runtime.MemStats
	for b.Loop() {
		r := phones(n)
		runtime.GC()
		runtime.ReadMemStats(&before)
		w, all := manned(b, n, nil)
		for _, g := range all {
			req, err := transport.ParseRequest([]byte(g.notify(0)))
			if err != nil {
				b.Fatal(err)
			}
			w.Notified(req)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/subscription")
		runtime.KeepAlive(w)
		runtime.KeepAlive(r)
	}
}
