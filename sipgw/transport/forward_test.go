package transport_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rollcall/sipgw/transport"
)

const calledAt = "192.0.2.8:5060"

// A proxy forwards all calls to whoever is at calledAt, and what belongs to them
// by their routes.
type proxy struct {
	tr   *transport.Transport
	call *transport.Call
	errs []error
}

func (p *proxy) serve(tr *transport.Transport) {
	p.tr = tr
	for _, m := range []string{"INVITE", "BYE", "MESSAGE"} {
		tr.Handle(m, p.request)
	}
	tr.Handle("ACK", func(r *transport.Request) { p.tr.Pass(r, p.leg(r)) })
}

func (p *proxy) leg(r *transport.Request) transport.Leg {
	flow, ok := r.PopRoute(p.tr)
	if ok {
		return transport.Leg{Flow: flow}
	}
	if !r.Initial() {
		return transport.Leg{}
	}
	out, err := p.tr.FlowTo(transport.URI{Scheme: "sip", Host: "192.0.2.8"})
	if err != nil {
		p.errs = append(p.errs, err)
	}
	return transport.Leg{
		URI: "sip:2002@10.0.0.2;ob", Flow: out, Mark: "loop1", Remove: []string{"X-Private"},
		Add:         []transport.Field{{Name: "P-Asserted-Identity", Value: "<sip:2001@example.org>"}},
		RecordRoute: []string{p.tr.RecordRoute(out), p.tr.RecordRoute(r.Flow())},
	}
}

func (p *proxy) request(r *transport.Request) {
	call := p.tr.Forward(r, p.leg(r), func(res *transport.Response, err error) {
		if err != nil {
			p.errs = append(p.errs, err)
			r.Respond(transport.Status(err), "")
			return
		}
		p.tr.Relay(r, res)
	})
	if r.Method() == "INVITE" {
		p.call = call
		r.OnCancel(call.Cancel)
	}
}

func TestCallThroughAProxy(t *testing.T) {
	var p proxy
	play(t, transport.Options{}, func(b *bed) { p.serve(b.tr) }, func(b *bed) {
		caller, called := b.peer(phoneAt), b.peer(calledAt)
		defer caller.close()
		defer called.close()

		caller.send(strings.Replace(invite, "Contact", "X-Private: 1\nContact", 1))
		in := b.starts(called.one(), "INVITE sip:2002@10.0.0.2;ob SIP/2.0\r\n")
		vias, routes := values(in, "Via"), values(in, "Record-Route")
		if len(vias) != 2 || !strings.HasSuffix(vias[0], ".loop1;rport") || !strings.Contains(vias[1], ";received=192.0.2.7;rport=5060") {
			t.Errorf("%q", vias)
		}
		if len(routes) != 2 || value(in, "Max-Forwards") != "69" || value(in, "X-Private") != "" ||
			value(in, "P-Asserted-Identity") == "" || !strings.HasSuffix(in, "\r\n\r\nv=0\r\n") || value(in, "Content-Type") != "application/sdp" {
			t.Errorf("%s", in)
		}

		called.sendRaw(answer(in, "180 Ringing"))
		ringing := b.starts(caller.one(), "SIP/2.0 180 Ringing\r\n")
		if v := values(ringing, "Via"); len(v) != 1 || v[0] != vias[1] || len(values(ringing, "Record-Route")) != 2 {
			t.Errorf("%s", ringing)
		}
		called.sendRaw(answer(in, "200 OK", "Contact: <sip:2002@10.0.0.2;ob>"))
		ok := b.starts(caller.one(), "SIP/2.0 200 OK\r\n")

		// The caller's route set is the Record-Route from behind (RFC 3261 §12.1.2).
		ack := strings.Replace(ackOf(ok), "sip:2002@example.org SIP", "sip:2002@10.0.0.2;ob SIP", 1)
		ack = strings.Replace(ack, "\nMax", "\nRoute: "+routes[1]+", "+routes[0]+"\nMax", 1)
		caller.send(ack)
		acked := b.starts(called.one(), "ACK sip:2002@10.0.0.2;ob SIP/2.0\r\n")
		if value(acked, "Route") != "" || len(values(acked, "Via")) != 2 {
			t.Errorf("%s", acked)
		}

		// The other side hangs up: its route set is the Record-Route as it came.
		called.send("\nBYE sip:2001@10.0.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKbye;rport\nMax-Forwards: 70\nRoute: " +
			routes[0] + "\nRoute: " + routes[1] + "\nFrom: <sip:2002@example.org>;tag=peer\nTo: <sip:2001@example.org>;tag=a\nCall-ID: call-2\nCSeq: 1 BYE\nContent-Length: 0\n\n")
		bye := b.starts(caller.one(), "BYE sip:2001@10.0.0.1 SIP/2.0\r\n")
		caller.sendRaw(answer(bye, "200 OK"))
		b.starts(called.one(), "SIP/2.0 200 OK\r\n")
		if p.errs != nil {
			t.Error(p.errs)
		}
	})
}

func TestCancelThroughAProxy(t *testing.T) {
	var p proxy
	play(t, transport.Options{}, func(b *bed) { p.serve(b.tr) }, func(b *bed) {
		caller, called := b.peer(phoneAt), b.peer(calledAt)
		defer caller.close()
		defer called.close()
		caller.send(invite)
		in := called.one()
		called.sendRaw(answer(in, "180 Ringing"))
		caller.one()
		caller.send(cancel)
		b.starts(caller.one(), "SIP/2.0 200 OK")
		cancelled := b.starts(called.one(), "CANCEL sip:2002@10.0.0.2;ob")
		called.sendRaw(answer(cancelled, "200 OK"))

		// They answered at that moment: the call is up, and the caller has to know.
		called.sendRaw(answer(in, "200 OK"))
		b.starts(caller.one(), "SIP/2.0 200 OK")
		sleep(time.Minute)
	})
}

