package registrar

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Unix(1_700_000_000, 0).UTC()

// shelf is a store in memory.
type shelf struct {
	mu     sync.Mutex // guards the fields below
	has    map[uint64]Binding
	writes int
}

func (s *shelf) LoadBindings(context.Context) (list []*Binding, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(s.has)) {
		b := s.has[id]
		list = append(list, &b)
	}
	return list, nil
}

func (s *shelf) SaveBindings(_ context.Context, put []*Binding, gone []uint64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.has == nil {
		s.has = map[uint64]Binding{}
	}
	for _, b := range put {
		s.has[b.ID] = *b
		s.writes++
	}
	for _, id := range gone {
		delete(s.has, id)
		s.writes++
	}
	return nil
}

// office is a registrar, and what it has told.
type office struct {
	*Registrar
	t     *testing.T
	shelf *shelf

	mu   sync.Mutex // guards the fields below
	told []string
	last []Change
}

func newOffice(t *testing.T, cfg Config) *office {
	if cfg.Jitter == nil {
		cfg.Jitter = func() float64 { return 0.5 } // none
	}
	o := &office{t: t, shelf: &shelf{}}
	o.Registrar = New(Parts{Store: o.shelf, Log: slog.New(slog.DiscardHandler)}, cfg)
	o.OnChange(func(c Change) {
		word := c.What.String() + " " + c.Binding.Contact
		if c.Reboot != "" {
			word += " (" + c.Reboot + ")"
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.told = append(o.told, word)
		o.last = append(o.last, c)
	})
	return o
}

// expectTold compares what was told since it was last asked.
func (o *office) expectTold(want ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.told, want) {
		o.t.Errorf("told was %q, want %q", o.told, want)
	}
	o.told, o.last = nil, nil
}

// forget forgets what was told.
func (o *office) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told, o.last = nil, nil
}

// request makes a registration from its header fields, a line each.
func request(t *testing.T, text string) Registration {
	t.Helper()
	r := Registration{
		AOR: "2001@x", CallID: "a", CSeq: 1, Expires: -1, FirstHop: true, UserAgent: "phone",
		Flow: Flow{Remote: netip.MustParseAddrPort("192.0.2.1:5060"), ID: 1},
	}
	var contacts, paths []string
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "":
		case "To":
			r.AOR = value
		case "Contact":
			contacts = append(contacts, value)
		case "Path":
			paths = append(paths, value)
		case "Call-ID":
			r.CallID = value
		case "CSeq":
			fmt.Sscan(value, &r.CSeq)
		case "Expires":
			r.Expires = ParseSeconds(value)
		case "Require":
			r.Require = append(r.Require, value)
		case "Supported":
			r.Supported = append(r.Supported, value)
		case "User-Agent":
			r.UserAgent = value
		case "Via":
			r.FirstHop = value == "1"
		case "Source":
			r.Flow.Remote = netip.MustParseAddrPort(value)
		case "Flow":
			r.Flow.Transport = TCP
			fmt.Sscan(value, &r.Flow.ID)
		default:
			t.Fatalf("no such header: %q", line)
		}
	}
	var err error
	if r.Contacts, r.Star, err = ParseContacts(contacts); err != nil {
		t.Fatal(err)
	}
	if r.Path, err = ParsePath(paths); err != nil {
		t.Fatal(err)
	}
	return r
}

// send registers, and compares the status and the bindings after it: contacts with
// the seconds that they have.
func (o *office) send(at time.Duration, text string, status int, want ...string) *Result {
	o.t.Helper()
	now := start.Add(at)
	got := o.Register(now, request(o.t, text))
	if got.Status != status {
		o.t.Errorf("%q: got %d %s, want %d", text, got.Status, got.Reason, status)
	}
	o.expect(now, want...)
	return got
}

func (o *office) expect(now time.Time, want ...string) {
	o.t.Helper()
	var got []string
	for _, b := range o.Lookup("2001@x") {
		got = append(got, fmt.Sprintf("%s %g", b.Contact, b.Expires.Sub(now).Seconds()))
	}
	if !slices.Equal(got, want) {
		o.t.Errorf("bindings are %q, want %q", got, want)
	}
}

