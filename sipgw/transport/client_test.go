package transport_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/transport"
)

// outgoing is a request to the phone at phoneAt.
func outgoing(method string) transport.Outgoing {
	return transport.Outgoing{
		Method: method, URI: "sip:2001@" + phoneAt, From: "<sip:gw@example.org>;tag=g", To: "<sip:2001@example.org>",
		CallID: "ours-1", CSeq: 12, Contact: "auto",
	}
}

// results keeps what a callback was called with.
type results struct {
	status []int
	errs   []error
	last   *transport.Response
}

func (r *results) got(res *transport.Response, err error) {
	if err != nil {
		r.errs = append(r.errs, err)
		return
	}
	r.status, r.last = append(r.status, res.Status()), res
}

func TestRequestIsSentUntilAnswered(t *testing.T) {
	play(t, transport.Options{Software: "Rollcall/1.0"}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		var r results
		o := outgoing("NOTIFY")
		o.Fields = []transport.Field{{Name: "Event", Value: "presence"}, {Name: "X-Bad", Value: "a\r\nTo: <sip:evil@example.org>"}}
		o.ContentType, o.Body = "text/plain", []byte("tea?")
		b.tr.Start(o, r.got)
		req := b.starts(u.one(), "NOTIFY sip:2001@192.0.2.7:5060 SIP/2.0\r\n")
		for name, want := range map[string]string{
			"Max-Forwards": "70", "CSeq": "12 NOTIFY", "Contact": "<sip:192.0.2.1:5060>", "User-Agent": "Rollcall/1.0",
			"Content-Length": "4", "Content-Type": "text/plain", "Event": "presence", "X-Bad": "",
		} {
			if got := value(req, name); got != want {
				t.Errorf("%s: %q, not %q", name, got, want)
			}
		}
		sleep(2 * time.Second)
		if again := u.take(); len(again) != 2 || again[1] != req {
			t.Fatalf("%q", again)
		}
		u.sendRaw(answer(req, "200 OK"))
		u.sendRaw(answer(req, "200 OK"))
		if len(r.status) != 1 || r.status[0] != 200 || r.last.To().Tag() != "peer" || r.last.Flow().Remote() != u.at {
			t.Fatalf("%+v", r)
		}
		sleep(time.Minute)
		if got := u.take(); len(got) != 0 {
			t.Errorf("%q", got)
		}
	})
}

func TestRequestThatNobodyAnswers(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		for method, times := range map[string]int{"OPTIONS": 11, "INVITE": 7} { // RFC 3261 §17.1.1.2, §17.1.2.2
			var r results
			start := time.Now()
			b.tr.Start(outgoing(method), func(res *transport.Response, err error) {
				r.got(res, err)
				if took := time.Since(start); took != 32*time.Second {
					t.Errorf("%s: gave up after %s", method, took)
				}
			})
			sleep(time.Minute)
			if got := u.take(); len(got) != times || len(r.errs) != 1 || transport.Status(r.errs[0]) != 408 {
				t.Errorf("%s: %d times, %v", method, len(got), r.errs)
			}
		}
	})
}

func TestProvisionalSlowsDown(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		var r results
		b.tr.Start(outgoing("OPTIONS"), r.got)
		u.sendRaw(answer(u.one(), "100 Trying"))
		sleep(10 * time.Second)
		if got := u.take(); len(got) != 3 || len(r.status) != 0 { // RFC 3261 §17.1.2.2: 0.5, then every 4 seconds
			t.Errorf("%d %v", len(got), r.status)
		}
	})
}

func TestSendWaits(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		done := make(chan error, 1)
		go func() {
			res, err := b.tr.Send(context.Background(), outgoing("MESSAGE"))
			if err == nil && res.Status() != 202 {
				err = errors.New(res.Reason())
			}
			done <- err
		}()
		u.sendRaw(answer(u.one(), "202 Accepted"))
		if err := <-done; err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := b.tr.Send(ctx, outgoing("MESSAGE")); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestAnswersOfStrangersCountForNothing(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		var r results
		b.tr.Start(outgoing("OPTIONS"), r.got)
		req := u.one()
		branch := strings.Split(strings.Split(value(req, "Via"), "branch=")[1], ";")[0]
		u.sendRaw(strings.ReplaceAll(answer(req, "200 OK"), branch, "z9hG4bKguess"))
		u.sendRaw(strings.ReplaceAll(answer(req, "200 OK"), "12 OPTIONS", "12 NOTIFY"))
		if len(r.status) != 0 {
			t.Fatal(r.status)
		}
		u.sendRaw(answer(req, "200 OK"))
		if len(r.status) != 1 {
			t.Fatal(r.status)
		}
	})
}

func TestInviteOfOurs(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		var r results
		call := b.tr.Start(outgoing("INVITE"), r.got)
		req := u.one()
		call.Cancel() // too early: nobody has been heard (RFC 3261 §9.1)
		if got := u.take(); len(got) != 0 {
			t.Fatalf("%q", got)
		}
		u.sendRaw(answer(req, "180 Ringing"))
		cancelled := b.starts(u.one(), "CANCEL sip:2001@192.0.2.7:5060 SIP/2.0")
		if value(cancelled, "Via") != value(req, "Via") || value(cancelled, "CSeq") != "12 CANCEL" || value(cancelled, "Contact") != "" {
			t.Errorf("%s", cancelled)
		}
		u.sendRaw(answer(cancelled, "200 OK"))
		refusal := answer(req, "487 Request Terminated")
		u.sendRaw(refusal)
		ack := b.starts(u.one(), "ACK sip:2001@192.0.2.7:5060 SIP/2.0")
		if value(ack, "Via") != value(req, "Via") || value(ack, "CSeq") != "12 ACK" || value(ack, "To") != "<sip:2001@example.org>;tag=peer" {
			t.Errorf("%s", ack)
		}
		u.sendRaw(refusal)
		if again := u.one(); again != ack {
			t.Errorf("%s", again)
		}
		if len(r.status) != 2 || r.status[1] != 487 || r.errs != nil {
			t.Errorf("%+v", r)
		}
	})
}

