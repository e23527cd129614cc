package publish

import (
	"slices"
	"strings"
	"time"

	"rollcall/sipgw/keep"
)

// Request is a PUBLISH. Who sends it, and whether they may, was found out before.
type Request struct {
	Resource  string   // of the Request-URI: user@host
	Event     string   // the package, without parameters, in small letters; "" if there is none
	IfMatch   []string // the values of SIP-If-Match
	Expires   int64    // in seconds; -1: there is none
	Publisher string   // who has proved to be that

	ContentType string // in small letters, without parameters
	Body        []byte // is kept, so nobody may change it any more
}

// Result is what the answer has to say.
type Result struct {
	Status int
	Reason string

	ETag    string // for SIP-ETag, if the status is 200
	Expires int64  // for Expires, if the status is 200

	MinExpires  int64  // for Min-Expires, if it is 423
	Accept      string // for Accept, if it is 415
	AllowEvents string // for Allow-Events, if it is 489
}

func refuse(status int, reason string) Result { return Result{Status: status, Reason: reason} }

// Publish carries out a PUBLISH (RFC 3903 §6), in the order of its steps.
func (c *Compositor) Publish(now time.Time, r Request) Result {
	if !c.parts.Serves(r.Resource) {
		return refuse(404, "Not Found")
	}
	pkg, known := c.parts.Packages[r.Event]
	if !known {
		return Result{Status: 489, Reason: "Bad Event", AllowEvents: c.allow}
	}
	tag, ok := r.tag()
	if !ok {
		return refuse(400, "One SIP-If-Match With One Entity-Tag")
	}
	s := c.shard(r.Resource)
	s.mu.Lock()
	// Reading the body takes a while, so it is done outside of the lock; whether the
	// tag matches comes before it, and is looked at again after it.
	if tag != "" && s.find(&r, tag) == nil {
		c.outdate(s, &r, tag, now)
		s.mu.Unlock()
		return refuse(412, "Conditional Request Failed")
	}
	s.mu.Unlock()
	state, bad := c.read(pkg, &r, tag)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	out := c.commit(s, now, &r, tag, state)
	c.tell(s)
	return out
}

// tag is the one entity-tag of SIP-If-Match, "" if there is none.
func (r *Request) tag() (tag string, ok bool) {
	if len(r.IfMatch) == 0 {
		return "", true
	}
	tag = strings.TrimSpace(r.IfMatch[0])
	return tag, len(r.IfMatch) == 1 && tag != "" && !strings.ContainsAny(tag, ", \t")
}

// read looks at the steps 4 and 5, and at what the body says.
func (c *Compositor) read(pkg Package, r *Request, tag string) (state any, bad *Result) {
	no := func(r Result) (any, *Result) { return nil, &r }
	if r.Expires > 0 && time.Duration(r.Expires)*time.Second < c.cfg.MinExpires {
		return no(Result{Status: 423, Reason: "Interval Too Brief", MinExpires: int64(c.cfg.MinExpires / time.Second)})
	}
	if len(r.Body) == 0 {
		if tag == "" {
			return no(refuse(400, "Nothing To Publish"))
		}
		return nil, nil
	}
	if len(r.Body) > c.cfg.MaxBody {
		return no(refuse(413, "Request Entity Too Large"))
	}
	if r.ContentType == "" {
		r.ContentType = pkg.Types[0]
	}
	if !slices.Contains(pkg.Types, r.ContentType) {
		return no(Result{Status: 415, Reason: "Unsupported Media Type", Accept: strings.Join(pkg.Types, ", ")})
	}
	if pkg.Parse == nil || r.Expires == 0 {
		return nil, nil
	}
	state, err := pkg.Parse(r.ContentType, r.Body)
	if err != nil {
		return no(refuse(400, "Bad Body"))
	}
	return state, nil
}

// find returns the publication with a tag. The caller holds the shard.
func (s *shard) find(r *Request, tag string) *entry {
	for _, e := range s.resources[r.Resource] {
		if e.now.ETag == tag && e.now.Event == r.Event {
			return e
		}
	}
	return nil
}

// commit does what was asked for. The caller holds the shard.
func (c *Compositor) commit(s *shard, now time.Time, r *Request, tag string, state any) Result {
	granted := c.cfg.MaxExpires
	if r.Expires >= 0 {
		granted = min(granted, time.Duration(r.Expires)*time.Second)
	}
	var e *entry
	if tag != "" {
		if e = s.find(r, tag); e == nil {
			return refuse(412, "Conditional Request Failed") // somebody was quicker
		}
	}
	out := Result{Status: 200, Reason: "OK", ETag: s.newTag(tag), Expires: int64(granted / time.Second)}
	switch {
	case granted == 0 && e == nil: // published and over: nothing is to be kept of it
	case granted == 0:
		c.drop(s, e, Removed, now)
	case e == nil && len(s.resources[r.Resource]) >= c.cfg.MaxPublications:
		return refuse(403, "Too Many Publications")
	case e == nil:
		c.add(s, now, r, state, out.ETag, granted)
	default:
		c.update(s, e, now, r, state, out.ETag, granted)
	}
	return out
}

func (c *Compositor) add(s *shard, now time.Time, r *Request, state any, tag string, granted time.Duration) {
	p := &Publication{
		ID: c.lastID.Add(1), Resource: strings.Clone(r.Resource), Event: strings.Clone(r.Event), ETag: tag,
		Publisher: strings.Clone(r.Publisher), ContentType: strings.Clone(r.ContentType), Body: r.Body,
		Since: now, Expires: now.Add(granted), State: state,
	}
	e := &entry{now: p}
	s.resources[p.Resource] = append(s.resources[p.Resource], e)
	c.schedule(s, e)
	c.keeper.Put(p.ID, p, keep.Soon)
	s.news.Add(Change{What: Published, Publication: p, At: now})
	for _, old := range slices.Clone(s.resources[p.Resource]) {
		if old.outdated && old.now.Event == p.Event && old.now.Publisher == p.Publisher {
			c.drop(s, old, Forgotten, now)
		}
	}
}

func (c *Compositor) update(s *shard, e *entry, now time.Time, r *Request, state any, tag string, granted time.Duration) {
	p, what := *e.now, Refreshed
	late := p.Expires.Sub(now) < granted/2 // what is stored may be over before it comes again
	p.ETag, p.Expires = tag, now.Add(granted)
	if len(r.Body) > 0 {
		what = Modified
		if p.ContentType != r.ContentType {
			p.ContentType = strings.Clone(r.ContentType)
		}
		p.Body, p.State = r.Body, state
	}
	if p.Publisher != r.Publisher {
		p.Publisher = strings.Clone(r.Publisher)
	}
	e.now, e.restored, e.outdated = &p, false, false
	if p.Expires.UnixNano() < e.due {
		c.schedule(s, e)
	}
	c.keeper.Put(p.ID, e.now, keep.If(what == Modified || late))
	s.news.Add(Change{What: what, Publication: e.now, At: now})
}
