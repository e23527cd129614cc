package notifier

import (
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"testing"

	"rollcall/presence"
	"rollcall/sipgw/transport"
)

// deaf is a transport that sends nothing.
type deaf struct{}

func (deaf) Start(o transport.Outgoing, got func(*transport.Response, error)) *transport.Call {
	got(nil, transport.ErrTimeout)
	return nil
}
func (deaf) ContactFor(transport.Flow, string) string { return "sip:gw" }
func (deaf) Named(transport.Kind, uint64, netip.AddrPort, netip.AddrPort) (transport.Flow, bool) {
	return transport.Flow{}, false
}

// asks is a SUBSCRIBE as a phone sends it.
func asks(t testing.TB, i int, uri, pkg string) *transport.Request {
	t.Helper()
	r, err := transport.ParseRequest(fmt.Appendf(nil, "SUBSCRIBE %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bKx%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: \"Phone %d\" <sip:w%d@example.org>;tag=1928301774%d\r\nTo: <%s>\r\nCall-ID: a84b4c76e66710%d@pc33.example.org\r\nCSeq: 1 SUBSCRIBE\r\n"+
		"Contact: <sip:w%d@192.0.2.7:5062;transport=udp;line=abcdef>\r\nEvent: %s\r\nUser-Agent: Yealink SIP-T46S 66.85.0.5\r\nContent-Length: 0\r\n\r\n",
		uri, i, i, i, i, uri, i, i, pkg))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A subscription may cost 1.5 KiB: of 10,000 phones that watch one device each and
// of one device that 10,000 watch.
func TestMemory(t *testing.T) {
	const many = 10_000
	for name, uri := range map[string]func(int) string{
		"each another": func(i int) string { return fmt.Sprintf("sip:%d@example.org", i) },
		"all one":      func(int) string { return "sip:alice@example.org" },
	} {
		h := &hall{}
		h.turn(0)
		n := New(Parts{
			Transport: deaf{}, Who: who, States: h, Watch: h, Lines: h, Catalogue: presence.DefaultCatalogue,
			Subject: func(u transport.URI) (presence.Subject, bool) { return presence.Subject(u.User + "@" + u.Host), true },
			Watcher: func(user string) (Watcher, bool) { return Watcher{As: presence.Subject(user + "@x")}, true },
			Level:   func(_, _ presence.Subject) presence.Level { return presence.Status },
			Log:     slog.New(slog.DiscardHandler),
		}, Config{MaxPerSubject: many})
		before := heap()
		for i := range many {
			n.Subscribe(asks(t, i, uri(i), "dialog"))
		}
		each := (heap() - before) / many
		if n.Count() != many || each > 1536 {
			t.Errorf("%s: %d subscriptions of %d bytes each", name, n.Count(), each)
		}
		t.Logf("%s: %d bytes", name, each)
		runtime.KeepAlive(n)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
