package watcher

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"rollcall/sipgw/event"
	"rollcall/sipgw/login"
	"rollcall/sipgw/rich"
	"rollcall/sipgw/transport"
)

// place is where devices are asked about: a PBX, or all phones that register here.
type place struct {
	cfg     Upstream // without a name and a host it is here
	here    bool
	trunk   rich.Trunk
	account *login.Account
	reread  bool // the secret, from its file

	slot   time.Time // when the next request may leave
	flying int       // requests that wait for their answer
	held   []*leg
	heard  time.Time               // when it has answered, or told something
	hosts  map[netip.Addr]struct{} // that have done so for it
	health
}

// health is whether a PBX answers.
type health struct {
	failures int       // in a row; with one of them only one request is under way at a time
	until    time.Time // nobody asks before
	spoke    bool      // it has answered, and does not serve us: that it tells proves nothing
	probing  bool      // one is under way
	logged   bool
}

const (
	maxFlying = 64 // requests to a PBX that wait for an answer
	maxHosts  = 16

	// askAgain is how long to wait while a PBX answers nobody.
	askAgain = 30 * time.Second
)

// mayLeave says whether it is a subscription's turn. If not, it is looked at again when
// it is.
func (w *Watcher) mayLeave(g *leg, now time.Time) bool {
	p := g.of.at
	if !g.paced {
		at := now
		if p.slot.After(now) {
			at = p.slot
		}
		p.slot = at.Add(time.Second / time.Duration(max(w.cfg.Rate, 1)))
		if at.After(now) {
			g.paced = true
			w.schedule(g, at)
			return false
		}
	}
	g.paced = false
	switch {
	case p.here:
		return true
	case p.failures > 0 && (p.probing || now.Before(p.until)), p.flying >= maxFlying:
		g.held = true
		p.held = append(p.held, g)
		if p.failures > 0 {
			w.touch(g.of)
		}
		return false
	case p.failures > 0:
		p.probing, g.probe = true, true
	}
	return true
}

// landed takes note that a request is not under way any more.
func (w *Watcher) landed(g *leg) {
	p := g.of.at
	g.flying = false
	p.flying--
	if g.probe {
		g.probe, p.probing = false, false
	}
	if g.gone && p.failures > 0 {
		w.release(p, 1, time.Now()) // somebody else has to ask
	}
}

// release has subscriptions go on that were held, as many as may, and returns how many
// there are.
func (w *Watcher) release(p *place, most int, at time.Time) (n int) {
	for n < most && len(p.held) > 0 {
		g := p.held[0]
		p.held[0] = nil
		p.held = p.held[1:]
		if !g.gone {
			g.held = false
			w.schedule(g, at)
			w.touch(g.of)
			n++
		}
	}
	if len(p.held) == 0 {
		p.held = nil
	}
	return n
}

// alive takes note that a PBX has answered. If it did not before, all that failed
// meanwhile is tried again; and since it may have been restarted, some others are
// looked after.
func (w *Watcher) alive(p *place, now time.Time) {
	if p.failures > 1 {
		for _, x := range w.watched {
			if x.at == p {
				w.retry(x, now)
			}
		}
		w.suspect(p, now)
	}
	if p.logged {
		w.parts.Log.Info("a PBX answers again", "pbx", p.cfg.Name)
	}
	p.health, p.heard = health{probing: p.probing}, now
	w.release(p, maxFlying-p.flying, now)
}

// retry has what failed of a device tried again.
func (w *Watcher) retry(x *watched, now time.Time) {
	for _, g := range x.legs {
		if g != nil && g.m.Failures > 0 && !g.flying && !g.held && g.m.Standing != event.Over && g.m.Next.After(now) {
			g.m.Next = now
			w.schedule(g, now)
		}
	}
}

// failure is what went wrong with a request.
type failure uint8

const (
	silence failure = iota
	refusal         // it does not believe who we are
	trouble         // it cannot serve anybody
)

// failed takes note that a request to a PBX was not answered, or that it does not serve
// us. It may be one line alone that is to blame: so another one asks next, at once if
// this is the first time.
func (w *Watcher) failed(g *leg, why failure, retryAfter time.Duration, now time.Time) {
	p := g.of.at
	if p.here || why == silence && p.heard.After(g.asked) {
		return // it has answered others meanwhile
	}
	p.failures++
	p.spoke = why == refusal || retryAfter > 0
	p.reread = p.reread || why == refusal && p.cfg.SecretFile != ""
	wait := event.Backoff(p.failures, g.m.Seed)
	if why != refusal {
		wait = max(min(wait, askAgain), retryAfter)
	}
	if p.failures > 1 || p.spoke {
		w.complain(p, why)
	}
	if p.spoke || p.failures > 3 || w.suspect(p, now) == 0 && p.failures > 1 {
		p.until = now.Add(wait)
	}
	if !w.deputy(p, now) && p.until.After(now) {
		g.m.Next = p.until
	}
	if p.failures == 2 {
		for _, h := range p.held {
			w.touch(h.of)
		}
	}
}

// deputy has one of those that are held ask next; false if there is none.
func (w *Watcher) deputy(p *place, now time.Time) bool {
	at := p.until
	if at.Before(now) {
		at = now
	}
	return w.release(p, 1, at) > 0
}

// complain says once what is wrong with a PBX.
func (w *Watcher) complain(p *place, why failure) {
	if !p.logged {
		p.logged = true
		w.parts.Log.Warn(troubles[why], "pbx", p.cfg.Name)
	}
}

var troubles = [...]string{
	silence: "a PBX does not answer",
	refusal: "a PBX does not believe who we are: look at its user and secret in the configuration",
	trouble: "a PBX is in trouble",
}

// suspect has two subscriptions refreshed at a PBX that has forgotten one, or was away:
// if it has been restarted it has forgotten all. Each that turns out to be gone has two
// more looked after, so all of them are soon, or none.
func (w *Watcher) suspect(p *place, now time.Time) (found int) {
	if p.here {
		return 0
	}
	for _, x := range w.watched {
		if x.at != p {
			continue
		}
		for _, g := range x.legs {
			if g == nil || g.m.Standing != event.InForce || g.flying || g.held || g.paced || !g.m.Next.After(now) || now.Sub(g.asked) < calm {
				continue
			}
			g.m.Next = now
			w.schedule(g, now)
			if found++; found == 2 {
				return found
			}
		}
	}
	return found
}

// calm is how long a subscription that was just asked for is left alone.
const calm = time.Minute

// met takes note of where a PBX has sent something from.
func (w *Watcher) met(p *place, f transport.Flow) {
	if host := f.Remote().Addr(); !p.here && host.IsValid() && len(p.hosts) < maxHosts {
		if p.hosts == nil {
			p.hosts = map[netip.Addr]struct{}{}
		}
		p.hosts[host] = struct{}{}
	}
}

// whose says from which PBXs a flow may come, by their names: several can be at one address.
func (w *Watcher) whose(f transport.Flow) (all []*place) {
	for _, name := range slices.Sorted(maps.Keys(w.places)) {
		p := w.places[name]
		if _, known := p.hosts[f.Remote().Addr()]; known && !browsers(f) && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}
