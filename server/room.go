package server

// Much that is sent to one client at once, such as the presence of thousands, is
// sent as the client takes it: what waits in its outbox otherwise could be more
// than that holds.

// Room reports whether the session's client has taken most of what was sent to
// it. If it has not, then is called once it has, unless then is nil, and not at
// all if the session is over before that. It is called on a goroutine that must
// not be held up, without a lock.
func (s *Session) Room(then func()) bool { return s.out.room(then) }

// crowded is how many stanzas may be on their way before there is no room, where
// a client acknowledges them.
const crowded = 400

// room is Room.
func (o *outbox) room(then func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over.Load() {
		return false // and nobody is called any more
	}
	if o.roomy(1) {
		return true
	}
	if then == nil {
		return false
	}
	o.waiting = append(o.waiting, then)
	if o.managed && !o.asked {
		// What is acknowledged makes room, and nobody else may ask for that.
		appendTo(&o.log, ackRequest)
		o.due, o.pending, o.asked = false, 0, true
		o.kick()
	}
	return false
}

// roomy reports whether less than a part of what makes a crowd is on its way.
// The caller holds the lock.
func (o *outbox) roomy(part int) bool {
	bytes, stanzas := min(pressure, o.limit/4), crowded
	if o.most > 0 {
		stanzas = min(crowded, int(o.most)/4+1)
	}
	return int(o.log.end-o.acked) < bytes/part && (!o.managed || len(o.marks) < stanzas/part+1)
}

// admit calls those who wait for room if there is some. The caller holds the
// lock, which is let go of meanwhile.
func (o *outbox) admit() {
	if len(o.waiting) == 0 || !o.roomy(2) {
		return
	}
	all := o.waiting
	o.waiting, o.asked = nil, false
	o.mu.Unlock()
	for _, f := range all {
		f()
	}
	o.mu.Lock()
}
