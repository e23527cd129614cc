package archive

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"rollcall/server"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// policy is what becomes of messages with those who are not listed.
type policy string

// The policies of XEP-0441 §2.1.1.
const (
	always   policy = "always"
	never    policy = "never"
	byRoster policy = "roster"
)

func (p policy) valid() bool { return p == always || p == never || p == byRoster }

// Prefs are what people say about their archive (XEP-0441), and the form in
// which that is kept. They are not changed once made.
type Prefs struct {
	Default policy   `json:"default"`
	Always  []string `json:"always,omitempty"` // sorted, canonical addresses
	Never   []string `json:"never,omitempty"`
}

// maxListed bounds each list.
const maxListed = 1000

// decide says what to do with a message to or from peer. A listed bare address
// stands for its resources; a listed full address is for itself only, and comes
// first; what is in both lists is not kept (XEP-0441 §2.3.1).
func (p *Prefs) decide(peer jid.JID) policy {
	if len(p.Always) == 0 && len(p.Never) == 0 {
		return p.Default
	}
	for _, form := range []string{peer.String(), string(peer.Bare())} {
		if _, found := slices.BinarySearch(p.Never, form); found {
			return never
		}
		if _, found := slices.BinarySearch(p.Always, form); found {
			return always
		}
	}
	return p.Default
}

// prefsOf returns an account's preferences.
func (f *Feature) prefsOf(ctx context.Context, account int64) (*Prefs, error) {
	p, era := f.prefs.get(account)
	if p != nil {
		return p, nil
	}
	text, found, err := f.parts.Book.Prefs(ctx, account)
	if err != nil {
		return nil, err
	}
	p = &Prefs{Default: policy(f.cfg.Default)}
	if found {
		if err := json.Unmarshal([]byte(text), p); err != nil {
			return nil, fmt.Errorf("archive: the preferences of account %d: %w", account, err)
		}
	}
	f.prefs.put(account, p, era)
	return p, nil
}

// getPrefs answers with the preferences (XEP-0441 §2.1).
func (f *Feature) getPrefs(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, stanza.ErrServiceUnavailable
	}
	p, err := f.prefsOf(ctx, r.Account.ID)
	if err != nil {
		return nil, err
	}
	return p.append(nil), nil
}

// setPrefs changes them and answers with what they are now.
func (f *Feature) setPrefs(ctx context.Context, r *server.Request) ([]byte, error) {
	if r.Account.ID == 0 {
		return nil, stanza.ErrServiceUnavailable
	}
	p, err := parsePrefs(r.Payload)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	if err := f.parts.Book.SetPrefs(ctx, r.Account.ID, string(text)); err != nil {
		return nil, err
	}
	f.prefs.drop(r.Account.ID)
	return p.append(nil), nil
}

func parsePrefs(e *stanza.Element) (*Prefs, error) {
	p := &Prefs{Default: policy(e.Attr("default"))}
	if !p.Default.valid() {
		return nil, stanza.Refuse(stanza.ErrBadRequest, "default has to be always, never or roster")
	}
	var err error
	if p.Always, err = parseList(e.Child("", "always")); err != nil {
		return nil, err
	}
	p.Never, err = parseList(e.Child("", "never"))
	return p, err
}

// ReadPrefs reads preferences as a client would set them, and returns what a
// [Book] keeps of them.
func ReadPrefs(e *stanza.Element) (value string, err error) {
	p, err := parsePrefs(e)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(p)
	return string(text), err
}

// WritePrefs writes what a [Book] keeps as the element of XEP-0441 §2.1.
func WritePrefs(value string) ([]byte, error) {
	p := new(Prefs)
	if err := json.Unmarshal([]byte(value), p); err != nil {
		return nil, fmt.Errorf("archive: preferences: %w", err)
	}
	return p.append(nil), nil
}

func parseList(e *stanza.Element) ([]string, error) {
	if e == nil {
		return nil, nil // §2.1.2: as if it were empty
	}
	var list []string
	for _, c := range e.Elements() {
		if !c.Is(Namespace, "jid") {
			continue
		}
		j, err := jid.Parse(c.Text())
		if err != nil {
			return nil, stanza.ErrMalformedJID
		}
		list = append(list, j.String())
	}
	if len(list) > maxListed {
		return nil, stanza.Refuse(stanza.ErrNotAcceptable, "a list may hold %d addresses", maxListed)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// append appends the <prefs/> element, in which both lists have to be.
func (p *Prefs) append(b []byte) []byte {
	b = append(b, "<prefs xmlns='"+Namespace+"'"...)
	b = append(stanza.AppendAttr(b, "default", string(p.Default)), '>')
	b = appendList(b, "always", p.Always)
	b = appendList(b, "never", p.Never)
	return append(b, "</prefs>"...)
}

func appendList(b []byte, name string, list []string) []byte {
	b = append(append(append(b, '<'), name...), '>')
	for _, j := range list {
		b = stanza.AppendElement(b, "jid", j)
	}
	return append(append(append(b, "</"...), name...), '>')
}

// cache remembers preferences. The zero value is ready.
type cache struct {
	mu  sync.RWMutex // guards the fields below
	of  map[int64]*Prefs
	era uint64 // counts drops: what was read before a drop is not put after it
}

// maxCached bounds how many are remembered.
const maxCached = 100_000

func (c *cache) get(account int64) (p *Prefs, era uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.of[account], c.era
}

func (c *cache) put(account int64, p *Prefs, era uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if era != c.era {
		return
	}
	if c.of == nil {
		c.of = map[int64]*Prefs{}
	}
	for other := range c.of { // any one will do: it is cheap to read again
		if len(c.of) < maxCached {
			break
		}
		delete(c.of, other)
	}
	c.of[account] = p
}

func (c *cache) drop(account int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.era++
	delete(c.of, account)
}
