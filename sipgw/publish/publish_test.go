package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Unix(1_700_000_000, 0).UTC()

// shelf is a store in memory.
type shelf struct {
	mu  sync.Mutex // guards the fields below
	has map[uint64]Publication
}

func (s *shelf) LoadPublications(context.Context) (list []*Publication, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.has)) {
		p := s.has[id]
		p.State = nil
		list = append(list, &p)
	}
	return list, nil
}

func (s *shelf) SavePublications(_ context.Context, put []*Publication, gone []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has == nil {
		s.has = map[uint64]Publication{}
	}
	for _, p := range put {
		s.has[p.ID] = *p
	}
	for _, id := range gone {
		delete(s.has, id)
	}
	return nil
}

// desk is a compositor, and what it has told.
type desk struct {
	*Compositor
	t *testing.T

	mu   sync.Mutex // guards the fields below
	told []string
}

const pidf, dialogInfo = "application/pidf+xml", "application/dialog-info+xml"

func newDesk(t *testing.T, cfg Config, s *shelf) *desk {
	d := &desk{t: t}
	d.Compositor = New(Parts{
		Store: s, Log: slog.New(slog.DiscardHandler),
		Serves: func(resource string) bool { return strings.HasSuffix(resource, "@x") },
		Packages: map[string]Package{
			"presence": {Types: []string{pidf, "application/xpidf+xml"}, Parse: func(kind string, body []byte) (any, error) {
				if strings.HasPrefix(string(body), "bad") {
					return nil, errors.New("bad")
				}
				return strings.ToUpper(string(body)), nil
			}},
			"dialog": {Types: []string{dialogInfo}},
		},
	}, cfg)
	d.OnChange(func(c Change) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.told = append(d.told, fmt.Sprintf("%v %s %s=%s %v", c.What, c.Publication.Source(), c.Publication.Event, c.Publication.Body, c.Publication.State))
	})
	return d
}

func (d *desk) expectTold(want ...string) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Equal(d.told, want) {
		d.t.Errorf("told was %q, want %q", d.told, want)
	}
	d.told = nil
}

// forget forgets what was told.
func (d *desk) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = nil
}

func publication(body string) Request {
	return Request{Resource: "2001@x", Event: "presence", Expires: -1, Publisher: "2001", ContentType: pidf, Body: []byte(body)}
}

func (r Request) with(change func(*Request)) Request {
	change(&r)
	return r
}

// RFC 3903 §6, step by step.
func TestRefusals(t *testing.T) {
	d := newDesk(t, Config{MaxPublications: 2, MaxBody: 10}, &shelf{})
	tag := d.Publish(start, publication("one")).ETag
	other := d.Publish(start, publication("").with(func(r *Request) {
		r.Event, r.ContentType, r.Body = "dialog", dialogInfo, []byte("x")
	})).ETag
	d.forget()
	for _, tt := range []struct {
		name   string
		change func(*Request)
		status int
	}{
		{"1 not ours", func(r *Request) { r.Resource = "2001@y"; r.Event = "" }, 404},
		{"2 no event", func(r *Request) { r.Event = ""; r.IfMatch = []string{"a", "b"} }, 489},
		{"2 an unknown event", func(r *Request) { r.Event = "winfo" }, 489},
		{"3 two tags", func(r *Request) { r.IfMatch = []string{tag, tag}; r.Expires = 1 }, 400},
		{"3 two tags in one", func(r *Request) { r.IfMatch = []string{tag + "," + tag} }, 400},
		{"3 no tag", func(r *Request) { r.IfMatch = []string{" "} }, 400},
		{"3 a tag that is none", func(r *Request) { r.IfMatch = []string{"nosuch"}; r.Expires = 1 }, 412},
		{"3 a tag of another event", func(r *Request) { r.IfMatch = []string{other} }, 412},
		{"3 a tag of another resource", func(r *Request) { r.IfMatch = []string{tag}; r.Resource = "2002@x" }, 412},
		{"4 too brief", func(r *Request) { r.Expires = 59; r.ContentType = "text/plain" }, 423},
		{"4 too brief a refresh", func(r *Request) { r.Expires = 1; r.IfMatch = []string{tag}; r.Body = nil }, 423},
		{"5 another type", func(r *Request) { r.ContentType = "text/plain" }, 415},
		{"5 a type of another event", func(r *Request) { r.ContentType = dialogInfo }, 415},
		{"5 nothing at all", func(r *Request) { r.Body = nil }, 400},
		{"5 not understood", func(r *Request) { r.Body = []byte("bad") }, 400},
		{"5 not understood, in place of another", func(r *Request) { r.Body = []byte("bad"); r.IfMatch = []string{tag} }, 400},
		{"5 too large", func(r *Request) { r.Body = []byte("12345678901") }, 413},
		{"too many", func(r *Request) { r.Body = []byte("three") }, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := d.Publish(start, publication("x").with(tt.change))
			if got.Status != tt.status || got.ETag != "" ||
				(got.MinExpires == 60) != (tt.status == 423) ||
				(got.AllowEvents == "dialog, presence") != (tt.status == 489) ||
				strings.HasPrefix(got.Accept, "application/") != (tt.status == 415) {
				t.Errorf("got %+v", got)
			}
		})
	}
	d.expectTold()
	// Nothing of it has changed anything.
	if got := d.Publish(start, publication("").with(func(r *Request) { r.IfMatch = []string{tag} })); got.Status != 200 {
		t.Errorf("the tag is no good any more: %+v", got)
	}
}