// RFC 3261 §10.3, step 7: what the time is.
func TestExpires(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		jitter     float64
		status     int
		seconds    int
	}{
		{"none: what is usual", "Contact: <sip:a>", 0.5, 200, 300},
		{"the header field", "Contact: <sip:a>\nExpires: 200", 0.5, 200, 200},
		{"the parameter counts more", "Contact: <sip:a>;expires=100\nExpires: 200", 0.5, 200, 100},
		{"without brackets", "Contact: sip:a;expires=100", 0.5, 200, 100},
		{"a parameter that is no number", "Contact: <sip:a>;expires=soon\nExpires: 200", 0.5, 200, 200},
		{"more than there is", "Contact: <sip:a>\nExpires: 86400", 0.5, 200, 300},
		{"much more than there is", "Contact: <sip:a>\nExpires: 99999999999999999999", 0.5, 200, 300},
		{"a tenth less", "Contact: <sip:a>\nExpires: 3600", 0, 200, 270},
		{"a tenth more", "Contact: <sip:a>\nExpires: 3600", 0.9999, 200, 329},
		{"never more than asked for", "Contact: <sip:a>\nExpires: 310", 0.9999, 200, 310},
		{"never less than the least", "Contact: <sip:a>\nExpires: 60", 0, 200, 60},
		{"too brief", "Contact: <sip:a>\nExpires: 59", 0.5, 423, 0},
		{"one of two too brief", "Contact: <sip:a>;expires=59, <sip:b>", 0.5, 423, 0},
		{"over a connection", "Contact: <sip:a>\nFlow: 7", 0.5, 200, 3600},
		{"over a connection, a tenth less", "Contact: <sip:a>\nFlow: 7\nExpires: 3600", 0, 200, 3240},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, Config{Jitter: func() float64 { return tt.jitter }})
			got := o.Register(start, request(t, tt.text))
			if got.Status != tt.status || (got.Status == 423) != (got.MinExpires == 60) {
				t.Fatalf("got %+v", got)
			}
			list := o.Lookup("2001@x")
			if (len(list) == 1) != (tt.status == 200) || len(list) > 0 && list[0].Expires != start.Add(time.Duration(tt.seconds)*time.Second) {
				t.Errorf("bindings are %+v", list)
			}
		})
	}
}

// What a device is granted does not change with each refresh, unless it asks for
// something else.
func TestExpiresAgain(t *testing.T) {
	jitter := 0.25
	o := newOffice(t, Config{Jitter: func() float64 { return jitter }})
	for i, tt := range []struct {
		text    string
		seconds int
	}{
		{"Expires: 3600", 285},
		{"Expires: 3600", 285},
		{"Expires: 290", 285},
		{"Expires: 280", 280}, // drawn anew, and not more than that
		{"Expires: 3600", 280},
		{"Expires: 100", 100},
		{"Expires: 3600", 322},
	} {
		now := start.Add(time.Duration(i) * time.Minute)
		o.Register(now, request(t, fmt.Sprintf("Contact: <sip:a>\nCSeq: %d\n%s", i+1, tt.text)))
		if got := o.Lookup("2001@x")[0].Expires.Sub(now); got != time.Duration(tt.seconds)*time.Second {
			t.Errorf("%d: granted was %v, want %d s", i, got, tt.seconds)
		}
		jitter = 0.875
	}
}

