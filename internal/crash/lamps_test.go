package crash

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"rollcall/sipgw/siptest"
)

// witness notes all that watchers are shown, and what of it was wrong.
type witness struct {
	mu      sync.Mutex // guards what follows
	changed chan struct{}
	life    int
	began   time.Time // of this life
	wrong   []string
	never   map[string]never // by address
	lamps   map[string]*lamp
	views   map[string]view // by watcher
}

// view is what somebody who watches by XMPP is shown: by address and resource.
type view map[string]map[string]shown

// shown is a presence that is available.
type shown struct{ show, status string }

// lamp is what somebody who watches by SIP is shown, by one subscription.
type lamp struct {
	watcher, entity string
	state           string // idle, busy; open, closed
	life            int    // in which it was told last
	cseq, version   int
}

func newWitness() *witness {
	return &witness{began: time.Now(), changed: make(chan struct{}), never: map[string]never{}, lamps: map[string]*lamp{}, views: map[string]view{}}
}

// complain notes that something is wrong. mu is held.
func (w *witness) complain(format string, args ...any) {
	if len(w.wrong) < 50 {
		w.wrong = append(w.wrong, fmt.Sprintf("%v after the start of life %d: ", time.Since(w.began).Round(time.Millisecond), w.life)+fmt.Sprintf(format, args...))
	}
}

// stir tells who waits. mu is held.
func (w *witness) stir() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// never is what somebody must not be shown as.
type never int

const (
	free never = 1 << iota // there, and not engaged
	gone
	soon // for as long only as the program waits for a PBX after its start
)

// waits is how long that is at least.
const waits = 24 * time.Second

// forbids reports whether somebody must not be shown as something. mu is held.
func (w *witness) forbids(who string, what never) bool {
	n := w.never[who]
	return n&what != 0 && (n&soon == 0 || time.Since(w.began) < waits)
}

// forbid says what somebody must not be shown as from now on, by their names or their
// numbers.
func (w *witness) forbid(what never, all ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, who := range all {
		w.never[address(who)], w.never["sip:"+who+"@"+domain] = what, what
	}
}

// address is that of a person, or of a device, whose names are numbers.
func address(name string) string {
	if name[0] <= '9' {
		return name + "@phones." + domain
	}
	return name + "@" + domain
}

// begin begins another life of the program.
func (w *witness) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.life++
	w.began = time.Now()
}

// heard takes what a phone has received: for [siptest.Options].
func (w *witness) heard(watcher string) func(mark, text string) {
	return func(mark, text string) {
		if mark == "<" && strings.HasPrefix(text, "NOTIFY ") {
			m, err := siptest.Read(text)
			w.mu.Lock()
			defer w.mu.Unlock()
			if err != nil {
				w.complain("%s was sent what is no message: %q", watcher, text)
				return
			}
			w.notified(watcher, m)
		}
	}
}

// notified takes a NOTIFY that has not come before. mu is held.
func (w *witness) notified(watcher string, m *siptest.Message) {
	id := watcher + " " + m.Header("Call-ID")
	l := w.lamps[id]
	if l == nil {
		l = &lamp{watcher: watcher, cseq: -1, version: -1}
		w.lamps[id] = l
	}
	cseq, _ := m.CSeq()
	if cseq <= l.cseq {
		w.complain("%s: CSeq %d after %d of what it has subscribed to of %s", watcher, cseq, l.cseq, l.entity)
	}
	l.cseq, l.life = cseq, w.life
	if m.Body != "" {
		l.take(w, m.Body)
	}
	if strings.HasPrefix(m.Header("Subscription-State"), "terminated") {
		delete(w.lamps, id)
	}
	w.stir()
}

// take takes a document. w.mu is held.
func (l *lamp) take(w *witness, body string) {
	if _, list, found := strings.Cut(body, "<list "); found { // RFC 4662 §5
		_, rest, _ := strings.Cut(list, "uri=\"")
		l.entity, _, _ = strings.Cut(rest, "\"")
		l.state = "listed"
		l.count(w, numberIn(list, "version=\"", "\""))
		return
	}
	_, rest, _ := strings.Cut(body, "entity=\"")
	l.entity, _, _ = strings.Cut(rest, "\"")
	if _, calls, found := strings.Cut(body, "<dialog-info"); found {
		l.count(w, numberIn(calls, "version=\"", "\""))
		if l.state = "idle"; strings.Contains(body, ">confirmed</state>") {
			l.state = "busy"
		}
	} else {
		l.state = "closed"
		if strings.Contains(body, ">open</basic>") {
			l.state = "open"
		}
		if strings.Contains(body, "on-the-phone/>") || strings.Contains(body, "busy/>") {
			l.state = "busy"
		}
	}
	if w.forbids(l.entity, free) && (l.state == "idle" || l.state == "open") {
		w.complain("%s is shown %s as %s", l.watcher, l.entity, l.state)
	}
}

// count takes a version. w.mu is held.
func (l *lamp) count(w *witness, version int) {
	if version <= l.version {
		w.complain("%s: version %d after %d of what is told of %s", l.watcher, version, l.version, l.entity)
	}
	l.version = version
}

// present takes a presence that somebody is sent.
func (w *witness) present(watcher string, e *element) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.stir()
	who, resource, _ := strings.Cut(e.From, "/")
	v := w.views[watcher]
	if v[who] == nil {
		v[who] = map[string]shown{}
	}
	switch e.Type {
	case "":
		v[who][resource] = shown{e.Show, e.Status}
		if w.forbids(who, free) && e.Show != "dnd" {
			w.complain("%s is shown %s as %q %q", watcher, e.From, e.Show, e.Status)
		}
	case "unavailable":
		delete(v[who], resource)
		if w.forbids(who, gone) && len(v[who]) == 0 {
			w.complain("%s is shown %s as gone", watcher, who)
		}
	}
}

// connected says that a watcher begins with nothing.
func (w *witness) connected(watcher string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.views[watcher] = view{}
}

// sees says what is seen of somebody, the strongest show of all resources: "gone",
// "free", or what stands in <show/>.
func (v view) sees(who string) string {
	best := "gone"
	for _, s := range v[who] {
		switch {
		case s.show == "dnd" || best == "gone":
			best = s.show
		case best != "dnd" && s.show == "":
			best = s.show
		}
		if best == "" {
			best = "free"
		}
	}
	return best
}
