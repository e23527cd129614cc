package storage

import (
	"fmt"
	"sync"
	"time"

	"rollcall/xmpp/jid"
)

// maxIDs bounds how many account ids are remembered, at about 60 bytes each.
const maxIDs = 100_000

// idCache remembers the ids of accounts. The zero value is ready.
type idCache struct {
	mu   sync.RWMutex // guards the fields below
	ids  map[jid.Bare]AccountID
	era  uint64 // counts drops: what was read before a drop is not put after it
	keep int    // 0 is maxIDs
}

func (c *idCache) get(who jid.Bare) (AccountID, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, found := c.ids[who]
	return id, found
}

func (c *idCache) now() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.era
}

func (c *idCache) putIf(era uint64, who jid.Bare, id AccountID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if era != c.era {
		return
	}
	if c.ids == nil {
		c.ids = make(map[jid.Bare]AccountID)
	}
	limit := c.keep
	if limit == 0 {
		limit = maxIDs
	}
	for old := range c.ids { // any one will do: it is cheap to read again
		if len(c.ids) < limit {
			break
		}
		delete(c.ids, old)
	}
	c.ids[who] = id
}

func (c *idCache) drop(who jid.Bare) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era++
	delete(c.ids, who)
}

// micros reads a time that is kept as microseconds since 1970.
type micros time.Time

// Scan implements sql.Scanner.
func (m *micros) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("a time is a %T, not a number", src)
	}
	*m = micros(time.UnixMicro(n).UTC())
	return nil
}

// sinceEver scans microseconds since 1970 into a time.Time; 0 is the zero time.
type sinceEver time.Time

// Scan implements sql.Scanner.
func (m *sinceEver) Scan(src any) error {
	if src == int64(0) {
		*m = sinceEver{}
		return nil
	}
	return (*micros)(m).Scan(src)
}