func TestRegisterRefreshRemove(t *testing.T) {
	o := newOffice(t, Config{})
	o.send(0, "", 200)
	got := o.send(0, "Contact: \"Ada\" <sip:a@h:5070;ob>;q=0.5;expires=120;+x=\"y;z\"", 200, "sip:a@h:5070;ob 120")
	if c := got.Contacts(start.Add(500 * time.Millisecond)); !slices.Equal(c, []string{`<sip:a@h:5070;ob>;q=0.5;+x="y;z";expires=120`}) {
		t.Errorf("the answer has %q", c)
	}
	o.expectTold("registered sip:a@h:5070;ob")
	o.send(time.Second, "Contact: <sip:A@H:5070>;expires=120\nCSeq: 2", 200, "sip:A@H:5070 120", "sip:a@h:5070;ob 119")
	o.expectTold("registered sip:A@H:5070")
	o.send(60*time.Second, "Contact: <SIP:%61@h:5070>;expires=120\nCSeq: 3", 200, "SIP:%61@h:5070 120", "sip:A@H:5070 61")
	o.expectTold("refreshed SIP:%61@h:5070")
	o.send(61*time.Second, "Contact: <sip:b@h>;expires=90;q=0.1\nCSeq: 4", 200, "SIP:%61@h:5070 119", "sip:A@H:5070 60", "sip:b@h 90")
	o.expectTold("registered sip:b@h")
	// Fetching changes nothing (§10.2.3).
	if got := o.send(62*time.Second, "", 200, "SIP:%61@h:5070 118", "sip:A@H:5070 59", "sip:b@h 89"); len(got.Contacts(start)) != 3 {
		t.Errorf("the answer is %+v", got)
	}
	o.expectTold()
	o.send(63*time.Second, "Contact: <sip:a@h:5070>\nContact: <sip:nobody@h>\nExpires: 0\nCSeq: 5", 200, "sip:A@H:5070 58", "sip:b@h 88")
	o.expectTold("unregistered SIP:%61@h:5070")
	o.send(64*time.Second, "Contact: *\nExpires: 0\nCSeq: 6", 200)
	o.expectTold("unregistered sip:A@H:5070", "unregistered sip:b@h")
	if n := o.Count(); n != 0 {
		t.Errorf("there are %d bindings", n)
	}
}

// RFC 3261 §10.3, steps 6 and 7: what comes late changes nothing, as a whole.
func TestOrder(t *testing.T) {
	o := newOffice(t, Config{})
	o.send(0, "Contact: <sip:a>, <sip:b>;q=0.5\nCSeq: 5", 200, "sip:a 300", "sip:b 300")
	o.send(time.Second, "Contact: <sip:a>\nCSeq: 5", 500, "sip:a 299", "sip:b 299")
	o.send(time.Second, "Contact: <sip:c>, <sip:b>;expires=0\nCSeq: 4", 500, "sip:a 299", "sip:b 299")
	o.send(time.Second, "Contact: *\nExpires: 0\nCSeq: 5", 500, "sip:a 299", "sip:b 299")
	o.expectTold("registered sip:a", "registered sip:b")
	o.send(2*time.Second, "Contact: <sip:b>;expires=0\nCSeq: 1\nCall-ID: b", 200, "sip:a 298")
	o.expectTold("unregistered sip:b")
	o.send(3*time.Second, "Contact: *\nExpires: 0\nCSeq: 1\nCall-ID: b", 200)
	o.expectTold("unregistered sip:a")
	// The same twice in one request is not two requests.
	o.send(4*time.Second, "Contact: <sip:a>;expires=100, <sip:a>;expires=120", 200, "sip:a 120")
	o.send(5*time.Second, "Contact: <sip:a>;expires=100, <sip:a>;expires=0\nCSeq: 2", 200)
}

func TestStar(t *testing.T) {
	o := newOffice(t, Config{})
	o.send(0, "Contact: <sip:a>", 200, "sip:a 300")
	o.send(0, "Contact: *\nCSeq: 2", 400, "sip:a 300")
	o.send(0, "Contact: *\nExpires: 10\nCSeq: 2", 400, "sip:a 300")
	if _, _, err := ParseContacts([]string{"*", "<sip:a>"}); err != errStar {
		t.Errorf("* among others: %v", err)
	}
}