// publish expects success and returns the tag.
func (d *desk) publish(at time.Duration, r Request, expires int64) string {
	d.t.Helper()
	got := d.Publish(start.Add(at), r)
	if got.Status != 200 || got.ETag == "" || got.Expires != expires {
		d.t.Fatalf("got %+v, want it to expire after %d", got, expires)
	}
	return got.ETag
}

func TestLife(t *testing.T) {
	d := newDesk(t, Config{}, &shelf{})
	match := func(tag, body string, expires int64) Request {
		return publication(body).with(func(r *Request) { r.IfMatch, r.Expires = []string{tag}, expires })
	}
	first := d.publish(0, publication("one"), 3600)
	d.expectTold("published publish/1 presence=one ONE")
	second := d.publish(time.Minute, match(" "+first+" ", "", 120), 120)
	d.expectTold("refreshed publish/1 presence=one ONE")
	if got := d.Publish(start.Add(time.Minute), match(first, "", 120)); got.Status != 412 {
		t.Errorf("the old tag: %+v", got)
	}
	third := d.publish(time.Minute, match(second, "two", 7200), 3600)
	d.expectTold("modified publish/1 presence=two TWO")
	// Another one beside it.
	d.publish(time.Minute, publication("three").with(func(r *Request) { r.ContentType = "" }), 3600)
	d.expectTold("published publish/2 presence=three THREE")
	if list := d.Publications("2001@x"); len(list) != 2 || list[1].ContentType != pidf || list[0].Source() == list[1].Source() {
		t.Errorf("there are %+v", list)
	}
	fourth := d.publish(2*time.Minute, match(third, "", 0), 0)
	d.expectTold("removed publish/1 presence=two TWO")
	for _, tag := range []string{third, fourth} {
		if got := d.Publish(start.Add(2*time.Minute), match(tag, "x", -1)); got.Status != 412 {
			t.Errorf("the tag of what was removed: %+v", got)
		}
	}
	// Published and over at once.
	d.publish(2*time.Minute, publication("four").with(func(r *Request) { r.Expires = 0 }), 0)
	d.expectTold()
	if list := d.Publications("2001@x"); len(list) != 1 {
		t.Errorf("there are %+v", list)
	}
}

// What is granted ends when it was to, whatever was granted before.
func TestExpire(t *testing.T) {
	d := newDesk(t, Config{}, &shelf{})
	for range 2 {
		tag := d.publish(0, publication("a").with(func(r *Request) { r.Expires = 100 }), 100)
		tag = d.publish(50*time.Second, publication("").with(func(r *Request) { r.IfMatch, r.Expires = []string{tag}, 200 }), 200)
		d.forget()
		if next := d.Expire(start.Add(100 * time.Second)); !next.Equal(start.Add(250 * time.Second)) {
			t.Errorf("next is %v", next)
		}
		d.publish(110*time.Second, publication("b").with(func(r *Request) { r.IfMatch, r.Expires = []string{tag}, 60 }), 60)
		d.forget()
		d.Expire(start.Add(170*time.Second - 1))
		d.expectTold()
		d.Expire(start.Add(170 * time.Second))
		if len(d.told) != 1 || !strings.HasPrefix(d.told[0], "expired") {
			t.Errorf("told was %q", d.told)
		}
		d.Expire(start.Add(250 * time.Second))
		if len(d.told) != 1 {
			t.Errorf("told was %q", d.told)
		}
	}
}

