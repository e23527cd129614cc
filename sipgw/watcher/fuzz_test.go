package watcher

import (
	"fmt"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/event"
	"rollcall/sipgw/transport"
)

func nobody() *device.Picture {
	return device.NewRegister(memory{}, device.Config{Domain: "x"}).Picture()
}

// fuzzed makes a NOTIFY; nil if it is none.
func fuzzed(name, state, kind, body string) (*note, *transport.Request) {
	text := fmt.Sprintf("NOTIFY sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: i\r\n"+
		"CSeq: 1 NOTIFY\r\nEvent: %s\r\nSubscription-State: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", name, state, kind, len(body), body)
	r, err := transport.ParseRequest([]byte(text))
	if err != nil {
		return nil, nil
	}
	n := &note{from: "1", to: "2", now: time.Now()}
	if n.event, err = event.ParseEvent(r.Header("Event")); err != nil {
		return nil, nil
	}
	if n.state, err = event.ParseState(r.Header("Subscription-State")); err != nil {
		return nil, nil
	}
	n.read(r)
	return n, r
}
