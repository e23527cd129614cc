package device

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// shelf is a small store in memory.
type shelf struct {
	all   map[string]Device
	fail  error
	saves int
}

// LoadDevices implements Store.
func (s *shelf) LoadDevices(context.Context) ([]Device, error) {
	return slices.Collect(maps.Values(s.all)), s.fail
}

// SaveDevices implements Store.
func (s *shelf) SaveDevices(_ context.Context, put []*Device, remove []string) error {
	if s.fail != nil {
		return s.fail
	}
	s.saves++
	for _, id := range remove {
		delete(s.all, id)
	}
	for _, d := range put {
		x := *d
		x.JID = ""
		s.all[d.ID] = x
	}
	return nil
}

const testDomain = "phones.x"

// newRegister returns a register with devices and those that it tells of.
func newRegister(t *testing.T, cfg Config, list ...Device) (*Register, *shelf, *[]string) {
	t.Helper()
	cfg.Domain = testDomain
	s := &shelf{all: map[string]Device{}}
	r := NewRegister(s, cfg)
	for _, d := range list {
		if _, err := r.Add(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	told := new([]string)
	r.OnChanged(func(before, now *Device) {
		name := func(d *Device) string {
			if d == nil {
				return "-"
			}
			return d.ID + "/" + d.Name
		}
		*told = append(*told, name(before)+" "+name(now))
	})
	return r, s, told
}

func TestRegister(t *testing.T) {
	r, s, told := newRegister(t, Config{}, Device{ID: "2001", Owner: "ada@x", Numbers: []string{"+49301", "11"}}, Device{ID: "door-12", User: "d12"})
	ctx := t.Context()
	before := r.Picture()
	d, err := r.Add(ctx, Device{ID: "2002", Name: "Soft", Owner: "ada@x", Numbers: []string{"+49301"}})
	if err != nil || d.JID != "2002@phones.x" {
		t.Fatalf("%+v, %v", d, err)
	}
	p := r.Picture()
	if p.Len() != 3 || before.Len() != 2 || before.ByID("2002") != nil {
		t.Error("a picture changed, or did not follow")
	}
	for _, got := range []*Device{p.ByID("2002"), p.ByJID("2002@phones.x"), p.ByUser("2002"), p.ByNumber("+49301")[1], p.OwnedBy("ada@x")[1]} {
		if got != d {
			t.Errorf("found %+v", got)
		}
	}
	for _, got := range []*Device{p.ByID("x"), p.ByJID("2002@phones.y"), p.ByJID("phones.x"), p.ByUser("door-12")} {
		if got != nil {
			t.Errorf("found %+v", got)
		}
	}
	if p.ByUser("d12") != p.ByID("door-12") || p.ByNumber("12") != nil || p.OwnedBy("bob@x") != nil || p.Domain() != testDomain {
		t.Error("not what is there")
	}
	if got := idsOf(slices.Collect(p.All())); !slices.Equal(got, []string{"2001", "2002", "door-12"}) {
		t.Errorf("all are %v", got)
	}
	for after, want := range map[string]string{"": "2001", "2001": "2002", "2001a": "2002", "door-12": "", "z": ""} {
		got := ""
		for d := range p.After(after) {
			got = d.ID
			break
		}
		if got != want {
			t.Errorf("after %q comes %q", after, got)
		}
	}
	if _, err := r.Set(ctx, "2002", func(d *Device) error { d.Name, d.Numbers, d.Owner = "Hard", nil, ""; return nil }); err != nil {
		t.Fatal(err)
	}
	if p := r.Picture(); len(p.ByNumber("+49301")) != 1 || len(p.OwnedBy("ada@x")) != 1 || p.ByID("2002").Name != "Hard" {
		t.Error("what it was called by and whose it was is still found")
	}
	if _, err := r.Set(ctx, "2002", func(*Device) error { return nil }); err != nil { // nothing to tell
		t.Fatal(err)
	}
	if err := r.Remove(ctx, "2002", "door-12", "2002"); err != nil {
		t.Fatal(err)
	}
	if p := r.Picture(); p.Len() != 1 || p.ByUser("d12") != nil || p.ByID("2002") != nil || len(s.all) != 1 {
		t.Error("what was removed is there")
	}
	if want := []string{"- 2002/Soft", "2002/Soft 2002/Hard", "2002/Hard -", "door-12/door-12 -"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
}

func TestRegisterRefuses(t *testing.T) {
	r, s, told := newRegister(t, Config{MaxDevices: 3}, Device{ID: "2001", Numbers: []string{"11"}}, Device{ID: "door-12", User: "d12"})
	ctx, saves := t.Context(), s.saves
	add := func(list ...Device) error {
		_, err := r.Change(ctx, func(*Picture) ([]Device, error) { return list, nil })
		return err
	}
	set := func(id string, edit func(*Device)) error {
		_, err := r.Set(ctx, id, func(d *Device) error { edit(d); return nil })
		return err
	}
	key, err := NewKey("2001", "elsewhere.x", "a-good-secret")
	if err != nil {
		t.Fatal(err)
	}
	_, exists := r.Add(ctx, Device{ID: "2001"})
	for _, row := range []struct {
		err       error
		condition *stanza.Error
		words     string
	}{
		{exists, stanza.ErrConflict, "2001 exists already"},
		{r.Remove(ctx, "2001", "none"), stanza.ErrItemNotFound, "no device none"},
		{set("none", func(*Device) {}), stanza.ErrItemNotFound, "no device none"},
		{add(Device{ID: "a"}, Device{ID: "b"}), stanza.ErrPolicyViolation, "4 devices, and there are at most 3"},
		{add(Device{ID: "a", User: "d12"}), stanza.ErrNotAcceptable, "door-12 has the SIP user d12 already"},
		{add(Device{ID: "a", User: "2001"}), stanza.ErrNotAcceptable, "is the id of another device"},
		{add(Device{ID: "d12", User: "x"}), stanza.ErrNotAcceptable, "the id d12 is the SIP user of door-12"},
		{add(Device{ID: "11", User: "x"}, Device{ID: "y", User: "11"}), stanza.ErrNotAcceptable, "is the id of another device"},
		{add(Device{ID: "a", Numbers: []string{"2001"}}), stanza.ErrNotAcceptable, "the number 2001 is the SIP user of 2001"},
		{add(Device{ID: "a", User: "11"}), stanza.ErrNotAcceptable, "the SIP user 11 is a number of 2001"},
		{add(Device{ID: "a", User: "u"}, Device{ID: "b", User: "u"}), stanza.ErrNotAcceptable, "a and b would have the same SIP user u"},
		{add(Device{ID: "A"}, Device{ID: "a"}), stanza.ErrNotAcceptable, "a is there twice"},
		{add(Device{ID: "a", Key: key}), stanza.ErrNotAcceptable, `for the realm "elsewhere.x", and here it is "phones.x"`},
		{set("2001", func(d *Device) { d.Name = "\x00" }), stanza.ErrNotAcceptable, "one line"},
		{set("2001", func(d *Device) { d.Upstream, d.Key = "pbx", key }), stanza.ErrNotAcceptable, "no secret here"},
	} {
		if !errors.Is(row.err, row.condition) || !strings.Contains(fmt.Sprint(row.err), row.words) {
			t.Errorf("%v; want %v with %q", row.err, row.condition, row.words)
		}
	}
	boom := errors.New("boom")
	if _, err := r.Set(ctx, "2001", func(*Device) error { return boom }); err != boom {
		t.Error(err)
	}
	if s.saves != saves || len(*told) > 0 {
		t.Errorf("what was refused was stored or told: %q", *told)
	}
	if err := r.Try(ctx, []Device{{ID: "a"}}); err != nil || r.Picture().Len() != 2 {
		t.Errorf("trying: %v", err)
	}
	var faults Faults
	if err := r.Try(ctx, []Device{{ID: "a", Name: "\x00", Class: "x"}, {ID: "b", User: "d12"}}); !errors.As(err, &faults) || len(faults) != 3 {
		t.Errorf("not everything that is wrong: %v", err)
	}
}

// A secret is good for one SIP user, and for a device that registers here.
func TestKeysFollow(t *testing.T) {
	k, err := NewKey("2001", testDomain, "a-good-secret")
	if err != nil {
		t.Fatal(err)
	}
	r, s, _ := newRegister(t, Config{}, Device{ID: "2001", Key: k})
	ctx := t.Context()
	set := func(edit func(*Device)) *Device {
		t.Helper()
		d, err := r.Set(ctx, "2001", func(d *Device) error { edit(d); return nil })
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := set(func(d *Device) { d.Name = "Desk" }); d.Key != k {
		t.Errorf("a name cost the secret: %+v", d)
	}
	if d := set(func(d *Device) { d.User = "u" }); d.Key.Set() {
		t.Errorf("the secret is kept for another user: %+v", d)
	}
	if d := set(func(d *Device) { d.User, d.Key = "2001", k }); d.Key != k {
		t.Errorf("a new secret was dropped: %+v", d)
	}
	if d := set(func(d *Device) { d.Upstream = "pbx" }); d.Key.Set() {
		t.Errorf("the secret is kept, though it registers elsewhere: %+v", d)
	}
	// One for a domain that the devices were at before does no harm until it is changed.
	old := k
	old.Realm = "phones.old"
	s.all["2001"] = Device{ID: "2001", Name: "n", Class: Phone, User: "2001", Key: old}
	r = NewRegister(s, Config{Domain: testDomain})
	if d := set(func(d *Device) { d.Site = "HQ" }); d.Key != old || d.Site != "HQ" {
		t.Errorf("%+v", d)
	}
}

// Two may exchange what has to be theirs alone, in one step.
func TestExchange(t *testing.T) {
	r, _, _ := newRegister(t, Config{}, Device{ID: "a", User: "u1", Numbers: []string{"1"}}, Device{ID: "b", User: "u2"})
	_, err := r.Change(t.Context(), func(p *Picture) ([]Device, error) {
		a, b := *p.ByID("a"), *p.ByID("b")
		a.User, b.User = b.User, a.User
		a.Numbers, b.Numbers = nil, a.Numbers
		return []Device{a, b}, nil
	})
	p := r.Picture()
	if err != nil || p.ByUser("u1").ID != "b" || p.ByUser("u2").ID != "a" || !slices.Equal(idsOf(p.ByNumber("1")), []string{"b"}) {
		t.Errorf("%v", err)
	}
}

// What the store has is in force after an error that may have been none.
func TestRegisterReadsAgain(t *testing.T) {
	r, s, told := newRegister(t, Config{}, Device{ID: "a"}, Device{ID: "b"})
	s.fail = errors.New("the disk is gone")
	if _, err := r.Add(t.Context(), Device{ID: "c"}); !errors.Is(err, s.fail) {
		t.Fatal(err)
	}
	if err := r.Load(t.Context()); !errors.Is(err, s.fail) || r.Picture().Len() != 2 {
		t.Errorf("%v; those there are must stay", err)
	}
	s.fail = nil
	s.all["c"] = Device{ID: "c", Name: "c", Class: Phone, User: "c"}
	delete(s.all, "a")
	if err := r.Load(t.Context()); err != nil || r.Picture().Len() != 2 || r.Picture().ByJID("c@phones.x") == nil {
		t.Errorf("%v", err)
	}
	if want := []string{"a/a -", "- c/c"}; !slices.Equal(*told, want) {
		t.Errorf("told %q, want %q", *told, want)
	}
	s.fail = fmt.Errorf("x: %w", ErrNoOwner)
	if _, err := r.Add(t.Context(), Device{ID: "d"}); !errors.Is(err, stanza.ErrItemNotFound) {
		t.Error(err)
	}
}

func TestOwnerIsRemoved(t *testing.T) {
	r, s, told := newRegister(t, Config{}, Device{ID: "a", Owner: "ada@x"}, Device{ID: "b", Owner: "ada@x"}, Device{ID: "c", Owner: "bob@x"})
	saves := s.saves
	r.AccountRemoved("ada@x")
	r.AccountRemoved("eve@x")
	p := r.Picture()
	if p.OwnedBy("ada@x") != nil || p.ByID("a").Owner != "" || p.ByID("b").Owner != "" || p.ByID("c").Owner != "bob@x" || s.saves != saves || len(*told) != 2 {
		t.Errorf("told %q", *told)
	}
}

// Whatever is done, a picture is what one would be that is made anew.
func TestPictureIsWhole(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	p, now := newPicture(testDomain), map[string]*Device{}
	for step := range 2000 {
		var put []*Device
		var gone []string
		for range rnd.IntN(4) {
			id := fmt.Sprintf("d%02d", rnd.IntN(20))
			if slices.Contains(idsOf(put), id) || slices.Contains(gone, id) {
				continue
			}
			if now[id] != nil && rnd.IntN(3) == 0 {
				gone = append(gone, id)
				delete(now, id)
				continue
			}
			d := &Device{ID: id, User: "u" + id, Owner: []jid.Bare{"", "ada@x", "bob@x"}[rnd.IntN(3)], Numbers: [][]string{nil, {"1"}, {"2", "1"}, {id}}[rnd.IntN(4)]}
			put = append(put, d)
			now[id] = d
		}
		p = p.with(put, gone)
		fresh := newPicture(testDomain).with(slices.Collect(maps.Values(now)), nil)
		if diff := cmp.Diff(fresh, p, cmp.AllowUnexported(Picture{})); diff != "" {
			t.Fatalf("step %d: made anew (-) and as it is (+):\n%s", step, diff)
		}
	}
}

// many is as many devices as there may be.
func many(n int) []Device {
	list := make([]Device, n)
	for i := range list {
		list[i] = Device{
			ID: fmt.Sprintf("2%05d", i), Name: fmt.Sprintf("Desk %d", i), Site: "HQ", Owner: jid.Bare(fmt.Sprintf("user%d@x", i/2)),
			Numbers: []string{fmt.Sprintf("+4930%06d", i)},
		}
	}
	return list
}

func TestLookupsAllocateNothing(t *testing.T) {
	r, _, _ := newRegister(t, Config{}, many(100)...)
	n := testing.AllocsPerRun(100, func() {
		p := r.Picture()
		if p.ByJID("200042@phones.x") == nil || p.ByUser("200042") == nil || p.ByNumber("+4930000042") == nil || p.OwnedBy("user21@x") == nil {
			t.Error("not found")
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkLookup finds a device among 10,000 in four ways; BenchmarkSet changes one
// of them.
func BenchmarkLookup(b *testing.B) {
	r := full(b)
	for b.Loop() {
		p := r.Picture()
		if p.ByJID("204200@phones.x") == nil || p.ByUser("204200") == nil || p.ByNumber("+4930004200") == nil || p.OwnedBy("user2100@x") == nil {
			b.Fatal("not found")
		}
	}
}

func BenchmarkSet(b *testing.B) {
	r := full(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := r.Set(b.Context(), "204200", func(d *Device) error { d.Name = fmt.Sprint(i); return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func full(b *testing.B) *Register {
	r := NewRegister(&shelf{all: map[string]Device{}}, Config{Domain: testDomain})
	if _, err := r.Change(b.Context(), func(*Picture) ([]Device, error) { return many(10_000), nil }); err != nil {
		b.Fatal(err)
	}
	return r
}
