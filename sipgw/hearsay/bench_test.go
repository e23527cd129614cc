package hearsay

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/watcher"
	"rollcall/xmpp/jid"
)

// BenchmarkReport is what it costs to tell the engine of a call that comes and goes, for
// the device and for its owner; with what the engine does of it.
func BenchmarkReport(b *testing.B) {
	engine := presence.NewEngine(presence.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { engine.Run(ctx); close(done) }()
	defer func() { cancel(); <-done }()
	const n = 1000
	var all []device.Device
	for i := range n {
		id := fmt.Sprint(2000 + i)
		all = append(all, device.Device{ID: id, User: id, Upstream: "hq", Owner: jid.Bare("p" + id + "@x")})
	}
	r := device.NewRegister(memory(all), device.Config{Domain: "x"})
	if err := r.Load(ctx); err != nil {
		b.Fatal(err)
	}
	var list []*device.Device
	for d := range r.Picture().All() {
		list = append(list, d)
	}
	board := New(Parts{Engine: engine, Devices: r.Picture, Catalogue: presence.DefaultCatalogue})
	up := []dialoginfo.Live{{Dialog: dialoginfo.Dialog{State: dialoginfo.Confirmed, CallID: "1"}}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l := watcher.Learned{Device: list[i%n], PBX: "hq"}
		l.Words[watcher.Dialog] = watcher.Word{Standing: watcher.Told, Until: time.Now().Add(time.Hour)}
		if i/n%2 == 0 {
			l.Calls = up
		}
		board.insist(ctx, &l)
	}
}
