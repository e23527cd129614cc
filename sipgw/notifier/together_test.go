package notifier

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"rollcall/presence"
	"rollcall/sipgw/event"
	"rollcall/sipgw/transport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An echo is a transport whose NOTIFYs are answered a moment later.
type echo struct {
	deaf
	line chan func()
}

func (e *echo) Start(_ transport.Outgoing, got func(*transport.Response, error)) *transport.Call {
	select {
	case e.line <- func() { got(okay, nil) }:
	default:
		got(nil, transport.ErrBusy)
	}
	return nil
}

var okay, _ = transport.ParseResponse([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\n" +
	"To: <sip:b@x>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 NOTIFY\r\nContent-Length: 0\r\n\r\n"))

// Everything may happen at the same time.
func TestTogether(t *testing.T) {
	h := &hall{news: make(chan []presence.Subject)}
	h.turn(0)
	out := &echo{line: make(chan func(), 100)}
	n := New(Parts{
		Transport: out, Who: who, Subject: subject, States: h, Watch: h, Lines: h, Catalogue: presence.DefaultCatalogue,
		Watcher:  func(user string) (Watcher, bool) { return Watcher{As: presence.Subject(user + "@x")}, true },
		Level:    func(w, _ presence.Subject) presence.Level { return presence.Level(len(w) % 5) },
		Approval: func(w, _ presence.Subject) event.Permission { return event.Permission(len(w) % 3) },
		Group: func(_ string, w presence.Subject) ([]Member, bool) {
			return []Member{{"a1@x", "sip:a1@x", "A"}, {w, "sip:me@x", "Me"}}, len(w)%4 > 0
		},
		Store: &memory{rows: map[uint64]Saved{}}, Log: slog.New(slog.DiscardHandler),
	}, Config{MaxPerSubject: 50, MaxSubscriptions: 300})
	ctx, cancel := context.WithCancel(context.Background())
	var running, working sync.WaitGroup
	running.Go(func() { n.Run(ctx) })
	for range 2 {
		running.Go(func() {
			for {
				select {
				case f := <-out.line:
					f()
				case <-ctx.Done():
					return
				}
			}
		})
	}
	requests := make([][]*transport.Request, 4)
	for g := range requests {
		for i := range 300 {
			uri, pkg := fmt.Sprintf("sip:a%d@x", i%7), []string{"presence", "dialog"}[i%2]
			if i%5 == 0 {
				uri = "sip:blf-all@x"
			}
			text := fmt.Sprintf("SUBSCRIBE %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:w%d@x>;tag=1\r\n"+
				"To: <%s>\r\nCall-ID: %d-%d\r\nCSeq: 1 SUBSCRIBE\r\nContact: <sip:w@192.0.2.7>\r\nEvent: %s\r\nExpires: %d\r\nSupported: eventlist\r\n\r\n",
				uri, 8+i%5, uri, g, i, pkg, 3600*(i%4))
			r, err := transport.ParseRequest([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			requests[g] = append(requests[g], r)
		}
	}
	for g, list := range requests {
		working.Go(func() {
			for i, r := range list {
				h.turn(i)
				n.Subscribe(r)
				n.Changed("dialog", "a1@x", "a3@x")
				switch i % 10 {
				case 1:
					n.Recheck("", "")
				case 2:
					n.Regrouped("all")
				case 3:
					n.Registered(fmt.Sprint("w", 8+g), "sip:w@192.0.2.7", "", transport.Flow{})
				case 4:
					h.news <- []presence.Subject{"a1@x", "a2@x"}
				case 5:
					n.refreshAny(t, g)
				}
			}
		})
	}
	working.Wait()
	cancel()
	running.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.dialogs {
		n.drop(s)
	}
	if len(n.topics)+len(n.byTicket)+len(n.byUser)+len(n.due.all)+n.entries != 0 {
		t.Errorf("left: %+v", n)
	}
}

// refreshAny refreshes one of the subscriptions, or ends it.
func (n *Notifier) refreshAny(t *testing.T, g int) {
	n.mu.Lock()
	text := ""
	for _, s := range n.dialogs {
		text = fmt.Sprintf("SUBSCRIBE sip:gw SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: %s\r\n"+
			"To: %s\r\nCall-ID: %s\r\nCSeq: %d SUBSCRIBE\r\nEvent: %s\r\nExpires: %d\r\n\r\n", s.to, s.from, s.key.callID, s.theirs+1, s.pack.Name, 3600*(g%2))
		break
	}
	n.mu.Unlock()
	if text == "" {
		return
	}
	r, err := transport.ParseRequest([]byte(text))
	if err != nil {
		t.Error(err)
		return
	}
	n.Subscribe(r)
}