func TestInviteThatIsNeverAnswered(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		var r results
		b.tr.Start(outgoing("INVITE"), r.got)
		u.sendRaw(answer(u.one(), "183 Session Progress"))
		sleep(3 * time.Minute)
		if got := u.take(); len(got) != 0 {
			t.Fatalf("%q", got)
		}
		sleep(15 * time.Second) // timer C (RFC 3261 §16.8)
		b.starts(u.take()[0], "CANCEL ")
		sleep(time.Minute)
		if len(r.errs) != 1 || !errors.Is(r.errs[0], transport.ErrTimeout) {
			t.Errorf("%+v", r)
		}
	})
}

func TestEach2xxIsTold(t *testing.T) {
	play(t, transport.Options{}, nil, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		var r results
		b.tr.Start(outgoing("INVITE"), r.got)
		ok := answer(u.one(), "200 OK")
		u.sendRaw(ok)
		u.sendRaw(strings.ReplaceAll(ok, "tag=peer", "tag=other")) // another phone behind a forking proxy
		if len(r.status) != 2 || r.last.To().Tag() != "other" {
			t.Errorf("%+v", r)
		}
		if err := b.tr.Write(outgoing("ACK")); err != nil {
			t.Error(err)
		}
		b.starts(u.one(), "ACK sip:2001@192.0.2.7:5060 SIP/2.0")
	})
}

func TestRequestsThatCannotLeave(t *testing.T) {
	play(t, transport.Options{Config: transport.Config{Limits: transport.Limits{Transactions: 1}}}, nil, func(b *bed) {
		fail := func(o transport.Outgoing) error {
			var r results
			b.tr.Start(o, r.got)
			synctest.Wait()
			if len(r.errs) != 1 {
				t.Fatalf("%+v: %+v", o, r)
			}
			return r.errs[0]
		}
		o := outgoing("OPTIONS")
		o.To = "<sip:a@b>\r\nX: y"
		if err := fail(o); transport.Status(err) != 400 {
			t.Error(err)
		}
		o = outgoing("OPTIONS")
		for _, uri := range []string{"tel:+4930", "sip:[2001:db8::1]", "sip:a@192.0.2.9;transport=ws"} {
			o.URI = uri
			if err := fail(o); transport.Status(err) != 503 {
				t.Error(err)
			}
		}
		var r results
		b.tr.Start(outgoing("OPTIONS"), r.got)
		if err := fail(outgoing("OPTIONS")); !errors.Is(err, transport.ErrBusy) {
			t.Error(err)
		}
		if _, err := b.tr.FlowTo(transport.URI{Scheme: "sip", Host: "phone.example.org"}); err == nil {
			t.Error("a name is no flow")
		}
		if f, err := b.tr.FlowTo(transport.URI{Scheme: "sip", Host: "192.0.2.9"}); err != nil || f.Remote() != netip.MustParseAddrPort("192.0.2.9:5060") {
			t.Error(f, err)
		}
	})
}

// names is a DNS of a few names.
type names struct {
	srv  map[string]*net.SRV
	addr map[string]string
}

func (n names) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if s := n.srv[service+" "+proto+" "+name]; s != nil {
		return name, []*net.SRV{s}, nil
	}
	return "", nil, errors.New("no such service")
}

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if a, ok := n.addr[host]; ok {
		// One that our sockets cannot send to comes first.
		return []netip.Addr{netip.MustParseAddr("2001:db8::9"), netip.MustParseAddr(a)}, nil
	}
	return nil, errors.New("no such host")
}

// RFC 3263 §4.2: services where no port is written, and then addresses.
func TestNamesAreLookedUp(t *testing.T) {
	dns := names{
		srv:  map[string]*net.SRV{"sip udp example.org": {Target: "pbx.example.org.", Port: 5070}, "sip udp broken.example.org": {Target: "nowhere.example.org.", Port: 1}},
		addr: map[string]string{"pbx.example.org": "192.0.2.7", "plain.example.org": "192.0.2.7", "broken.example.org": "192.0.2.7"},
	}
	play(t, transport.Options{Resolver: dns}, nil, func(b *bed) {
		usual, other := b.peer(phoneAt), b.peer("192.0.2.7:5070")
		defer usual.close()
		defer other.close()
		for uri, at := range map[string]*peer{
			"sip:a@example.org": other, "sip:a@pbx.example.org:5070": other, "sip:a@plain.example.org": usual,
			"sip:a@broken.example.org": usual, "sip:a@nowhere.example.org": nil, "sip:example.org:5071": nil,
		} {
			var r results
			o := outgoing("OPTIONS")
			o.URI = uri
			b.tr.Start(o, r.got)
			synctest.Wait()
			if at == nil {
				if len(r.errs) != 1 || !errors.Is(r.errs[0], transport.ErrUnreachable) {
					t.Errorf("%s: %+v", uri, r.errs)
				}
				continue
			}
			at.sendRaw(answer(b.starts(at.one(), "OPTIONS "+uri), "200 OK"))
			if len(r.status) != 1 {
				t.Errorf("%s: %+v", uri, r.errs)
			}
		}
	})
}
