package sipstorm

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rollcall/internal/transcript"
	"rollcall/internal/wire"
	"rollcall/sipgw/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything that has to come may take on a busy machine.
const patience = 2 * time.Minute

// A town is a server, phones, and people who watch them.
type town struct {
	*wire.Server
	t       testing.TB
	gateway netip.AddrPort
	sight   *sight
	phones  int // how many there are
	wave    int // how often they have been started
}

// newTown has a server run at loopback addresses that nobody else has at the moment.
func newTown(t testing.TB, options map[string]string, people ...string) *town {
	t.Helper()
	gateway := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, byte(64 + rand.IntN(128)), byte(rand.IntN(128)), 1}), 5060)
	options["sip.listen"] = strconv.Quote(gateway.String())
	options["sip.listen"] = "[" + options["sip.listen"] + "]"
	options["storage.path"] = strconv.Quote(filepath.Join(t.TempDir(), "test.db"))
	tn := &town{t: t, gateway: gateway, sight: &sight{seen: map[string]map[string]look{}}}
	tn.Server = wire.ServePhones(t, options, people...)
	tn.ExpectErrors("nothing can be stored at the moment") // where the disk is slower than it is given time
	if err := tn.ChangeGroup(transcript.GroupChange{Do: "make", Group: "staff", Title: "Staff", Members: people}); err != nil {
		t.Fatal(err)
	}
	return tn
}

// devices makes devices that everybody in town sees, or nobody.
func (tn *town) devices(visible bool, prefix string, n int) (names []string) {
	tn.t.Helper()
	var members []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s%04d", prefix, i))
		members = append(members, names[i]+"@phones."+transcript.Domain)
	}
	if err := tn.AddPhones(names, transcript.Password); err != nil {
		tn.t.Fatal(err)
	}
	if !visible {
		return names
	}
	for _, change := range []transcript.GroupChange{
		{Do: "make", Group: prefix, Title: prefix, Members: members}, {Do: "show", Group: prefix, To: "staff"},
	} {
		if err := tn.ChangeGroup(change); err != nil {
			tn.t.Fatal(err)
		}
	}
	return names
}

// plugIn plugs a phone in, which is to be closed.
func (tn *town) plugIn(name string, heard func(mark, text string)) *siptest.Phone {
	tn.t.Helper()
	at := tn.gateway.Addr().As4()
	at[2] += byte(1 + tn.phones/250)
	at[3] = byte(1 + tn.phones%250)
	tn.phones++
	p, err := siptest.NewPhone(siptest.Loopback{}, siptest.Options{
		User: name, Word: fmt.Sprintf("%s-%d", name, tn.wave), Domain: transcript.Domain, Password: transcript.Password, Gateway: tn.gateway,
		At: netip.AddrPortFrom(netip.AddrFrom4(at), 5060), Datagram: 4096, Heard: heard,
	})
	if err != nil {
		tn.t.Fatal(err)
	}
	return p
}

// write reads a request as tests write it.
func write(format string, args ...any) *siptest.Message {
	m, err := siptest.Write(fmt.Sprintf(format, args...))
	if err != nil {
		panic(err)
	}
	return m
}

// ask sends a request as phones do: again after a while if there is no answer, and
// later if the server says so. make makes it anew.
func ask(ctx context.Context, p *siptest.Phone, make func() *siptest.Message) (*siptest.Message, error) {
	for {
		once, cancel := context.WithTimeout(ctx, 32*time.Second) // timer F of RFC 3261
		res, err := p.Ask(once, make())
		cancel()
		switch {
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			continue
		case err != nil:
			return nil, fmt.Errorf("%s: %w", p.Name(), err)
		case res.Status == 503:
			after, err := strconv.Atoi(res.Header("Retry-After"))
			if err != nil {
				return nil, fmt.Errorf("%s: 503 does not say when to come back", p.Name())
			}
			select {
			case <-time.After(time.Duration(after) * time.Second):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case res.Status != 200:
			return nil, fmt.Errorf("%s: %s", p.Name(), res.Raw)
		default:
			return res, nil
		}
	}
}

// each does something for many phones at once.
func each(t testing.TB, all []*siptest.Phone, do func(context.Context, int, *siptest.Phone) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { errs[i] = do(ctx, i, p) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("%.2000s", err)
	}
}

func register(ctx context.Context, p *siptest.Phone) (*siptest.Message, error) {
	return ask(ctx, p, func() *siptest.Message { return write("REGISTER sip:%s\nExpires: 3600", transcript.Domain) })
}

// within wants something to come true.
func within(t testing.TB, ok func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := ok()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %.2000s", err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// sight is what everybody sees, by who sees it and of whom.
type sight struct {
	mu   sync.Mutex
	seen map[string]map[string]look
}

// look is what somebody was shown last: free, dnd, away, gone; idle or busy.
type look struct {
	state string
	at    time.Time
	n     int // how often
}

func (s *sight) see(who, of, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[who] == nil {
		s.seen[who] = map[string]look{}
	}
	s.seen[who][of] = look{state, time.Now(), s.seen[who][of].n + 1}
}

// last returns what somebody sees.
func (s *sight) last(who, of string) look {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[who][of]
}

// count counts whom somebody sees in a state, and how often they were told of anybody
// at most.
func (s *sight) count(who, state string) (n, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.seen[who] {
		if most = max(most, l.n); l.state == state {
			n++
		}
	}
	return n, most
}

// watch has somebody watch by XMPP until the test ends.
func (tn *town) watch(name string) {
	tn.t.Helper()
	c := wire.Dial(tn.t, tn.Plain)
	c.Login(name, "eye")
	var reading sync.WaitGroup
	reading.Go(func() { tn.read(name, c) })
	tn.t.Cleanup(func() { c.Close(); reading.Wait() })
}

// read takes a stream apart at its tags.
func (tn *town) read(name string, c *wire.Client) {
	var from, kind, show string
	for {
		got, err := c.TryUntil(">")
		if errors.Is(err, os.ErrDeadlineExceeded) {
			continue // nothing has happened
		}
		if err != nil {
			return
		}
		at := strings.LastIndex(got, "<")
		text, tag := got[:at], got[at:]
		switch {
		case strings.HasPrefix(tag, "<presence"):
			from, kind, show = attr(tag, "from"), attr(tag, "type"), "free"
		case tag == "</show>":
			show = text
		}
		if tag == "</presence>" || strings.HasPrefix(tag, "<presence") && strings.HasSuffix(tag, "/>") {
			if kind == "unavailable" {
				show = "gone"
			}
			of, _, _ := strings.Cut(from, "@")
			tn.sight.see(name, of, show)
		}
	}
}

func attr(tag, name string) string {
	_, rest, _ := strings.Cut(tag, " "+name+"='")
	value, _, _ := strings.Cut(rest, "'")
	return value
}

// lamp notes what a phone's lamps show.
func (tn *town) lamp(name string) func(mark, text string) {
	return func(mark, text string) {
		if mark != "<" || !strings.HasPrefix(text, "NOTIFY ") {
			return
		}
		_, rest, found := strings.Cut(text, `entity="sip:`)
		of, _, _ := strings.Cut(rest, "@")
		state := "idle"
		if strings.Contains(rest, ">confirmed</state>") {
			state = "busy"
		}
		if found {
			tn.sight.see(name, of, state)
		}
	}
}

// heap is what is in use once the garbage is gone, that in pools too.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
