package call

import (
	"slices"
	"strings"
	"sync"
	"time"

	"rollcall/sipgw/deadline"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/line"
	"rollcall/sipgw/news"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// A table holds the calls of all devices. It is safe for use by many goroutines.
// Whoever is told of something is told without its lock.
type table struct {
	// Fixed.
	cfg   Config
	hear  func(*notice)
	save  func(d *Dialog, urgent bool) // does not block
	erase func(id uint64)              // likewise
	wake  chan struct{}                // holds a token if something is due sooner than was known

	mu       sync.Mutex // guards the fields below, and those of legs, ends, attempts, rings and dialogs
	lastID   uint64
	legs     map[string][]*leg // by device
	attempts int
	peers    map[string]int // attempts and dialogs by the PBX that has made them
	dialogs  map[key]*dialog
	byID     map[uint64]*dialog
	due      deadline.Heap[uint64]
	asked    map[uint64]bool // questions that wait for an answer, by their numbers
	lastAsk  uint64
	dirty    []string // devices whose news has not been put into the queue
	news     news.Queue[notice]
}

// A notice is what listeners are told: the calls of a device as they are now, or that
// one is over.
type notice struct {
	device string
	calls  []dialoginfo.Live
	ended  *Ended
}

// A key names a dialog. The first tag is that of who called.
type key struct{ callID, caller, callee string }

// A leg is a call as one device has it: a row of the table.
type leg struct {
	device  string
	binding uint64
	lost    *registrar.Binding // that binding, if it went with its connection, or has expired; nil if not
	live    dialoginfo.Live

	// What it is a leg of: one of these.
	attempt *attempt
	ring    *ring
	dialog  *dialog
}

// An end is who takes part in a call, as it is known to us.
type end struct {
	device  string // its ID; "" if it is not registered here
	peer    string // the PBX that has made the call; "" if it was none
	aor     string // of the device
	binding uint64
	leg     *leg // nil if it is no device, or has none (any more)

	tag      string
	header   string // From or To, with the tag
	identity string
	display  string
	contact  string
	routes   []string // from us to it, without us
	cseq     uint32   // of its last request
	held     bool     // it does not play what it receives
	flow     transport.Flow

	signs   line.Signs
	heard   time.Time
	asked   uint64 // the number of the question that waits for an answer; 0: none does
	doubted bool   // known from before a restart, and not heard of since
}

// An attempt is a call that has not been answered, as the caller has it.
type attempt struct {
	callID   string // fixed
	caller   end
	began    time.Time // fixed
	replaces dialoginfo.Replaces
	referred string   // fixed
	answered []string // the tags of those who have
	over     bool
	giveUp   func() // fixed: what a CANCEL would do
}

// A ring is a call that has not been answered, as one of those who are called has it.
type ring struct {
	to   end
	over bool
}

// A dialog is a call that is up.
type dialog struct {
	id       uint64 // fixed
	key      key    // fixed
	began    time.Time
	answered time.Time
	session  time.Duration
	renewed  time.Time // by the session timer
	ends     [2]end
	due      int64 // when it is looked at next, in Unix nanoseconds; 0: it is not yet known
	over     bool
}

func newTable(cfg Config) *table {
	return &table{
		cfg: cfg, wake: make(chan struct{}, 1),
		legs: map[string][]*leg{}, dialogs: map[key]*dialog{}, byID: map[uint64]*dialog{}, asked: map[uint64]bool{}, peers: map[string]int{},
	}
}

// tell tells what has changed. The caller holds the lock, and does not any more
// afterwards.
func (t *table) tell() {
	for _, device := range t.dirty {
		legs := t.legs[device]
		calls := make([]dialoginfo.Live, len(legs))
		for i, l := range legs {
			calls[i] = l.live
		}
		t.news.Add(notice{device: device, calls: calls})
	}
	t.dirty = t.dirty[:0]
	t.news.Tell(&t.mu, t.hear)
}

// changed takes note of a device whose calls are not what they were.
func (t *table) changed(device string) {
	if !slices.Contains(t.dirty, device) {
		t.dirty = append(t.dirty, device)
	}
}

// add puts a leg into the table.
func (t *table) add(l *leg) {
	if l.live.ID == "" {
		l.live.ID = transport.NewTag()
	}
	t.legs[l.device] = append(t.legs[l.device], l)
	t.changed(l.device)
}

// remove takes a leg out; nil is none. how says how it ended.
func (t *table) remove(l *leg, now time.Time, how ending) {
	if l == nil {
		return
	}
	list := slices.DeleteFunc(t.legs[l.device], func(o *leg) bool { return o == l })
	if len(list) == 0 {
		delete(t.legs, l.device)
	} else {
		t.legs[l.device] = list
	}
	over := l.live
	over.State, over.Event, over.Code, over.Since = dialoginfo.Terminated, how.event, how.code, now
	t.news.Add(notice{ended: &Ended{Device: l.device, Call: over, Cause: how.cause, Why: how.why, At: now}})
	t.changed(l.device)
}

// An ending is how a call ended: by an event of RFC 4235 §3.7.1 and a status, or a
// cause that we found.
type ending struct {
	event string
	code  int
	cause string
	why   string
}

// The events of RFC 4235 §3.7.1.
const (
	eventCancelled = "cancelled"
	eventRejected  = "rejected"
	eventReplaced  = "replaced"
	eventLocalBye  = "local-bye"
	eventRemoteBye = "remote-bye"
	eventError     = "error"
	eventTimeout   = "timeout"
)

// endOf says how a call ends that was answered with a status.
func endOf(status int) ending {
	switch status {
	case 487:
		return ending{event: eventCancelled, code: status}
	case 408:
		return ending{event: eventTimeout, code: status}
	}
	return ending{event: eventRejected, code: status}
}

// set changes the state of a leg.
func (t *table) set(l *leg, now time.Time, s dialoginfo.State, code int) {
	if l == nil || l.live.State == s {
		return
	}
	l.live.State, l.live.Code, l.live.Since = s, code, now
	if s == dialoginfo.Confirmed && l.live.Answered.IsZero() {
		l.live.Answered = now
	}
	t.changed(l.device)
}

// find returns the dialog that a message belongs to and which end has sent it, by the
// tags of From and To; or nil.
func (t *table) find(callID, from, to string) (d *dialog, sender int) {
	if d := t.dialogs[key{callID, from, to}]; d != nil {
		return d, 0
	}
	return t.dialogs[key{callID, to, from}], 1
}

// atDevice says whether one end of a dialog is a device that is registered here.
func (t *table) atDevice(d *dialog, side int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.ends[side].device != ""
}

// finish ends a dialog for both.
func (t *table) finish(d *dialog, now time.Time, how [2]ending) {
	if d.over {
		return
	}
	d.over = true
	for i := range d.ends {
		t.remove(d.ends[i].leg, now, how[i])
		d.ends[i].leg = nil
	}
	t.count(&d.ends[0], -1)
	delete(t.dialogs, d.key)
	delete(t.byID, d.id)
	t.erase(d.id)
}

// count counts the calls of the PBX that has made one.
func (t *table) count(caller *end, n int) {
	if caller.peer == "" {
		return
	}
	if t.peers[caller.peer] += n; t.peers[caller.peer] == 0 {
		delete(t.peers, caller.peer)
	}
}

func both(e ending) [2]ending { return [2]ending{e, e} }

// schedule has a dialog looked at no later than at a time. Whoever looks sees for
// themselves whether it was too soon.
func (t *table) schedule(d *dialog, at time.Time) {
	n := at.UnixNano()
	if d.due != 0 && d.due <= n {
		return
	}
	d.due = n
	if next, some := t.due.Next(); !some || n < next {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	t.due.Push(n, d.id)
}

// clone copies the texts of an end, so that it does not hold on to the message that
// they come from.
func (e *end) clone() {
	for _, s := range []*string{&e.aor, &e.tag, &e.header, &e.identity, &e.display, &e.contact} {
		*s = strings.Clone(*s)
	}
	for i := range e.routes {
		e.routes[i] = strings.Clone(e.routes[i])
	}
}

// party is the end as documents have it.
func (e *end) party() dialoginfo.Party {
	p := dialoginfo.Party{Identity: e.identity, Display: e.display, Target: e.contact, Rendering: dialoginfo.RenderingUnsaid}
	if e.held {
		p.Rendering = dialoginfo.RenderingNo
	}
	return p
}

// show writes what is known of both ends into the legs of a dialog.
func (t *table) show(d *dialog, now time.Time) {
	for i := range d.ends {
		e, other := &d.ends[i], &d.ends[1-i]
		if e.leg == nil {
			continue
		}
		l := &e.leg.live
		local, remote := e.party(), other.party()
		if l.Local == local && l.Remote == remote {
			continue
		}
		if l.Local.Rendering != local.Rendering {
			l.Since = now
		}
		l.Local, l.Remote = local, remote
		t.changed(e.leg.device)
	}
}
