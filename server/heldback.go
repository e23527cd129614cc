package server

// heldBack is what an inactive client is spared (XEP-0352 §3): the latest
// presence of each sender, and chat states, in the order in which they came.
type heldBack struct {
	items []heldItem
	index map[string]int // sender -> its Status in items
	bytes int
	live  int // items that were not replaced
}

type heldItem struct {
	d   Delivery
	raw []byte // nil: replaced by a later one
}

// maxHeld bounds what is held back, in bytes; over it all is sent.
const maxHeld = 128 << 10

// hold takes a stanza in; false if there is no room.
func (h *heldBack) hold(d Delivery, head []byte, mid string, tail []byte) bool {
	n := len(head) + len(mid) + len(tail)
	if h.bytes+n > maxHeld {
		return false
	}
	raw := make([]byte, 0, n)
	raw = append(append(append(raw, head...), mid...), tail...)
	if d.Class == Status {
		if at, ok := h.index[d.From]; ok {
			h.bytes -= len(h.items[at].raw)
			h.items[at].raw = nil
			h.live--
		}
		if h.index == nil {
			h.index = map[string]int{}
		}
		h.index[d.From] = len(h.items)
	}
	h.items = append(h.items, heldItem{d, raw})
	h.bytes += n
	h.live++
	if len(h.items) > 2*h.live+minHeld {
		h.compact()
	}
	return true
}

// minHeld is how many replaced items are not worth a sweep.
const minHeld = 16

// compact drops the items that were replaced: somebody may change their presence
// as often as they like while nobody looks.
func (h *heldBack) compact() {
	kept := h.items[:0]
	for _, it := range h.items {
		if it.raw == nil {
			continue
		}
		if it.d.Class == Status {
			h.index[it.d.From] = len(kept)
		}
		kept = append(kept, it)
	}
	clear(h.items[len(kept):])
	h.items = kept
}

// release puts what was held back into the log, the client staying inactive.
// The caller holds the lock.
func (o *outbox) release() {
	h := o.held
	o.held = &heldBack{}
	for _, it := range h.items {
		if it.raw != nil {
			o.put(it.d, it.raw, "", nil)
		}
	}
}

// setInactive begins or ends holding back.
func (o *outbox) setInactive(inactive bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if inactive == (o.held != nil) || o.over.Load() {
		return
	}
	if inactive {
		o.held = &heldBack{}
		return
	}
	o.release()
	o.held = nil
	o.kick()
}
