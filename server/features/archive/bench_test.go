package archive

import (
	"testing"

	"rollcall/server"
)

// What the archive adds to the journey of a message: two ids, and nothing for
// the garbage collector.
func BenchmarkID(b *testing.B) {
	ids, err := NewIDs(make([]byte, KeySize))
	if err != nil {
		b.Fatal(err)
	}
	f := &Feature{parts: Parts{IDs: ids}}
	p := &server.Packet{Account: server.NewAccount("ada@example.org", 1), Keep: server.Keep{ID: 1}}
	var own []byte
	b.ReportAllocs()
	for b.Loop() {
		var room [idRoom]byte
		own = append(own[:0], f.appendID(room[:0], p)...)
	}
	if len(own) == 0 || len(own) > idRoom {
		b.Errorf("it has %d bytes", len(own))
	}
}

func BenchmarkWorth(b *testing.B) {
	st := message(b, "<message to='bob@x' type='chat' id='1'><body>tea?</body><active xmlns='http://jabber.org/protocol/chatstates'/><request xmlns='urn:xmpp:receipts'/></message>")
	b.ReportAllocs()
	for b.Loop() {
		if !Worth(st) {
			b.Fatal("not worth it")
		}
	}
}
