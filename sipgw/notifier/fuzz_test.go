package notifier

import (
	"log/slog"
	"strings"
	"testing"

	"rollcall/presence"
	"rollcall/sipgw/transport"
)

// Whatever SUBSCRIBEs come, nothing panics, and who has gone is gone.
func FuzzSubscribe(f *testing.F) {
	head := "SUBSCRIBE sip:alice@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:2001@x>;tag=1\r\n" +
		"To: <sip:alice@x>\r\nCall-ID: 1\r\nCSeq: 1 SUBSCRIBE\r\n"
	for _, rest := range []string{
		"Contact: <sip:a@b>\r\nEvent: presence\r\n", "Contact: <sip:a@b>\r\nEvent: dialog;id=1;max-rate=x\r\nExpires: 0\r\n",
		"m: sip:a@b;+sip.instance=\"<urn:x>\"\r\no: dialog\r\nAccept: */*\r\nAccept-Language: de\r\nRecord-Route: <sip:p;lr>\r\n",
	} {
		f.Add(head + rest + "\r\n")
	}
	f.Add(strings.Replace(head, "alice@", "blf-all@", 1) + "Contact: <sip:a@b>\r\nEvent: presence\r\nSupported: eventlist\r\n\r\n")
	h := &hall{}
	h.turn(1)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := transport.ParseRequest([]byte(text))
		if err != nil {
			return // it is none
		}
		n := New(Parts{
			Transport: deaf{}, Who: who, States: h, Watch: h, Lines: h, Catalogue: presence.DefaultCatalogue, Subject: subject,
			Watcher: func(user string) (Watcher, bool) { return Watcher{As: presence.Subject(user + "@x")}, true },
			Level:   func(_, _ presence.Subject) presence.Level { return presence.Full },
			Group: func(string, presence.Subject) ([]Member, bool) {
				return []Member{{"bob@x", "sip:bob@x", "Bob"}}, true
			},
			Log: slog.New(slog.DiscardHandler),
		}, Config{})
		n.Subscribe(r)
		n.Recheck("", "")
		n.mu.Lock()
		for _, s := range n.dialogs {
			n.drop(s)
		}
		if len(n.topics)+len(n.byTicket)+len(n.byUser)+len(n.due.all)+n.entries != 0 {
			t.Errorf("left: %+v", n)
		}
		n.mu.Unlock()
	})
}
