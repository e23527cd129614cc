package lastactivity

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

const (
	// maxStatus bounds the words that are kept of a goodbye, in bytes.
	maxStatus = 1024

	// gather is how long those who leave are waited for, so that they share a
	// transaction: when a server for thousands loses its network, they all leave.
	gather = time.Second

	// pageSize is how many a transaction holds at most.
	pageSize = 1000

	// pause is before another attempt.
	pause = 10 * time.Second

	// haste is how long the last attempt may take, when the server stops.
	haste = 5 * time.Second
)

// listen remembers what a session says goodbye with, until it is there again.
func (f *Feature) listen(p *server.Packet) error {
	if p.Stanza.To != nil {
		return nil
	}
	text := ""
	switch string(p.Stanza.Type) {
	case "":
	case "unavailable":
		text = status(p.Stanza)
	default:
		return nil
	}
	switch {
	case text != "":
		p.Sender.Put(f.slot, text)
	case p.Sender.Get(f.slot) != nil:
		p.Sender.Put(f.slot, nil)
	}
	return nil
}

// status returns the first status of a presence, or its beginning.
func status(st *stanza.Stanza) string {
	c := st.Child(stanza.NSClient, "status")
	if c == nil {
		return ""
	}
	text := strings.TrimSpace(stanza.Text(st.Bytes(c.Inner)))
	if len(text) <= maxStatus {
		return text
	}
	n := maxStatus
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// ended notes that the last session of an account is over. Which one of two
// that end at the same time is the last makes no difference.
func (f *Feature) ended(s *server.Session) {
	if s.Account.ID == 0 || len(s.Account.Sessions()) > 0 {
		return
	}
	text, _ := s.Get(f.slot).(string)
	f.mu.Lock()
	f.pending[s.Account.ID] = Left{s.Account.ID, time.Now().Truncate(time.Microsecond), text}
	f.mu.Unlock()
	f.poke()
}

// removed forgets an account that is no more.
func (f *Feature) removed(a *server.Account) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.pending, a.ID)
}

// Run stores who has left until ctx is done, and then the rest: that is when all
// sessions have ended.
func (f *Feature) Run(ctx context.Context) error {
	down := false
	for {
		select {
		case <-f.wake:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), haste)
			defer cancel()
			if err := f.flush(last); err != nil {
				f.srv.Log().Error("when people were last there could not be stored", "err", err)
			}
			return nil
		}
		wait := gather
		if down {
			wait = pause
		}
		if !sleep(ctx, wait) {
			continue
		}
		err := f.flush(ctx)
		if err != nil && ctx.Err() == nil && !down {
			f.srv.Log().Warn("when people were last there cannot be stored; it is tried again", "err", err)
		}
		if down = err != nil; down {
			f.poke()
		}
	}
}

// poke says that there is something to store.
func (f *Feature) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// sleep waits, and reports whether it did so to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// flush stores all that is pending by now.
func (f *Feature) flush(ctx context.Context) error {
	f.mu.Lock()
	all := slices.Collect(maps.Values(f.pending))
	f.mu.Unlock()
	for page := range slices.Chunk(all, pageSize) {
		if err := f.store.SetLeft(ctx, page); err != nil {
			return err
		}
		f.mu.Lock()
		for _, l := range page {
			if f.pending[l.Account] == l { // else it has come and gone meanwhile
				delete(f.pending, l.Account)
			}
		}
		f.mu.Unlock()
	}
	return nil
}
