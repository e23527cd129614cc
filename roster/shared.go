package roster

// Groups of the operator give an owner and a contact parts of a subscription,
// To and From, that neither of them asked for and neither can give up. These
// shared parts are never mixed with the state that the two have agreed on: what
// is in force is both together, and when the group goes the owner's own state is
// what it was.

// with returns the state that is in force: the owner's own with the shared parts
// beside it. What still waits for something that a group gives does not wait any
// longer.
func (s State) with(shared State) State {
	s |= shared & Both
	if shared.Has(To) {
		s &^= PendingOut
	}
	if shared.Has(From) {
		s &^= PendingIn | Approved
	}
	return s
}

// OutboundShared is [State.Outbound] for a contact with whom the owner has
// shared parts of a subscription. What is not shared is as RFC 6121 has it.
func (s State) OutboundShared(shared State, e Event) Outcome {
	out := s.Outbound(e)
	switch {
	case e == Subscribe && shared.Has(To):
		// There is nothing to ask for: the answer is there already.
		return Outcome{State: s, Echo: Subscribed}
	case e == Unsubscribe && shared.Has(To):
		// The owner still sees the contact. It is told if it has to forget what
		// the two had agreed on.
		out.Forward = out.State != s
	case e == Subscribed && shared.Has(From):
		if !s.Has(PendingIn) {
			return Outcome{State: s} // Table 4: as in the states with From
		}
		out.Notice = NoNotice // the contact has it
	case e == Unsubscribed && shared.Has(From):
		out.Notice = NoNotice // the contact still sees the owner
	}
	return out
}

// InboundShared is [State.Inbound] for a contact with whom the owner has shared
// parts of a subscription. The owner's clients hear only of what changes
// something that is in force, and so does the contact.
func (s State) InboundShared(shared State, e Event) Outcome {
	out := s.Inbound(e)
	switch {
	case e == Subscribe && shared.Has(From):
		// RFC 6121 §3.1.3, rule 2: as from a contact who is subscribed.
		return Outcome{State: s, Reply: Subscribed, Notice: SendCurrent}
	case e == Unsubscribe && shared.Has(From):
		out.Forward, out.Reply, out.Notice = false, 0, NoNotice
	case (e == Subscribed || e == Unsubscribed) && shared.Has(To):
		out.Forward = false
	}
	return out
}
