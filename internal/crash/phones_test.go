package crash

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// The devices of TestPhones, and whose they are.
var owners = map[string]string{
	"2001": "ada", "2002": "bea", // are in a call that goes on
	"2003": "cleo", "2004": "dirk", // likewise, over TCP
	"2005": "dora",               // does not want to be disturbed, and says so
	"2006": "eve",                // publishes that it is in a call
	"2007": "hal",                // has unregistered
	"2009": "ira", "2010": "jan", // are in a call that ends while nobody can be told
	"2040": "pat@hq",             // is in a call at a PBX, which says so late
	"2020": "eye", "2021": "eye", // have the lamps; the latter over TCP
}

// onPhones is what watchers see of them while all that is up.
var onPhones = map[string]string{
	"2001": "dnd", "2002": "dnd", "2003": "dnd", "2004": "dnd", "2005": "free", "2006": "dnd", "2007": "gone",
	"2009": "dnd", "2010": "dnd", "2020": "free", "2021": "free", "2040": "dnd", "pat": "dnd",
	"ada": "dnd", "bea": "dnd", "cleo": "dnd", "dirk": "dnd", "dora": "dnd", "eve": "dnd", "hal": "gone", "ira": "dnd", "jan": "dnd",
	"fay": "dnd",
}

// lamps is what is subscribed to by SIP, and what is shown.
var lit = map[string]string{
	"2001": "busy", "2003": "busy", "2006": "busy", "2009": "busy", "2040": "busy",
	"ada": "busy", "cleo": "busy", "dora": "busy", "ira": "busy", "fay": "busy", "hal": "closed",
	"blf-phones": "listed", // all in one subscription
}

