package world

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"rollcall/config"
	"rollcall/internal/assembly"
	"rollcall/internal/transcript"
	"rollcall/sipgw/siptest"
	"rollcall/sipgw/transport"
	"rollcall/storage"
)

// Beyond is a server without telephones, and beside it the SIP gateway as a component of
// it (`rollcall sipgw --component`), with a database of its own. Config lines are for
// both.
type Beyond struct {
	*World
	log  *slog.Logger
	file *config.Config // of the gateway
	own  *storage.DB
	post *assembly.Outpost
	halt func() // stops the gateway

	mu   sync.Mutex // guards what follows
	link net.Conn   // nil: there is none
	cut  bool
}

// NewBeyond makes one for [transcript.Run].
func NewBeyond(t *testing.T, options map[string]string) transcript.World {
	all := maps.Clone(options)
	all["components.domains"] = `[{ name = "phones.` + transcript.Domain + `", secret = "` + transcript.ComponentSecret + `" }]`
	all["sip.listen"] = "[]"
	b := &Beyond{World: New(t, all).(*World)}
	all = maps.Clone(options)
	all["sipgw.secret"] = `"` + transcript.ComponentSecret + `"`
	var err error
	if b.file, err = configuration(all); err == nil {
		b.own, err = storage.Open(b.ctx, storage.Config{Driver: storage.SQLite, Path: storage.Memory})
	}
	if err == nil {
		_, err = b.own.Migrate(b.ctx)
	}
	if err == nil {
		err = b.begin()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// begin starts the gateway.
func (b *Beyond) begin() (err error) {
	b.log = slog.New(&strict{slog.NewTextHandler(b.t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}), b.t, b.expected})
	b.post, err = assembly.NewOutpost(b.ctx, assembly.Options{
		Config: b.file, Streams: b.file.C2S, DB: b.own, Version: "1.0", Log: b.log, SIP: &b.sip,
	}, b.dial)
	if err != nil {
		return err
	}
	if err := b.post.Gateway.Listen(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(b.ctx)
	done := make(chan error, 1)
	post := b.post
	go func() { done <- post.Run(ctx) }()
	b.halt = func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
	return nil
}

// dial connects the gateway to the server, unless the link is broken.
func (b *Beyond) dial(context.Context, string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cut {
		return nil, errors.New("the link is broken")
	}
	b.link = b.DialComponent()
	return b.link, nil
}

// BreakLink implements transcript.Beyond.
func (b *Beyond) BreakLink() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = true
	if b.link != nil {
		b.link.Close()
	}
}

// MendLink implements transcript.Beyond.
func (b *Beyond) MendLink() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cut = false
}

// RestartGateway implements transcript.Beyond.
func (b *Beyond) RestartGateway() {
	b.halt()
	if err := b.begin(); err != nil {
		b.t.Fatal(err)
	}
}

// Close implements transcript.World.
func (b *Beyond) Close() {
	b.halt()
	b.World.Close()
	if err := b.own.Close(); err != nil {
		b.t.Error(err)
	}
}

// SIP implements transcript.Switchboard.
func (b *Beyond) SIP() (*siptest.Network, netip.AddrPort) {
	return &b.sip, b.post.Gateway.Transport.Addrs(transport.UDP)[0]
}

// AddDevice implements transcript.Switchboard.
func (b *Beyond) AddDevice(user, password string) error {
	return addDevice(b.ctx, b.post.Devices, user, password)
}

// ChangeDevice implements transcript.Devices. Whose it is has to be known to the gateway.
func (b *Beyond) ChangeDevice(c transcript.DeviceChange) error {
	if c.Owner != "" && c.Owner != "nobody" {
		if err := b.know(c.Owner); err != nil {
			return err
		}
	}
	return changeDevice(b.ctx, b.post.Devices, c)
}

// know has the gateway know that there is somebody.
func (b *Beyond) know(name string) error {
	keys, err := derived(transcript.Password)
	if err != nil {
		return err
	}
	_, err = b.own.Accounts().Create(b.ctx, bare(name), keys)
	if errors.Is(err, storage.ErrExists) {
		return nil
	}
	return err
}

// Say implements transcript.Sources.
func (b *Beyond) Say(s transcript.Saying) error {
	if !strings.Contains(s.Source, "/") {
		return errors.New("a source has a slash in its name")
	}
	return say(b.post.Engine, s)
}