func TestRebootSigns(t *testing.T) {
	const urn = `;+sip.instance="<urn:uuid:1>"`
	for _, tt := range []struct {
		name   string
		after  time.Duration
		first  string
		second string
		status int
		told   string
	}{
		{"a new Call-ID", 9, "Contact: <sip:a@h>", "Contact: <sip:a@h>\nCall-ID: b", 200, "rebooted sip:a@h (new Call-ID)"},
		{"the same Call-ID", 9, "Contact: <sip:a@h>", "Contact: <sip:a@h>\nCSeq: 2", 200, "refreshed sip:a@h"},
		{"CSeq from the start", 40, "Contact: <sip:a@h>\nCSeq: 9", "Contact: <sip:a@h>\nCSeq: 1", 200, "rebooted sip:a@h (CSeq reset)"},
		{"a request that is late", 31, "Contact: <sip:a@h>\nCSeq: 9", "Contact: <sip:a@h>\nCSeq: 8", 500, ""},
		{"another port", 9, "Contact: <sip:a@h:1>", "Contact: <sip:a@h:2>\nCall-ID: b", 200, "rebooted sip:a@h:2 (new port)"},
		{"another port of the same program", 9, "Contact: <sip:a@h:1>", "Contact: <sip:a@h:2>\nCSeq: 2", 200, "registered sip:a@h:2"},
		{"another program", 9, "Contact: <sip:a@h:1>", "Contact: <sip:a@h:2>\nCall-ID: b\nUser-Agent: other", 200, "registered sip:a@h:2"},
		{"another machine behind the same address", 9, "Contact: <sip:a@h:1>", "Contact: <sip:a@h:2>\nCall-ID: b\nSource: 192.0.2.2:5060", 200, "registered sip:a@h:2"},
		{"another user", 9, "Contact: <sip:a@h:1>", "Contact: <sip:b@h:2>\nCall-ID: b", 200, "registered sip:b@h:2"},
		{"no program known", 9, "Contact: <sip:a@h:1>\nUser-Agent: ", "Contact: <sip:a@h:2>\nCall-ID: b\nUser-Agent: ", 200, "registered sip:a@h:2"},
		{"the instance elsewhere", 9, "Contact: <sip:a@h>" + urn, "Contact: <sip:a@g>" + urn + "\nCall-ID: b", 200, "rebooted sip:a@g (new Call-ID)"},
		{"the instance has moved", 9, "Contact: <sip:a@h>" + urn, "Contact: <sip:a@g>" + urn + "\nCSeq: 2", 200, "refreshed sip:a@g"},
		{"another instance", 9, "Contact: <sip:a@h:1>" + urn, "Contact: <sip:a@h:2>;+sip.instance=\"<urn:uuid:2>\"\nCall-ID: b", 200, "registered sip:a@h:2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, Config{})
			o.Register(start, request(t, tt.first))
			old := o.Lookup("2001@x")[0]
			o.forget()
			got := o.Register(start.Add(tt.after*time.Second), request(t, tt.second))
			if told := strings.Join(o.told, ", "); got.Status != tt.status || told != tt.told {
				t.Fatalf("got %d %s, told %q", got.Status, got.Reason, told)
			}
			if reboot := strings.HasPrefix(tt.told, "rebooted"); reboot != (len(got.Rebooted) == 1) || reboot && got.Rebooted[0] != old {
				t.Errorf("rebooted are %v", got.Rebooted)
			}
			n := 1
			if strings.HasPrefix(tt.told, "registered") {
				n = 2
			}
			if list := o.Lookup("2001@x"); len(list) != n || o.Count() != n {
				t.Errorf("bindings are %v", list)
			}
		})
	}
}

// A device that registers two contacts in one request has two, and one that has
// moved may remove where it was.
func TestInstanceWithTwoContacts(t *testing.T) {
	const urn = `;+sip.instance="<urn:uuid:1>"`
	o := newOffice(t, Config{})
	o.send(0, "Contact: <sip:a>"+urn+", <sip:b>;q=0.5"+urn, 200, "sip:a 300", "sip:b 300")
	o.send(10*time.Second, "Contact: <sip:b>;q=0.5"+urn+", <sip:a>"+urn+"\nCSeq: 2", 200, "sip:a 300", "sip:b 300")
	o.expectTold("registered sip:a", "registered sip:b", "refreshed sip:b", "refreshed sip:a")
	o.send(20*time.Second, "Contact: *\nExpires: 0\nCSeq: 3", 200)
	o.send(21*time.Second, "Contact: <sip:a>"+urn+"\nCSeq: 4", 200, "sip:a 300")
	o.send(22*time.Second, "Contact: <sip:c>"+urn+", <sip:a>;expires=0"+urn+"\nCSeq: 5", 200, "sip:c 300")
	o.send(23*time.Second, "Contact: <sip:a>;expires=0"+urn+"\nCSeq: 6", 200, "sip:c 299")
}

