package transport_test

import (
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/transport"
)

const invite = `
INVITE sip:2002@example.org SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKinv1;rport
Max-Forwards: 70
From: <sip:2001@example.org>;tag=a
To: <sip:2002@example.org>
Call-ID: call-2
CSeq: 7 INVITE
Contact: <sip:2001@192.0.2.7:5060>
Content-Type: application/sdp
Content-Length: 5

v=0
`

const cancel = `
CANCEL sip:2002@example.org SIP/2.0
Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKinv1;rport
Max-Forwards: 70
From: <sip:2001@example.org>;tag=a
To: <sip:2002@example.org>
Call-ID: call-2
CSeq: 7 CANCEL
Content-Length: 0

`

// ackOf acknowledges a response to invite. For a 2xx it is a request of its own.
func ackOf(res string) string {
	branch := "z9hG4bKinv1"
	if strings.HasPrefix(res, "SIP/2.0 2") {
		branch = "z9hG4bKack1"
	}
	return "\nACK sip:2002@example.org SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=" + branch +
		";rport\nMax-Forwards: 70\nFrom: <sip:2001@example.org>;tag=a\nTo: " + value(res, "To") +
		"\nCall-ID: call-2\nCSeq: 7 ACK\nContent-Length: 0\n\n"
}

func TestRefusalIsSentUntilAcknowledged(t *testing.T) {
	acks := 0
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(r *transport.Request) { r.Respond(486, "") })
		b.tr.Handle("ACK", func(*transport.Request) { acks++ })
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(invite)
		res := b.starts(u.one(), "SIP/2.0 486 Busy Here")
		sleep(4 * time.Second) // RFC 3261 §17.2.1: after 0.5, 1.5, 3.5 seconds
		if got := u.take(); len(got) != 3 || got[2] != res {
			t.Fatalf("%d: %q", len(got), got)
		}
		u.send(ackOf(res))
		sleep(time.Minute)
		if got := u.take(); len(got) != 0 || acks != 0 {
			t.Fatalf("%d: %q", acks, got)
		}
	})
}

func TestRefusalThatNobodyAcknowledges(t *testing.T) {
	asked := 0
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(r *transport.Request) { asked++; r.Respond(486, "") })
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(invite)
		sleep(time.Minute)
		if got := u.take(); len(got) != 11 { // at 0, 0.5, 1.5, 3.5, 7.5 … 31.5 seconds
			t.Fatalf("%d", len(got))
		}
		u.send(invite)
		if u.take(); asked != 2 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestAckOfSuccessIsPassedUp(t *testing.T) {
	var acked []string
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(r *transport.Request) { r.Respond(200, "") })
		b.tr.Handle("ACK", func(r *transport.Request) { acked = append(acked, r.CallID()) })
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(invite)
		res := b.starts(u.one(), "SIP/2.0 200 OK")
		u.send(invite) // RFC 6026 §7.1: taken in without a word
		if got := u.take(); len(got) != 0 {
			t.Errorf("%q", got)
		}
		u.send(ackOf(res))
		if u.take(); len(acked) != 1 || acked[0] != "call-2" {
			t.Errorf("%q", acked)
		}
	})
}

func TestTryingAndCancel(t *testing.T) {
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(*transport.Request) {})
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(invite)
		if got := u.take(); len(got) != 0 {
			t.Fatalf("%q", got)
		}
		sleep(250 * time.Millisecond)
		if trying := b.starts(u.one(), "SIP/2.0 100 Trying"); strings.Contains(value(trying, "To"), "tag=") {
			t.Errorf("%s", trying)
		}
		u.send(cancel)
		got := u.take()
		if len(got) != 2 {
			t.Fatalf("%q", got)
		}
		b.starts(got[0], "SIP/2.0 200 OK")
		b.starts(got[1], "SIP/2.0 487 Request Terminated")
		if value(got[0], "CSeq") != "7 CANCEL" || value(got[1], "CSeq") != "7 INVITE" {
			t.Errorf("%q", got)
		}
		u.send(ackOf(got[1]))
	})
}

func TestCancelOfNothing(t *testing.T) {
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(r *transport.Request) { r.Respond(200, "") })
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(cancel)
		b.starts(u.one(), "SIP/2.0 481 ")
		u.send(cancel)
		b.starts(u.one(), "SIP/2.0 481 ")
	})
}

func TestWhoeverIsToldOfACancelAnswers(t *testing.T) {
	told := 0
	play(t, transport.Options{}, func(b *bed) {
		b.tr.Handle("INVITE", func(r *transport.Request) {
			r.OnCancel(func() { told++; r.Respond(603, "") })
			r.Respond(180, "")
		})
	}, func(b *bed) {
		u := b.peer(phoneAt)
		defer u.close()
		u.send(invite)
		b.starts(u.one(), "SIP/2.0 180 Ringing")
		u.send(cancel)
		got := u.take()
		if told != 1 || len(got) != 2 {
			t.Fatalf("%d: %q", told, got)
		}
		u.send(ackOf(b.starts(got[1], "SIP/2.0 603 Decline")))
	})
}
