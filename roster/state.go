package roster

// State is where the subscription between an owner and a contact stands, from
// the owner's side: the nine states of RFC 6121 §A.1, and pre-approval beside
// them. The zero value is "None".
type State uint8

// The parts that a state is made of.
const (
	To         State = 1 << iota // the owner sees the contact's presence
	From                         // the contact sees the owner's presence
	PendingOut                   // the owner asked and has no answer yet
	PendingIn                    // the contact asked and has no answer yet
	Approved                     // the owner approved a request that has not come yet
)

// None is the state of strangers.
const None State = 0

// Both is a subscription in both directions.
const Both = To | From

// Has says whether all of the parts are in the state.
func (s State) Has(parts State) bool { return s&parts == parts }

// Subscription is the state as the roster shows it (RFC 6121 §2.1.2.5).
func (s State) Subscription() Subscription { return Subscription(s & Both) }

// String names the state as RFC 6121 §A.1 does.
func (s State) String() string {
	name := [...]string{"None", "To", "From", "Both"}[s&Both]
	switch s & (PendingOut | PendingIn) {
	case PendingOut:
		name += " + Pending Out"
	case PendingIn:
		name += " + Pending In"
	case PendingOut | PendingIn:
		name += " + Pending Out+In"
	}
	if s.Has(Approved) {
		name += ", approved"
	}
	return name
}

// visible is the part of a state that clients are shown. Only a change of it
// is a roster modification (RFC 6121 §2.6.3).
func (s State) visible() State { return s &^ PendingIn }

// Subscription is the value of an item's subscription attribute.
type Subscription uint8

// String is the attribute's value.
func (s Subscription) String() string {
	return [...]string{"none", "to", "from", "both"}[s&3]
}

// Event is a presence stanza that manages a subscription. The zero value is no
// event.
type Event uint8

// The four types of such stanzas.
const (
	Subscribe Event = iota + 1
	Unsubscribe
	Subscribed
	Unsubscribed
)

var eventNames = [...]string{"", "subscribe", "unsubscribe", "subscribed", "unsubscribed"}

// String is the stanza's type attribute.
func (e Event) String() string {
	if int(e) < len(eventNames) {
		return eventNames[e]
	}
	return ""
}

// ParseEvent finds the event for a presence stanza's type attribute.
func ParseEvent(typ string) (Event, bool) {
	for e := Subscribe; e <= Unsubscribed; e++ {
		if eventNames[e] == typ {
			return e, true
		}
	}
	return 0, false
}

// Notice is what the contact has to learn of the owner's availability when a
// subscription begins or ends.
type Notice uint8

// The notices.
const (
	NoNotice Notice = iota
	// SendCurrent: the contact gets the presence of each available resource,
	// after the stanza that says it is subscribed (RFC 6121 §3.1.5).
	SendCurrent
	// SendUnavailable: the contact gets "unavailable" from each available
	// resource. For an outbound "unsubscribed" it goes first, while the contact
	// is still subscribed (RFC 6121 §3.2.2).
	SendUnavailable
)

// Outcome is what follows from an event in a state.
type Outcome struct {
	State   State  // the state from now on
	Forward bool   // route the stanza to the contact, or deliver it to the owner
	Reply   Event  // answer the contact with this on the owner's behalf
	Notice  Notice // what to tell the contact about the owner's availability
	Echo    Event  // tell the owner's clients this on the contact's behalf
}

// Outbound is RFC 6121 §A.2: the owner sends e to the contact. Tables 2 to 5
// are obeyed as they stand, SHOULD NOT as "do not".
//
// The stanza goes out before the owner's resources get the roster push.
func (s State) Outbound(e Event) Outcome {
	out := Outcome{State: s}
	switch e {
	case Subscribe: // Table 2
		out.Forward = true
		if !s.Has(To) {
			out.State |= PendingOut
		}
	case Unsubscribe: // Table 3
		out.Forward = true
		out.State &^= To | PendingOut
	case Subscribed: // Table 4
		switch {
		case s.Has(From):
		case s.Has(PendingIn):
			out.State = s&^(PendingIn|Approved) | From
			out.Forward = true
			out.Notice = SendCurrent
		default: // RFC 6121 §3.4.2, rules 3 and 4
			out.State |= Approved
		}
	case Unsubscribed: // Table 5
		out.State &^= From | PendingIn | Approved
		out.Forward = s&(From|PendingIn) != 0
		if s.Has(From) {
			out.Notice = SendUnavailable
		}
	}
	return out
}

// Inbound is RFC 6121 §A.3: the contact sent e to the owner. Tables 6 to 9 are
// obeyed as they stand, SHOULD NOT as "do not" and a SHOULD of an auto-reply
// as "do".
//
// The stanza is delivered before the owner's resources get the roster push
// (RFC 6121 §3.1.6).
func (s State) Inbound(e Event) Outcome {
	out := Outcome{State: s}
	switch e {
	case Subscribe: // Table 6
		s.inboundSubscribe(&out)
	case Unsubscribe: // Table 7
		out.State &^= From | PendingIn
		if out.State != s {
			out.Forward = true
			out.Reply = Unsubscribed
		}
		if s.Has(From) { // RFC 6121 §3.3.3, rule 3
			out.Notice = SendUnavailable
		}
	case Subscribed: // Table 8
		if s.Has(PendingOut) {
			out.State = s&^PendingOut | To
			out.Forward = true
		}
	case Unsubscribed: // Table 9
		out.State &^= To | PendingOut
		out.Forward = out.State != s
	}
	return out
}

func (s State) inboundSubscribe(out *Outcome) {
	switch {
	case s.Has(From):
		// RFC 6121 §3.1.3, rule 2. The contact's side has lost what it knew, so
		// it gets the owner's presence again too.
		out.Reply = Subscribed
		out.Notice = SendCurrent
	case s.Has(Approved):
		// RFC 6121 §3.4.2. The approval is spent: a contact that unsubscribes
		// later has to ask the owner again.
		out.State = s&^(Approved|PendingIn) | From
		out.Reply = Subscribed
		out.Notice = SendCurrent
	case !s.Has(PendingIn):
		out.State |= PendingIn
		out.Forward = true
	}
}

// Farewell lists what the server sends to the contact when the owner removes
// the item (RFC 6121 §2.5.2). A request of the owner's that still waits is
// taken back, and one of the contact's is refused.
func (s State) Farewell() []Event {
	var out []Event
	if s&(To|PendingOut) != 0 {
		out = append(out, Unsubscribe)
	}
	if s&(From|PendingIn) != 0 {
		out = append(out, Unsubscribed)
	}
	return out
}
