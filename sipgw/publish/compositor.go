package publish

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"hash/maphash"
	"log/slog"
	chacha "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rollcall/sipgw/deadline"
	"rollcall/sipgw/keep"
	"rollcall/sipgw/news"
)

// Config bounds what can be published.
type Config struct {
	// MinExpires is the shortest time that is granted, 0 is a minute. MaxExpires is the
	// longest, and what is granted to those who do not ask, 0 is an hour.
	MinExpires, MaxExpires time.Duration

	// MaxPublications is how many there may be about one resource. 0 is 20.
	MaxPublications int

	// MaxBody is how many bytes one may have. 0 is 16 KiB.
	MaxBody int
}

func (c Config) withDefaults() Config {
	if c.MinExpires <= 0 {
		c.MinExpires = time.Minute
	}
	if c.MaxExpires <= 0 {
		c.MaxExpires = time.Hour
	}
	c.MaxExpires = max(c.MaxExpires, c.MinExpires)
	if c.MaxPublications <= 0 {
		c.MaxPublications = 20
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 16 << 10
	}
	return c
}

// Package is an event package that can be published.
type Package struct {
	Types []string // of bodies, in small letters; the first is what a body without a type is

	// Parse reads a body, whose type is one of Types, and returns what it says. It may
	// be nil: then nobody reads it.
	Parse func(contentType string, body []byte) (state any, err error)
}

// Publication is what somebody has published. It is never changed once it is made.
type Publication struct {
	ID          uint64 // the same for as long as the publication lasts; no other has it
	Resource    string // that it is about: user@host
	Event       string // the package
	ETag        string
	Publisher   string // who it was, as they have proved
	ContentType string
	Body        []byte
	Since       time.Time // when it was made; it is older than what it says
	Expires     time.Time

	State any // what the package's parser made of the body
}

// Source names the publication among all that is known of its resource.
func (p *Publication) Source() string { return fmt.Sprintf("publish/%d", p.ID) }

// What is what has happened to a publication.
type What uint8

// What happens. After the last three the publication is no more.
const (
	Published What = iota // it is new
	Restored              // it is known from before the server was restarted
	Refreshed             // it lasts longer
	Modified              // it says something else
	Removed               // by who made it
	Expired
	Forgotten // who made it has been restarted, or is not to be there
)

// String returns a word for the log.
func (w What) String() string {
	return [...]string{"published", "restored", "refreshed", "modified", "removed", "expired", "forgotten"}[w%7]
}

// Gone says whether the publication is no more.
func (w What) Gone() bool { return w >= Removed }

// Change is what has happened to one publication. A listener that replaces all that
// the publication's source said by it is always right.
type Change struct {
	What        What
	Publication *Publication // as it is now, or as it was last
	At          time.Time
}

// Store keeps publications.
type Store interface {
	LoadPublications(ctx context.Context) ([]*Publication, error)

	// SavePublications writes publications, in place of those with the same ID, and
	// removes others by their ID; all or nothing. State is not stored.
	SavePublications(ctx context.Context, put []*Publication, gone []uint64) error
}

// Parts are what a compositor needs.
type Parts struct {
	Store    Store
	Packages map[string]Package // by name, in small letters

	// Serves says whether state is kept for a resource.
	Serves func(resource string) bool

	Log *slog.Logger
}

// Compositor holds what was published. It is safe for use by many goroutines.
type Compositor struct {
	parts     Parts                             // fixed
	cfg       Config                            // fixed
	allow     string                            // fixed: for Allow-Events
	listeners []func(Change)                    // fixed before use
	keeper    *keep.Keeper[uint64, Publication] // safe
	seed      maphash.Seed                      // fixed
	lastID    atomic.Uint64
	wake      chan struct{} // holds a token if something ends sooner than was known

	shards [16]shard
}

// shard holds some of the resources.
type shard struct {
	mu        sync.Mutex // guards the fields below
	resources map[string][]*entry
	ends      deadline.Heap[place]
	news      news.Queue[Change]
	tags      *chacha.ChaCha8
}

// entry is a publication, which is another one after each request.
type entry struct {
	now *Publication
	due int64 // when it is looked at next, in Unix nanoseconds

	// restored is that nothing has come for it since a restart. outdated is that who
	// made it has gone on since it was stored, and publishes anew: this one only stays
	// until that is there, or for a moment.
	restored, outdated bool
}

// place names a publication.
type place struct {
	resource string
	id       uint64
}

// New returns a compositor that knows nothing yet. [Compositor.Load] reads what was
// stored; [Compositor.Run] has publications expire, and stores them.
func New(parts Parts, cfg Config) *Compositor {
	c := &Compositor{parts: parts, cfg: cfg.withDefaults(), seed: maphash.MakeSeed(), wake: make(chan struct{}, 1)}
	c.keeper = keep.New(keep.Config[uint64, Publication]{Save: c.save, Log: parts.Log, What: "publications"})
	for i := range c.shards {
		var seed [32]byte
		rand.Read(seed[:]) // never fails
		c.shards[i].resources = map[string][]*entry{}
		c.shards[i].tags = chacha.NewChaCha8(seed)
	}
	names := make([]string, 0, len(parts.Packages))
	for name := range parts.Packages {
		names = append(names, name)
	}
	slices.Sort(names)
	c.allow = strings.Join(names, ", ")
	return c
}

// OnChange has a listener called for each change, in order for each resource. It
// must not take long. It is to be set before the compositor is used.
func (c *Compositor) OnChange(tell func(Change)) { c.listeners = append(c.listeners, tell) }

func (c *Compositor) shard(resource string) *shard {
	return &c.shards[maphash.String(c.seed, resource)%uint64(len(c.shards))]
}

// tagPart is how long the two parts of an entity-tag are: the name of a publication,
// which stays the same, and a word that is another one after each request.
const tagPart = 12

// newTag returns an entity-tag that nobody has had or can guess (RFC 3903 §8.3), after
// another one of the same publication or "". The caller holds the shard.
func (s *shard) newTag(before string) string {
	var raw [2 * tagPart * 3 / 4]byte
	s.tags.Read(raw[:])
	tag := base64.RawURLEncoding.EncodeToString(raw[:])
	if len(before) < tagPart {
		return tag
	}
	return before[:tagPart] + tag[tagPart:]
}

// Publications returns what is published about a resource. None of it may be
// changed.
func (c *Compositor) Publications(resource string) (list []*Publication) {
	s := c.shard(resource)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.resources[resource] {
		list = append(list, e.now)
	}
	return list
}

// tell tells the listeners of what has happened. The caller holds the shard, and does
// not any more afterwards.
func (c *Compositor) tell(s *shard) {
	s.news.Tell(&s.mu, func(change *Change) {
		for _, listener := range c.listeners {
			listener(*change)
		}
	})
}

// save is what the keeper stores with.
func (c *Compositor) save(ctx context.Context, changes []keep.Change[uint64, Publication]) error {
	var put []*Publication
	var gone []uint64
	for _, ch := range changes {
		if ch.Value == nil {
			gone = append(gone, ch.Key)
		} else {
			put = append(put, ch.Value)
		}
	}
	return c.parts.Store.SavePublications(ctx, put, gone)
}