// RFC 5626 §6.
func TestOutbound(t *testing.T) {
	const one, two = `;reg-id=1;+sip.instance="<urn:uuid:1>"`, `;reg-id=2;+sip.instance="<urn:uuid:1>"`
	o := newOffice(t, Config{MaxExpires: time.Hour})
	got := o.send(0, "Contact: <sip:a@1>"+one+"\nFlow: 7\nSupported: path, outbound", 200, "sip:a@1 3600")
	if !got.Outbound {
		t.Error("the answer does not require outbound")
	}
	o.send(0, "Contact: <sip:a@1>"+two+"\nFlow: 8\nCSeq: 2", 200, "sip:a@1 3600", "sip:a@1 3600")
	// The contact does not matter for the comparison, instance and flow do.
	o.send(time.Second, "Contact: <sip:a@9>"+one+"\nFlow: 9\nCSeq: 3", 200, "sip:a@9 3600", "sip:a@1 3599")
	o.expectTold("registered sip:a@1", "registered sip:a@1", "refreshed sip:a@9")
	o.send(2*time.Second, "Contact: <sip:a@9>"+one+", <sip:b>\nFlow: 9\nCSeq: 4", 400, "sip:a@9 3599", "sip:a@1 3598")
	o.send(2*time.Second, "Contact: <sip:a@9>"+one+", <sip:b>;expires=0\nFlow: 9\nCSeq: 4", 200, "sip:a@9 3600", "sip:a@1 3598")
	o.forget()
	o.Closed(start.Add(3*time.Second), 7) // the flow was replaced
	o.expectTold()
	o.Closed(start.Add(3*time.Second), 9)
	o.expectTold("flow closed sip:a@9")
	o.expect(start.Add(3*time.Second), "sip:a@1 3597")
	for _, tt := range []struct {
		name, text string
		status     int
		outbound   bool
	}{
		{"reg-id without instance is not looked at", "Contact: <sip:c>;reg-id=1", 200, false},
		{"through a proxy that does not know", "Contact: <sip:c>" + one + "\nVia: 2", 200, false},
		{"and the device wants it", "Contact: <sip:c>" + one + "\nVia: 2\nSupported: outbound", 439, false},
		{"with a Path that does not know", "Contact: <sip:c>" + one + "\nVia: 2\nPath: <sip:p;lr>\nSupported: outbound", 439, false},
		{"with a Path that does", "Contact: <sip:c>" + one + "\nVia: 2\nPath: <sip:p;lr;ob>\nSupported: outbound", 200, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newOffice(t, Config{}).Register(start, request(t, tt.text))
			if got.Status != tt.status || got.Outbound != tt.outbound {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// RFC 3327 §5.3.
func TestPath(t *testing.T) {
	o := newOffice(t, Config{})
	got := o.send(0, "Contact: <sip:a>\nPath: <sip:p1;lr>, <sip:p2;lr>\nPath: <sip:p3;lr>\nRequire: path\nFlow: 7\nExpires: 300", 200, "sip:a 300")
	want := []string{"<sip:p1;lr>", "<sip:p2;lr>", "<sip:p3;lr>"}
	if b := o.Lookup("2001@x")[0]; !slices.Equal(b.Path, want) || !slices.Equal(got.Path, want) {
		t.Errorf("the path is %q, and in the answer %q", b.Path, got.Path)
	}
	// The connection is that of a proxy: the device does not stand and fall with it.
	o.Closed(start, 7)
	o.expectTold("registered sip:a")
	o.send(0, "Contact: <sip:a>\nFlow: 8\nExpires: 300\nCSeq: 2", 200, "sip:a 300")
	o.Closed(start, 8)
	o.expectTold("refreshed sip:a", "flow closed sip:a")
}

func TestRefusals(t *testing.T) {
	o := newOffice(t, Config{MaxBindings: 2})
	if got := o.send(0, "Contact: <sip:a>\nRequire: path, gruu\nRequire: foo", 420); !slices.Equal(got.Unsupport, []string{"gruu", "foo"}) {
		t.Errorf("unsupported are %q", got.Unsupport)
	}
	o.send(0, "Contact: <sip:a>\nCall-ID: "+strings.Repeat("a", maxCallID+1), 400)
	o.send(0, "Contact: <sip:a>\nCall-ID: a\xff", 400) // no database would take it
	o.send(0, "Contact: <sip:a>, <sip:b>;q=0.9, <sip:c>", 403)
	o.send(0, "Contact: <sip:a>, <sip:b>;q=0.9", 200, "sip:a 300", "sip:b 300")
	o.send(0, "Contact: <sip:c>\nCSeq: 2", 403, "sip:a 300", "sip:b 300")
	o.send(0, "Contact: <sip:c>, <sip:a>;expires=0\nCSeq: 2", 200, "sip:c 300", "sip:b 300")
	o.expectTold("registered sip:a", "registered sip:b", "registered sip:c", "unregistered sip:a")
}

// The most preferred first, then the one that was heard last (RFC 3261 §16.6).
func TestLookup(t *testing.T) {
	o := newOffice(t, Config{})
	o.send(0, "Contact: <sip:a>;q=0.2, <sip:b>, <sip:c>;q=0.999", 200, "sip:b 300", "sip:c 300", "sip:a 300")
	o.send(time.Second, "Contact: <sip:d>\nCSeq: 2", 200, "sip:d 300", "sip:b 299", "sip:c 299", "sip:a 299")
	o.send(2*time.Second, "Contact: <sip:b>\nCSeq: 3", 200, "sip:b 300", "sip:d 299", "sip:c 298", "sip:a 298")
	if list := o.Lookup("2002@x"); len(list) != 0 {
		t.Errorf("somebody has %v", list)
	}
}

func TestRemove(t *testing.T) {
	o := newOffice(t, Config{})
	o.send(0, "Contact: <sip:a>, <sip:b>;q=0", 200, "sip:a 300", "sip:b 300")
	o.forget()
	o.Remove(start, "2001@x")
	o.expectTold("deactivated sip:a", "deactivated sip:b")
	o.Remove(start, "2001@x")
	o.expectTold()
}

// What a listener is told has all bindings before and after, and what it registers
// itself comes after it.
func TestListener(t *testing.T) {
	o := newOffice(t, Config{})
	o.OnChange(func(c Change) {
		if c.What == Registered && c.Binding.Contact == "sip:a" {
			o.Register(start, request(t, "Contact: <sip:b>\nCSeq: 9"))
		}
	})
	o.Register(start, request(t, "Contact: <sip:a>"))
	if len(o.last) != 2 || len(o.last[0].Before) != 0 || len(o.last[0].After) != 1 ||
		len(o.last[1].Before) != 1 || len(o.last[1].After) != 2 || o.last[1].AOR != "2001@x" || !o.last[1].At.Equal(start) {
		t.Errorf("told was %+v", o.last)
	}
	o.expectTold("registered sip:a", "registered sip:b")
}

// Everything at once: in the end the listeners know what there is.
func TestAllAtOnce(t *testing.T) {
	o := newOffice(t, Config{})
	var mu sync.Mutex
	known := map[uint64]string{}
	o.Registrar.listeners = []func(Change){func(c Change) {
		mu.Lock()
		defer mu.Unlock()
		if c.What.Gone() {
			delete(known, c.Binding.ID)
			return
		}
		if c.Old == nil && known[c.Binding.ID] != "" {
			t.Errorf("%s is new twice", c.Binding.Contact)
		}
		known[c.Binding.ID] = fmt.Sprint(c.AOR, c.Binding.Contact, c.Binding.CSeq)
	}}
	var work sync.WaitGroup
	for worker := range 4 {
		work.Go(func() {
			for i := range 400 {
				now := start.Add(time.Duration(i) * time.Second)
				r := request(t, fmt.Sprintf("To: %d@x\nContact: <sip:a%d>\nCSeq: %d\nCall-ID: %d\nFlow: %d", i%7, i%3, i, worker, i%5+1))
				switch {
				case i%41 == 0:
					o.Closed(now, uint64(i%5+1))
				case i%37 == 0:
					o.Remove(now, r.AOR)
				case i%23 == 0:
					o.Expire(now.Add(time.Hour + Grace))
				default:
					o.Register(now, r)
					o.Lookup(r.AOR)
				}
			}
		})
	}
	work.Wait()
	count := 0
	for aor := range 7 {
		for _, b := range o.Lookup(fmt.Sprintf("%d@x", aor)) {
			count++
			if known[b.ID] != fmt.Sprint(b.AOR, b.Contact, b.CSeq) {
				t.Errorf("known is %q of %+v", known[b.ID], b)
			}
		}
	}
	if count == 0 || count != len(known) || count != o.Count() {
		t.Errorf("there are %d, known are %d, counted %d", count, len(known), o.Count())
	}
}