// A phone that was restarted does not know what it has published.
func TestForget(t *testing.T) {
	d := newDesk(t, Config{}, &shelf{})
	d.publish(0, publication("old"), 3600)
	d.publish(0, publication("other").with(func(r *Request) { r.Publisher = "console" }), 3600)
	d.publish(10*time.Second, publication("new"), 3600)
	d.forget()
	d.Forget(start.Add(20*time.Second), "2001@x", "2001", start.Add(10*time.Second))
	d.expectTold("forgotten publish/1 presence=old OLD")
	d.Forget(start.Add(20*time.Second), "2002@x", "2001", start.Add(10*time.Second))
	d.expectTold()
}

// Tags are never the same, and there is no way from one to the next.
func TestTagsAreUnique(t *testing.T) {
	d := newDesk(t, Config{}, &shelf{})
	tag := d.publish(0, publication("a"), 3600)
	seen := map[string]bool{}
	for range 10_000 {
		if seen[tag] || len(tag) != 2*tagPart {
			t.Fatalf("%q came twice, or is short", tag)
		}
		seen[tag] = true
		tag = d.publish(0, publication("a").with(func(r *Request) { r.IfMatch = []string{tag} }), 3600)
	}
}

// Of several who change one publication at the same time one succeeds.
func TestOneWins(t *testing.T) {
	d := newDesk(t, Config{}, &shelf{})
	tag := d.publish(0, publication("a"), 3600)
	var work sync.WaitGroup
	var mu sync.Mutex
	status := map[int]int{}
	for i := range 8 {
		work.Go(func() {
			got := d.Publish(start, publication(fmt.Sprint(i)).with(func(r *Request) { r.IfMatch = []string{tag} }))
			mu.Lock()
			defer mu.Unlock()
			status[got.Status]++
		})
	}
	work.Wait()
	if !maps.Equal(status, map[int]int{200: 1, 412: 7}) || len(d.Publications("2001@x")) != 1 {
		t.Errorf("the answers were %v", status)
	}
}

// What was published is there after a restart, with the same tag and no longer than
// it was granted.
func TestRestart(t *testing.T) {
	s := &shelf{}
	var tag string
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, Config{}, s)
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { d.Run(ctx) })
		synctest.Wait()
		tag = d.Publish(time.Now(), publication("a").with(func(r *Request) { r.Expires = 100 })).ETag
		d.Publish(time.Now(), publication("gone").with(func(r *Request) { r.Expires = 60 }))
		time.Sleep(61 * time.Second)
		synctest.Wait()
		d.expectTold("published publish/1 presence=a A", "published publish/2 presence=gone GONE", "expired publish/2 presence=gone GONE")
		cancel()
		work.Wait()
	})
	if len(s.has) != 1 {
		t.Fatalf("stored is %v", s.has)
	}
	more := func(id uint64, change func(*Publication)) {
		p := s.has[1]
		p.ID = id
		change(&p)
		s.has[id] = p
	}
	more(2, func(p *Publication) { p.Body = []byte("bad") })
	more(3, func(p *Publication) { p.Event = "other" })
	more(4, func(p *Publication) { p.Resource = "2001@y" })
	more(5, func(p *Publication) { p.Expires = p.Since.Add(1000 * time.Hour); p.Resource = "2002@x" })
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(61 * time.Second) // bubbles all begin at the same time
		d := newDesk(t, Config{}, s)
		if err := d.Load(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		d.expectTold("restored publish/1 presence=a A", "restored publish/5 presence=a A")
		if p := d.Publications("2002@x")[0]; p.Expires.After(time.Now().Add(time.Hour)) {
			t.Errorf("it ends %v", p.Expires)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { d.Run(ctx) })
		got := d.Publish(time.Now(), publication("").with(func(r *Request) { r.IfMatch, r.Expires = []string{tag}, 60 }))
		if got.Status != 200 {
			t.Errorf("the tag is not known: %+v", got)
		}
		if got := d.Publish(time.Now(), publication("b")); got.Status != 200 || d.Publications("2001@x")[1].ID != 6 {
			t.Errorf("a new one: %+v", got)
		}
		d.forget()
		time.Sleep(60*time.Second - time.Millisecond)
		synctest.Wait()
		d.expectTold()
		time.Sleep(time.Second)
		synctest.Wait()
		d.expectTold("expired publish/1 presence=a A")
		cancel()
		work.Wait()
	})
	if len(s.has) != 2 { // 5 and 6
		t.Errorf("stored is %v", s.has)
	}
}

