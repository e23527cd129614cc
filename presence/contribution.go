package presence

import (
	"slices"
	"strings"
	"time"

	"rollcall/xmpp/jid"
)

// Subject is the address of whoever has presence.
type Subject = jid.Bare

// Kind says what a subject is.
type Kind uint8

// People have chat clients, phones and a will of their own. Devices have neither
// will nor clients.
const (
	Person Kind = iota
	Device
	Team
	Role
)

var kindNames = []string{"person", "device", "team", "role"}

// String returns the word of the configuration: "person", "device", "team" or "role".
func (k Kind) String() string { return kindNames[k] }

// ParseKind returns the kind with that word.
func ParseKind(s string) (k Kind, ok bool) {
	i := slices.Index(kindNames, s)
	return Kind(max(i, 0)), i >= 0
}

// Axis is what a contribution is about.
type Axis uint8

// A subject can be reached or not, is engaged in something, is willing to be
// disturbed, works as it should, and may be under a rule of the organisation.
const (
	Reachability Axis = iota
	Engagement
	Willingness
	Health
	Policy
	numAxes
)

var axisNames = [numAxes]string{"reachability", "engagement", "willingness", "health", "policy"}

// String returns the name of the axis in a word.
func (a Axis) String() string { return axisNames[a] }

// Channel is a way to reach a subject.
type Channel uint8

// Channels are a set.
const (
	Chat   Channel = 1 << iota // a chat client is available
	Mobile                     // … and that is one that people carry
	Voice                      // a device is registered that takes calls
	Text                       // a device takes SIP MESSAGE
)

var channelNames = []string{"chat", "mobile", "voice", "text"}

// String lists the channels: "chat, voice", or "none".
func (c Channel) String() string {
	var names []string
	for i, n := range channelNames {
		if c&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Contribution is what one source says about one subject on one axis.
type Contribution struct {
	// Source names who says it, "phone/2001", "client/desk", "manual". It is
	// unique within the subject: whatever the source says next replaces this.
	Source string

	State string // the id of a state in the [Catalogue]; "" if it only gives channels
	Axis  Axis

	// Channels are the ways to reach the subject that this source vouches for.
	Channels Channel

	// Stale is set from a restart until the source has been heard again.
	Stale bool

	Facets Facets

	// Since is when this began, as far as the source knows.
	Since time.Time

	// Expires is when it ceases to be true unless the source says it again. There
	// is always an end.
	Expires time.Time

	// Lapse is the id of the state that it turns into when it expires, for a
	// device whose source has fallen silent: "unknown". "" is none: it is dropped.
	Lapse string
}

// Facets are the details of a contribution. Which of them a watcher sees is a
// matter of levels.
type Facets struct {
	Text        string    // words of the person's or the operator's own
	Device      string    // the label of the device that it is about: "Desk phone"
	Counterpart string    // the other end of a call
	Ref         string    // a call, an incident, an event: for those who look into it
	Until       time.Time // when it is planned to end; zero is unknown
	Cause       string    // why it ended or is what it is: "registration expired"
	Idle        time.Time // since when nobody has touched a client (XEP-0319); zero is unknown
	Priority    int8      // of a chat client
	Inbound     bool      // the other end began it
	Messages    uint16    // that are new in a mailbox; Ref then says all of it, as RFC 3842 does
}
