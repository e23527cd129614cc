package call

import (
	"context"
	"log/slog"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/line"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/transport"
)

// Config bounds what calls may cost.
type Config struct {
	// MaxCalls is how many there may be altogether, and MaxPerDevice of one device. 0
	// is 10,000, and 20.
	MaxCalls     int
	MaxPerDevice int

	// MaxPerPeer is how many of them a PBX may make. 0 is 1,000. Those that were up
	// before a restart are not counted.
	MaxPerPeer int

	// MaxForks is to how many places one request may go. 0 is 16.
	MaxForks int

	// MaxBody is the longest body that is passed on, in bytes. 0 is 32 KiB.
	MaxBody int

	// RingFor is how long places that are alike are tried before those that are less
	// preferred. 0 is 25 seconds.
	RingFor time.Duration
}

func (c Config) withDefaults() Config {
	def := func(n *int, value int) {
		if *n <= 0 {
			*n = value
		}
	}
	def(&c.MaxCalls, 10_000)
	def(&c.MaxPerDevice, 20)
	def(&c.MaxPerPeer, 1000)
	def(&c.MaxForks, 16)
	def(&c.MaxBody, 32<<10)
	if c.RingFor <= 0 {
		c.RingFor = 25 * time.Second
	}
	return c
}

// Parts are what a proxy needs.
type Parts struct {
	Transport *transport.Transport

	// Who finds out who sends a request that is to be passed on. If that is not known
	// the request has been answered, and ok is false. Fields are to be in answers to
	// it. The door's WhoPasses is one.
	Who func(*transport.Request) (user string, fields []transport.Field, ok bool)

	// Realm is what credentials for us are for: they are not passed on, others are. ""
	// is that none are.
	Realm string

	// Peer says whether a flow comes from a PBX that is known by that, and is believed
	// who calls; and from which. By UDP anybody can write what they like as where they
	// are, so it is for networks that are closed. nil: none is.
	Peer func(transport.Flow) (name string, ok bool)

	// Devices returns all devices as they are now.
	Devices func() *device.Picture

	// Domain returns the domain that a host in a URI stands for, see door.Parts.
	Domain func(host string) (domain string, ok bool)

	// Bindings returns where an address of record is registered, the most preferred
	// first: registrar.Registrar.Lookup.
	Bindings func(aor string) []*registrar.Binding

	// MayKnow says whether a device is told that what it calls does not exist, rather
	// than that it cannot be reached. nil: none is.
	MayKnow func(*device.Device) bool

	// Router says where requests go: a [Plain] one, or one that knows more.
	Router Router

	// Store keeps the calls that are up.
	Store Store

	// OnChange is told of all the calls that a device is in whenever that has changed,
	// in order for each device. The list is the listener's. It must not take long.
	OnChange func(device string, calls []dialoginfo.Live)

	// OnEnd is told of each call of a device that is over. nil: nobody is.
	OnEnd func(Ended)

	Log *slog.Logger
}

// Ended is a call of a device that is over.
type Ended struct {
	Device string
	Call   dialoginfo.Live // State is terminated, Event and Code say how
	Cause  string          // "audit" or "reboot" if nobody has said so; or ""
	Why    string          // and then, in words
	At     time.Time
}

// The causes of ends that nobody has told.
const (
	CauseAudit  = "audit"
	CauseReboot = "reboot"
)

// Store keeps the calls that are up.
type Store interface {
	// LoadDialogs reads all dialogs, in the order of their IDs.
	LoadDialogs(ctx context.Context) ([]*Dialog, error)

	// SaveDialogs writes dialogs, in place of those with the same ID, and removes
	// others by their ID; all or nothing.
	SaveDialogs(ctx context.Context, put []*Dialog, gone []uint64) error
}

// Dialog is a call that is up, as it is stored. It is never changed once it is made.
type Dialog struct {
	ID        uint64
	CallID    string
	Began     time.Time
	Answered  time.Time
	Session   time.Duration // the interval of the session timer, or 0
	Refreshed time.Time
	Ends      [2]End // who called, and who answered
}

// End is one end of a dialog, as it is stored.
type End struct {
	Device  string // its ID, or "" for what is not registered here
	AOR     string // of the device
	Binding uint64 // that it has the call by, or 0
	Row     string // the ID of the dialog in documents

	Header   string // its From or To, with the tag
	Identity string
	Display  string
	Contact  string
	Routes   []string
	CSeq     uint32 // of its last request
	Held     bool   // it does not play what it receives
	Since    time.Time
	Flow     registrar.Flow
}

// How often what does not wait for an event is done.
const (
	probeFor  = 4 * time.Second // an answer to OPTIONS is waited for so long: four are sent by UDP
	mostAsked = 512             // so many OPTIONS wait for an answer
	longest   = line.LongestRing
)