// What only lasts longer waits to be stored, unless the end that is stored is near.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		d := newDesk(t, Config{}, s)
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { d.Run(ctx) })
		tag := d.Publish(time.Now(), publication("a")).ETag
		for _, c := range []struct {
			after time.Duration
			soon  bool
		}{{25 * time.Minute, false}, {35 * time.Minute, true}} {
			time.Sleep(c.after)
			tag = d.Publish(time.Now(), publication("").with(func(r *Request) { r.IfMatch = []string{tag} })).ETag
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			s.mu.Lock()
			if soon := s.has[1].ETag == tag; soon != c.soon {
				t.Errorf("after %v it is stored at once: %v, want %v", c.after, soon, c.soon)
			}
			s.mu.Unlock()
		}
		cancel()
		work.Wait()
	})
}

// What was published after it was last stored before a crash has another tag. Whoever
// has that publishes anew, and what was stored does not stay beside it.
func TestLostTag(t *testing.T) {
	s := &shelf{}
	matching := func(tag, body string) Request {
		return publication(body).with(func(r *Request) { r.IfMatch = []string{tag} })
	}
	before := newDesk(t, Config{}, s)
	tag := before.publish(0, publication("call"), 3600)
	other := before.publish(0, publication("other"), 3600)
	console := before.publish(0, publication("console").with(func(r *Request) { r.Publisher = "console" }), 3600)
	before.keeper.Flush(t.Context())
	lost := before.publish(0, matching(tag, "idle"), 3600)
	after := func() *desk {
		d := newDesk(t, Config{}, s)
		if err := d.Load(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		d.forget()
		return d
	}
	refused := func(d *desk, r Request) {
		t.Helper()
		if got := d.Publish(start, r); got.Status != 412 {
			t.Fatalf("got %+v", got)
		}
	}

	d := after()
	refused(d, matching(lost, ""))
	d.expectTold() // until there is something in its place
	d.publish(time.Second, publication("idle"), 3600)
	d.expectTold("published publish/4 presence=idle IDLE", "forgotten publish/1 presence=call CALL")
	d.publish(time.Second, matching(other, ""), 3600)
	d.publish(time.Second, matching(console, ""), 3600)

	d = after() // nothing comes in its place
	refused(d, matching(lost, ""))
	d.Expire(start.Add(anew - time.Second))
	d.expectTold()
	d.Expire(start.Add(anew))
	d.expectTold("forgotten publish/1 presence=call CALL")

	d = after() // it was the tag of before that came, late
	refused(d, matching(lost, ""))
	now := d.publish(0, matching(tag, "more"), 3600)
	d.Expire(start.Add(anew))
	d.expectTold("modified publish/1 presence=more MORE")
	refused(d, matching(tag, "")) // which is of no account any more
	d.publish(0, publication("new"), 3600)
	d.publish(0, matching(now, ""), 3600)

	d = after() // what others have published is their own, and so is another event
	refused(d, matching(lost, "").with(func(r *Request) { r.Publisher = "console" }))
	refused(d, matching(lost, "").with(func(r *Request) { r.Event = "dialog" }))
	refused(d, matching(console[:tagPart]+lost[tagPart:], ""))
	refused(d, matching("x", ""))
	d.publish(0, publication("new"), 3600)
	d.expectTold("published publish/4 presence=new NEW")
}

func BenchmarkModify(b *testing.B) {
	const devices = 5000
	c := New(Parts{
		Store: &shelf{}, Log: slog.New(slog.DiscardHandler), Serves: func(string) bool { return true },
		Packages: map[string]Package{"presence": {Types: []string{pidf}}},
	}, Config{})
	c.OnChange(func(Change) {})
	body := []byte(strings.Repeat("x", 500))
	requests := make([]Request, devices)
	for i := range requests {
		requests[i] = Request{Resource: fmt.Sprintf("%d@x", i), Event: "presence", Expires: 600, Publisher: fmt.Sprint(i), ContentType: pidf, Body: body}
		requests[i].IfMatch = []string{c.Publish(start, requests[i]).ETag}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		r := &requests[i%devices]
		got := c.Publish(start, *r)
		if got.Status != 200 {
			b.Fatalf("%+v", got)
		}
		r.IfMatch[0] = got.ETag
	}
}
