package crash

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rollcall/storage"
)

// A house is a program with phones and people, and what they are shown.
type house struct {
	t      *testing.T
	p      *program
	plug   *plug
	w      *witness
	phones map[string]*handset
	ending atomic.Bool // connections may be lost from here on
	wg     sync.WaitGroup
}

// newHouse makes devices, which are of people or of nobody (""), maybe at a PBX
// ("pat@hq"), and has the program run. The watchers see all of them, and all people.
func newHouse(t *testing.T, plug *plug, settings string, watchers []string, devices map[string]string) *house {
	h := &house{t: t, plug: plug, w: newWitness(), phones: map[string]*handset{}}
	var people, members []string
	var list strings.Builder
	for _, id := range slices.Sorted(maps.Keys(devices)) {
		owner, upstream, _ := strings.Cut(devices[id], "@")
		fmt.Fprintf(&list, "[[device]]\nid = '%s'\ngroups = ['phones']\n", id)
		if upstream != "" {
			fmt.Fprintf(&list, "upstream = '%s'\n", upstream)
		} else {
			fmt.Fprintf(&list, "secret = '%s'\n", secret)
		}
		if owner != "" {
			fmt.Fprintf(&list, "owner = '%s'\n", owner)
			people = append(people, owner)
		}
	}
	people = slices.Compact(append(people, watchers...))
	slices.Sort(people)
	people = slices.Compact(people)
	for _, name := range people {
		members = append(members, name+"@"+domain)
	}
	h.p = newProgram(t, settings+"sip.listen = ['"+h.plug.gateway.String()+"']\n", people...)
	h.p.do(list.String(), "device", "import", "-")
	h.p.do("", "group", "add", "staff", "--mutual=false")
	h.p.do("", "group", "add", "people", "--mutual=false")
	h.p.do("", append([]string{"group", "member", "add", "people"}, members...)...)
	for _, name := range watchers {
		h.p.do("", "group", "member", "add", "staff", name+"@"+domain)
	}
	h.p.do("", "group", "visible", "phones", "--to", "staff")
	h.p.do("", "group", "visible", "people", "--to", "staff")
	h.p.start()
	return h
}

// phone brings a phone.
func (h *house) phone(name string, tcp bool) *handset {
	h.t.Helper()
	p := h.plug.handset(h.t, name, tcp, h.w.heard(name))
	h.phones[name] = p
	return p
}

// watch has somebody watch by XMPP until the connection is lost.
func (h *house) watch(name string) {
	h.t.Helper()
	h.w.connected(name)
	c := h.arrive(name, "eye", "")
	h.wg.Go(func() {
		for {
			e, err := c.next()
			if err != nil {
				if late(err) {
					continue // that nothing happens for so long is no fault
				}
				if !h.ending.Load() {
					h.w.fault("%s: %v", name, err)
				}
				return
			}
			if e.is("presence") {
				h.w.present(name, e)
			}
		}
	})
}

// arrive has somebody log in and be there.
func (h *house) arrive(name, resource, presence string) *client {
	h.t.Helper()
	c, err := login(h.p.address, name, resource)
	if err == nil {
		err = c.say("<presence>" + presence + "</presence>")
	}
	if err != nil {
		h.t.Fatal(name, ": ", err)
	}
	h.t.Cleanup(func() { c.conn.Close() })
	return c
}

// fall ends the program as a power cut would. What phones do before it is back comes
// to nothing.
func (h *house) fall() {
	h.ending.Store(true)
	h.p.kill()
	h.wg.Wait()
	h.w.begin()
}

// rise starts it again, and has those who watch and those who are connected come back.
func (h *house) rise(watchers []string) {
	h.t.Helper()
	h.p.start()
	h.ending.Store(false)
	for _, name := range watchers {
		h.watch(name)
	}
}