// TestPhones kills the program while phones are in calls, watch others, and have told
// what they do. Afterwards all of it is as it was, but for the call that has ended
// meanwhile; nobody was shown as available in between who was not; and nobody had to
// register anew but those whose connection is gone.
func TestPhones(t *testing.T) {
	onEach(t, func(t *testing.T, settings string) {
		watchers := []string{"eye", "guard"}
		plug := newPlug(t)
		pbx, at := plug.pbx(t)
		settings += "sip.upstreams = [{ name = 'hq', host = '" + at + "', packages = ['dialog'] }]\n"
		h := newHouse(t, plug, settings, append(watchers, "fay"), owners)
		for _, name := range watchers {
			h.watch(name)
		}
		s := h.settle()
		pbx.tell("2040")
		before := but(onPhones, nil)
		t.Log("all is as it should be after", h.until(all(h.seen("eye", before), h.seen("guard", before), h.lit("2020", lit), h.lit("2021", lit))))
		h.stored(3, 2*len(lit), 2)
		h.w.forbid(free|gone, "2001", "2002", "2006", "ada", "bea", "dora", "eve")
		h.w.forbid(free|gone|soon, "2040", "pat")
		h.w.forbid(free, "2003", "2004", "2007", "cleo", "dirk", "hal", "fay")

		h.fall()
		for _, name := range []string{"2009", "2010"} { // hang up, and it comes to nothing
			if _, err := h.phones[name].HangUp(); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		h.rise(watchers)
		for _, name := range []string{"2003", "2004", "2021"} {
			h.back(h.phones[name])
		}
		// The PBX is late. Whether somebody sees that it is known from before is not waited
		// for longer than that is so.
		lit2040 := map[string]string{"2040": "busy"}
		h.wait(waits, all(h.seen("eye", map[string]string{"2040": "dnd", "pat": "dnd"}), h.lit("2020", lit2040), h.lit("2021", lit2040)))
		pbx.tell("2040")

		// Fay is not back. How long phones are shown what she was like is limited, and
		// longer than this test waits.
		after := but(onPhones, map[string]string{"2009": "free", "2010": "free", "ira": "away", "jan": "away", "fay": "gone"})
		lamps := but(lit, map[string]string{"2009": "idle", "ira": "open"})
		delete(lamps, "fay")
		h.until(all(h.seen("eye", after), h.seen("guard", after), h.lit("2020", lamps), h.lit("2021", lamps)))
		t.Log("all is right again after", time.Since(began))
		h.arrive("ada", "laptop", "")
		h.arrive("fay", "laptop", "<show>dnd</show>")
		h.until(all(h.seen("eye", but(after, map[string]string{"fay": "dnd"})), h.lit("2020", but(lamps, map[string]string{"fay": "busy"}))))
		s.goOn(after)
		h.judge()
	})
}

// but is a map with other values for some keys.
func but[M ~map[K]V, K comparable, V any](m, other M) M {
	out := maps.Clone(m)
	maps.Copy(out, other)
	return out
}

// story is what goes on after a restart.
type story struct {
	*house
	tag   string            // of the publication of 2006
	lamps map[string]string // Call-IDs of the lamps for 2001
}

// settle has everybody do what they are known for.
func (h *house) settle() *story {
	h.t.Helper()
	for _, name := range slices.Sorted(maps.Keys(owners)) {
		if strings.Contains(owners[name], "@") {
			continue
		}
		h.phone(name, slices.Contains([]string{"2003", "2004", "2021"}, name)).register(3600)
	}
	p := h.phones
	p["2007"].register(0)
	h.arrive("ada", "laptop", "")
	h.arrive("fay", "laptop", "<show>dnd</show>")
	for caller, called := range map[string]string{"2001": "2002", "2003": "2004", "2009": "2010"} {
		if err := p[caller].call(h.t.Context(), p[called]); err != nil {
			h.t.Fatal(err)
		}
	}
	p["2005"].must(publication("2005", "presence", "", 3600, disturbed("2005")), 200)
	res := p["2006"].must(publication("2006", "dialog", "", 3600, talking("2006")), 200)
	s := &story{h, res.Header("SIP-ETag"), map[string]string{}}
	for who := range lit {
		event := "presence"
		if who[0] <= '9' {
			event = "dialog"
		}
		if who == "blf-phones" {
			event = "dialog\nSupported: eventlist"
		}
		for _, panel := range []string{"2020", "2021"} {
			id := p[panel].subscribe(event, who)
			if who == "2001" {
				s.lamps[panel] = id
			}
		}
	}
	return s
}

// goOn has those who were in the middle of something go on with it.
func (s *story) goOn(seen map[string]string) {
	t, p := s.t, s.phones
	t.Helper()
	// A nonce of before is too old, and that is no refusal.
	for _, name := range []string{"2001", "2009", "2020"} {
		p[name].register(3600)
	}
	// What was published goes by the same tag.
	res := p["2006"].must(publication("2006", "dialog", s.tag, 3600, ""), 200)
	s.w.forbid(0, "2001", "2002", "2006", "ada", "bea", "eve")
	p["2006"].must(publication("2006", "dialog", res.Header("SIP-ETag"), 0, ""), 200)
	// Subscriptions go on in their dialogs.
	for panel, id := range s.lamps {
		p[panel].must(write("SUBSCRIBE\nEvent: dialog\nExpires: 3600\nCall-ID: %s", id), 200)
	}
	// The call that went on ends, and who is registered can be called.
	if err := p["2001"].hangUp(t.Context(), p["2002"]); err != nil {
		t.Error(err)
	}
	if err := p["2010"].call(t.Context(), p["2009"]); err != nil {
		t.Error(err)
	}
	s.until(all(s.seen("eye", but(seen, map[string]string{
		"2001": "free", "2002": "free", "2006": "free", "2009": "dnd", "2010": "dnd", "2040": "dnd", "pat": "dnd",
		"ada": "free", "bea": "away", "eve": "away", "ira": "dnd", "jan": "dnd", "fay": "dnd",
	})), s.lit("2020", map[string]string{"2001": "idle", "2006": "idle", "2009": "busy", "ada": "open", "ira": "busy"})))
	if strings.Contains(s.p.logs.String(), "level=ERROR") {
		t.Error("an error was logged")
	}
}

// fault notes that something is wrong.
func (w *witness) fault(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.complain(format, args...)
}
