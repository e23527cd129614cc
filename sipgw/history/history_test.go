package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// book is a store in memory, which fails as long as it is told to.
type book struct {
	mu     sync.Mutex
	calls  []Call
	broken bool
	saves  int
}

func (b *book) SaveCalls(_ context.Context, all []Call) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saves++
	if b.broken {
		return errors.New("the disk is full")
	}
	b.calls = append(b.calls, all...)
	return nil
}

func (b *book) Calls(context.Context, Query) ([]Call, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls), nil
}

func (b *book) ExpireCalls(_ context.Context, before time.Time, most int) (n int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.calls) > 0 && b.calls[0].At().Before(before) && n < int64(most) {
		b.calls = b.calls[1:]
		n++
	}
	return n, nil
}

func (b *book) set(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

func (b *book) count() (calls, saves int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.calls), b.saves
}

// play runs a test beside a history; log is what it logs, to be read in the end.
func play(t *testing.T, test func(h *History, b *book)) (log string) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := &book{}
		h := New(Parts{Store: b, Keep: 24 * time.Hour, Log: slog.New(slog.NewTextHandler(&out, nil))})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { h.Run(ctx) })
		test(h, b)
		stop()
		running.Wait()
		log = out.String()
	})
	return log
}

func TestHistory(t *testing.T) {
	var b *book
	log := play(t, func(h *History, kept *book) {
		b = kept
		now := time.Now()
		for i := range 3 { // at the same moment
			h.Add(Call{Device: "2001@phones.x", Code: i, With: strings.Repeat("a", 1000)}, now)
		}
		if n, _ := b.count(); n != 0 {
			t.Errorf("%d are stored at once", n)
		}
		got, err := h.Calls(t.Context(), Query{})
		if err != nil || len(got) != 3 || got[2].ID != now.UnixMicro()+2 || len(got[0].With) != mostText {
			t.Errorf("asked for, they are %v, %v", got, err)
		}
		for range 5 {
			h.Add(Call{}, now.Add(time.Minute))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(together)
		if n, saves := b.count(); n != 8 || saves != 2 {
			t.Errorf("%d are stored, %d at a time", n, saves)
		}
		time.Sleep(26 * time.Hour)
		if n, _ := b.count(); n != 0 {
			t.Errorf("%d are kept for too long", n)
		}
		h.Add(Call{}, time.Now())
	})
	if n, _ := b.count(); n != 1 || log != "" {
		t.Errorf("%d are stored in the end, and logged is %s", n, log)
	}
}

// While nothing can be stored calls wait, up to a bound, and how many are lost is said.
func TestNoStore(t *testing.T) {
	log := play(t, func(h *History, b *book) {
		b.set(true)
		for range mostWaiting + 7 {
			h.Add(Call{}, time.Now())
		}
		if _, err := h.Calls(t.Context(), Query{}); err == nil {
			t.Error("what is not stored is not missed")
		}
		time.Sleep(time.Minute)
		b.set(false)
		time.Sleep(time.Minute)
		if n, _ := b.count(); n != mostWaiting {
			t.Errorf("%d are stored when it works again", n)
		}
	})
	if !strings.Contains(log, "tried again") || !strings.Contains(log, fmt.Sprint("calls=", 7)) {
		t.Errorf("logged is %s", log)
	}
}