// RFC 6026 §8.5: a 2xx goes through even when another answer went before.
func TestLateSuccessIsNotLost(t *testing.T) {
	var late func()
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(r *transport.Request) {
			r.Respond(408, "")
			late = func() { r.Respond(200, "") }
		})
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(invite)
		u.send(ackOf(b.starts(u.one(), "SIP/2.0 408 ")))
		late()
		b.starts(u.one(), "SIP/2.0 200 OK")
	})
}

func TestForwardingHasAnEnd(t *testing.T) {
	var p proxy
	play(t, transport.Options{}, func(b *bed) { p.serve(b.tr) }, func(b *bed) {
		caller := b.peer(phoneAt)
		defer caller.close()
		caller.send(strings.Replace(invite, "Max-Forwards: 70", "Max-Forwards: 0", 1))
		caller.send(ackOf(b.starts(caller.one(), "SIP/2.0 483 Too Many Hops")))
		caller.send(strings.ReplaceAll(strings.ReplaceAll(invite, "INVITE", "MESSAGE"), "inv1", "msg1"))
		sleep(40 * time.Second)
		b.starts(caller.one(), "SIP/2.0 408 Request Timeout")
		if len(p.errs) != 2 || !errors.Is(p.errs[0], transport.ErrTooManyHops) || !errors.Is(p.errs[1], transport.ErrTimeout) {
			t.Error(p.errs)
		}
	})
}

func TestRoutes(t *testing.T) {
	play(t, transport.Options{Hosts: []string{"example.org"}}, nil, func(b *bed) {
		read := func(target string, routes ...string) *transport.Request {
			text := strings.Replace(register, "REGISTER sip:example.org", "MESSAGE "+target, 1)
			text = strings.Replace(strings.Replace(text, "1 REGISTER", "1 MESSAGE", 1), "\nf:", "\nRoute: "+strings.Join(routes, ",")+"\nf:", 1)
			r, err := transport.ParseRequest([]byte(wire(text)))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		flow, err := b.tr.FlowTo(transport.URI{Scheme: "sip", Host: "192.0.2.77"})
		if err != nil {
			t.Fatal(err)
		}
		token := b.tr.Token(flow)
		for _, c := range []struct {
			name, target string
			routes       []string
			want         string // the target and the routes that are left
			flow         bool
		}{
			{"none", "sip:a@192.0.2.9", nil, "sip:a@192.0.2.9", false},
			{"ours", "sip:a@192.0.2.9", []string{"<sip:192.0.2.1:5060;lr>"}, "sip:a@192.0.2.9", false},
			{"ours by name", "sip:a@192.0.2.9", []string{"<sip:example.org;lr>"}, "sip:a@192.0.2.9", false},
			{"ours, with a flow", "sip:a@192.0.2.9", []string{"<sip:" + token + "@192.0.2.1;lr>"}, "sip:a@192.0.2.9", true},
			{"both sides ours", "sip:a@192.0.2.9", []string{"<sip:192.0.2.1:5060;lr>", "<sip:" + token + "@192.0.2.1;lr>"}, "sip:a@192.0.2.9", true},
			{"another one next", "sip:a@192.0.2.9", []string{"<sip:" + token + "@192.0.2.1;lr>", "<sip:192.0.2.200;lr>"}, "sip:a@192.0.2.9 <sip:192.0.2.200;lr>", false},
			{"a token of somebody else's", "sip:a@192.0.2.9", []string{"<sip:A" + token + "@192.0.2.1;lr>"}, "sip:a@192.0.2.9", false},
			{"another port", "sip:a@192.0.2.9", []string{"<sip:192.0.2.1:5999;lr>"}, "sip:a@192.0.2.9 <sip:192.0.2.1:5999;lr>", false},
			// RFC 3261 §16.12.1.2
			{"through a strict router", "sip:192.0.2.1;lr", []string{"<sip:a@192.0.2.9>"}, "sip:a@192.0.2.9", false},
		} {
			r := read(c.target, c.routes...)
			got, ok := r.PopRoute(b.tr)
			if left := strings.Join(append([]string{r.Target()}, r.Routes()...), " "); left != c.want || ok != c.flow || ok && got != flow {
				t.Errorf("%s: %s %v", c.name, left, got)
			}
		}
	})
}

// RFC 3261 §16.6, step 6: a strict router gets its own address as the target.
func TestToAStrictRouter(t *testing.T) {
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("MESSAGE", func(r *transport.Request) {
			b.tr.Forward(r, transport.Leg{Routes: []string{"<sip:192.0.2.8>"}}, func(*transport.Response, error) {})
		})
	}, func(b *bed) {
		caller, called := b.peer(phoneAt), b.peer(calledAt)
		defer caller.close()
		defer called.close()
		caller.send(strings.ReplaceAll(invite, "INVITE", "MESSAGE"))
		got := b.starts(called.one(), "MESSAGE sip:192.0.2.8 SIP/2.0\r\n")
		if value(got, "Route") != "<sip:2002@example.org>" {
			t.Errorf("%s", got)
		}
		synctest.Wait()
	})
}
