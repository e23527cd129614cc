package notifier

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/transport"
)

// A hall is many watchers of one subject over loopback, and who answers for them.
type hall struct {
	n       *Notifier
	state   atomic.Pointer[presence.Effective]
	calls   atomic.Pointer[[]dialoginfo.Live]
	news    chan []presence.Subject
	phones  *net.UDPConn
	gateway netip.AddrPort
	heard   atomic.Int64
	more    chan struct{}
	theirs  atomic.Int64 // CPU time of the phones, in nanoseconds
}

func (h *hall) State(presence.Subject) *presence.Effective { return h.state.Load() }
func (h *hall) Calls(presence.Subject) []dialoginfo.Live {
	if c := h.calls.Load(); c != nil {
		return *c
	}
	return nil
}
func (*hall) Add(...presence.Subject)    {}
func (*hall) Remove(...presence.Subject) {}
func (h *hall) Next(ctx context.Context) ([]presence.Subject, error) {
	select {
	case s := <-h.news:
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answer is all phones: they say 200 to every NOTIFY, as cheaply as can be.
func (h *hall) answer() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	in, out := make([]byte, 1<<16), make([]byte, 0, 4096)
	for {
		n, from, err := h.phones.ReadFromUDPAddrPort(in)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(in[:n], []byte("NOTIFY ")) {
			continue // the answer to SUBSCRIBE
		}
		out = append(out[:0], "SIP/2.0 200 OK\r\n"...)
		for rest := in[:n]; ; {
			var line []byte
			if line, rest, _ = bytes.Cut(rest, []byte("\r\n")); len(line) == 0 {
				break
			}
			for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
				if bytes.HasPrefix(line, []byte(name)) {
					out = append(append(out, line...), "\r\n"...)
				}
			}
		}
		h.phones.WriteToUDPAddrPort(append(out, "Content-Length: 0\r\n\r\n"...), from)
		var u syscall.Rusage
		syscall.Getrusage(1, &u) // RUSAGE_THREAD
		h.theirs.Store(u.Utime.Nano() + u.Stime.Nano())
		if h.heard.Add(1); true {
			select {
			case h.more <- struct{}{}:
			default:
			}
		}
	}
}

// wait waits until so many NOTIFYs have been answered.
func (h *hall) wait(n int64) {
	for h.heard.Load() < n {
		<-h.more
	}
}

// newHall opens a hall.
func newHall(b *testing.B) *hall {
	h := &hall{news: make(chan []presence.Subject), more: make(chan struct{}, 1)}
	h.turn(0)
	tr, err := transport.New(transport.Options{Config: transport.Config{
		Listen: []string{"127.0.0.1:0"}, Limits: transport.Limits{Transactions: 1 << 20},
	}})
	if err != nil {
		b.Fatal(err)
	}
	h.n = New(Parts{
		Transport: tr, Who: who, Subject: subject, States: h, Watch: h, Lines: h, Catalogue: presence.DefaultCatalogue,
		Watcher: func(user string) (Watcher, bool) { return Watcher{As: presence.Subject(user + "@x")}, true },
		Level:   func(_, _ presence.Subject) presence.Level { return presence.Status },
		Log:     slog.New(slog.DiscardHandler),
	}, Config{})
	h.n.Register(tr.Handle)
	if err := tr.Listen(); err != nil {
		b.Fatal(err)
	}
	if h.phones, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { tr.Run(ctx) })
	running.Go(func() { h.n.Run(ctx) })
	running.Go(h.answer)
	b.Cleanup(func() { cancel(); h.phones.Close(); running.Wait() })
	h.phones.SetReadBuffer(4 << 20)
	h.gateway = tr.Addrs(transport.UDP)[0]
	return h
}

// subscribe has so many watchers subscribe.
func (h *hall) subscribe(pkg string, watchers int) {
	port := h.phones.LocalAddr().(*net.UDPAddr).Port
	for i := range watchers {
		fmt.Fprintf(h, "SUBSCRIBE sip:alice@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:%d;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:w%d@x>;tag=tag%d\r\nTo: <sip:alice@x>\r\nCall-ID: call-%d-abcdefghijkl\r\nCSeq: 1 SUBSCRIBE\r\n"+
			"Contact: <sip:w%d@127.0.0.1:%d>\r\nEvent: %s\r\nExpires: 3600\r\nUser-Agent: Bench\r\nContent-Length: 0\r\n\r\n",
			port, i, i, i, i, i, port, pkg)
		h.wait(int64(i) + 1)
	}
}

func (h *hall) Write(b []byte) (int, error) { return h.phones.WriteToUDPAddrPort(b, h.gateway) }

// turn changes what is so.
func (h *hall) turn(i int) {
	e := &presence.Effective{Subject: "alice@x", Kind: presence.Person, State: "available", Channels: presence.Chat | presence.Voice}
	var calls []dialoginfo.Live
	if i%2 == 1 {
		e.State = "on_call"
		c := presence.Contribution{Source: "phone/2001", Axis: presence.Engagement, State: "on_call", Since: time.Now(), Channels: presence.Voice}
		e.Winner, e.All, e.Engaged = c, []presence.Contribution{c}, true
		calls = []dialoginfo.Live{call("1", dialoginfo.Confirmed, dialoginfo.Recipient)}
	}
	h.state.Store(e)
	h.calls.Store(&calls)
}

// BenchmarkNotify is a NOTIFY to one of 200 watchers over loopback UDP, with the
// kernel: server-µs/op is the CPU time of all but the phones.
func BenchmarkNotify(b *testing.B) {
	for _, pkg := range []string{"presence", "dialog"} {
		b.Run(pkg, func(b *testing.B) {
			const watchers = 200
			h := newHall(b)
			h.subscribe(pkg, watchers)
			heard := h.heard.Load()
			before, theirs := cpu(), h.theirs.Load()
			b.ReportAllocs()
			b.ResetTimer()
			rounds := max(b.N/watchers, 1)
			for i := range rounds {
				h.turn(i + 1)
				h.news <- []presence.Subject{"alice@x"}
				heard += watchers
				h.wait(heard)
			}
			b.StopTimer()
			told := float64(rounds * watchers)
			b.ReportMetric(float64(cpu()-before-(h.theirs.Load()-theirs))/1000/told, "server-µs/op")
			b.ReportMetric(float64(h.theirs.Load()-theirs)/1000/told, "phone-µs/op")
		})
	}
}

func cpu() int64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}
