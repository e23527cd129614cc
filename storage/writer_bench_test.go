package storage

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/server"
	"rollcall/xmpp/jid"
)

// BenchmarkArchive measures what a message of 300 bytes costs that two of 1000
// accounts keep, in batches of several sizes, the index included.
func BenchmarkArchive(b *testing.B) {
	for _, size := range []int{20, 100, 400} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			db := openEmpty(b, Config{Driver: SQLite, Path: filepath.Join(b.TempDir(), "r.db")})
			if _, err := db.Migrate(b.Context()); err != nil {
				b.Fatal(err)
			}
			var who []jid.JID
			for i := range 1000 {
				who = append(who, address(fmt.Sprintf("user%d@example.org/desk", i)))
			}
			w := db.NewWriter(nil)
			w.outcome = newTold()
			stanza := []byte("<message type='chat' id='0123456789'><body>" + strings.Repeat("x", 245) + "</body></message>")
			id := time.Now().UnixMicro()
			k := &server.Kept{Keep: server.Keep{Sender: true, Recipient: true}, Stanza: stanza}
			put := func() {
				id += 7
				from, to := int(id*31)%1000, int(id*17+5)%1000
				k.ID, k.SenderID, k.OwnerID = id, int64(from+1), int64(to+1)
				k.From, k.To = who[from], who[to]
				w.Keep(k)
			}
			for i := range 20 * indexMany { // so that the trees have some depth
				put()
				if i%400 == 0 {
					w.turn(b.Context())
				}
			}
			w.turn(b.Context())
			b.ReportAllocs()
			b.ResetTimer()
			began := cpu()
			for i := 0; i < b.N; i++ {
				put()
				if i%size == size-1 {
					w.turn(b.Context())
				}
			}
			w.turn(b.Context())
			if err := w.writeIndex(b.Context(), true); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64((cpu()-began).Nanoseconds())/float64(b.N)/1000, "cpu-µs/op")
		})
	}
}

// cpu is the processor time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