// back has a phone that has lost its connection come back, as often as it takes.
func (h *house) back(p *handset) {
	h.t.Helper()
	select {
	case <-p.lost:
	case <-time.After(patience):
		h.t.Fatal(p.name, " has not lost its connection")
	}
	if err := p.Reconnect(); err != nil {
		h.t.Fatal(p.name, ": ", err)
	}
	p.register(3600)
}

// stored waits until the database has so many calls, subscriptions and publications,
// since what phones say is stored behind their backs.
func (h *house) stored(calls, subscriptions, publications int) {
	h.t.Helper()
	ctx := h.t.Context()
	db, err := storage.Open(ctx, h.database())
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	want := [3]int{calls, subscriptions, publications}
	deadline := time.Now().Add(patience)
	for {
		a, err := db.SIPDialogs().LoadDialogs(ctx)
		b, err2 := db.SIPSubscriptions().LoadSubscriptions(ctx)
		c, err3 := db.SIPPublications().LoadPublications(ctx)
		got, err := [3]int{len(a), len(b), len(c)}, errors.Join(err, err2, err3)
		if err == nil && got == want {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d calls, subscriptions and publications are stored, not %d: %v", got, want, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// database is that of the program.
func (h *house) database() storage.Config {
	if _, rest, found := strings.Cut(h.p.settings, "storage.dsn = '"); found {
		dsn, _, _ := strings.Cut(rest, "'")
		return storage.Config{Driver: storage.Postgres, DSN: dsn}
	}
	return storage.Config{Driver: storage.SQLite, Path: filepath.Join(filepath.Dir(h.p.config), "data", "rollcall.db")}
}

// until waits until something is seen, which is looked at under the lock, and returns
// how long that took.
func (h *house) until(what func() error) time.Duration {
	h.t.Helper()
	began := time.Now()
	if err := h.wait(2*patience, what); err != nil {
		h.judge()
		h.t.Fatalf("in vain: %v", err)
	}
	return time.Since(began)
}

// wait is until with an end.
func (h *house) wait(most time.Duration, what func() error) error {
	deadline := time.After(most)
	for {
		h.w.mu.Lock()
		err, changed := what(), h.w.changed
		h.w.mu.Unlock()
		if err == nil {
			return nil
		}
		select {
		case <-changed:
		case <-deadline:
			return err
		}
	}
}

// seen is that a watcher sees everybody as is said.
func (h *house) seen(watcher string, want map[string]string) func() error {
	return func() error {
		var errs []error
		for _, who := range slices.Sorted(maps.Keys(want)) {
			if got := h.w.views[watcher].sees(address(who)); got != want[who] {
				errs = append(errs, fmt.Errorf("%s sees %s as %s, not %s", watcher, who, got, want[who]))
			}
		}
		return errors.Join(errs...)
	}
}

// lit is that the lamps of a phone show what is said, and have been told in this life.
func (h *house) lit(watcher string, want map[string]string) func() error {
	return func() error {
		got := map[string]string{}
		for _, l := range h.w.lamps {
			if l.watcher == watcher && l.life == h.w.life {
				got[strings.TrimSuffix(strings.TrimPrefix(l.entity, "sip:"), "@"+domain)] = l.state
			}
		}
		var errs []error
		for _, who := range slices.Sorted(maps.Keys(want)) {
			if got[who] != want[who] {
				errs = append(errs, fmt.Errorf("%s shows %s as %q, not %s", watcher, who, got[who], want[who]))
			}
		}
		return errors.Join(errs...)
	}
}

// all is that all of them are.
func all(goals ...func() error) func() error {
	return func() error {
		var errs []error
		for _, goal := range goals {
			errs = append(errs, goal())
		}
		return errors.Join(errs...)
	}
}

// judge reports what was wrong.
func (h *house) judge() {
	h.w.mu.Lock()
	defer h.w.mu.Unlock()
	for _, what := range h.w.wrong {
		h.t.Error(what)
	}
}

// each does something for many, side by side.
func each(all []*handset, do func(*handset) error) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { errs[i] = do(p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
