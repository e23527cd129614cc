package watcher

import (
	"strconv"
	"time"

	"rollcall/sipgw/event"
	"rollcall/sipgw/login"
	"rollcall/sipgw/transport"
)

// sending is a request that is to leave when no lock is held.
type sending struct {
	g *leg // nil: nobody waits for the answer
	o transport.Outgoing
}

// subscribe makes the request that a subscription's machine wants to be sent now.
func (w *Watcher) subscribe(g *leg, now time.Time) (s sending, ok bool) {
	g.m.Logins = 0 // each try may prove anew who we are: the secret may be another one by now
	do, next := g.m.Tick(now)
	if !do.Subscribe {
		w.settle(g, next, now)
		return s, false
	}
	if do.Anew && g.fork {
		w.dropFork(g)
		return s, false
	}
	if do.Anew || g.remote == "" {
		w.anew(g)
	}
	g.fresh = false
	return w.request(g, g.m.Asks, now), true
}

// anew begins a subscription in a new dialog; what came of the old one by forking goes
// with it.
func (w *Watcher) anew(g *leg) {
	for i := len(g.of.forks) - 1; i >= 0; i-- {
		if f := g.of.forks[i]; f.pkg == g.pkg {
			w.dropFork(f)
		}
	}
	delete(w.calls, g.callID)
	g.begin()
	w.calls[g.callID] = g
}

// request makes a SUBSCRIBE, which is under way from now on.
func (w *Watcher) request(g *leg, expires time.Duration, now time.Time) sending {
	p := g.of.at
	g.sent++
	g.flying, g.asked = true, now
	p.flying++
	o := transport.Outgoing{
		Method: "SUBSCRIBE", URI: g.target, From: w.from(p) + ";tag=" + g.local, To: "<" + g.of.address + ">",
		CallID: g.callID, CSeq: g.sent, Routes: g.routes, Contact: "auto", Flow: g.of.flow,
		Fields: []transport.Field{
			{Name: "Event", Value: g.pkg.String()},
			{Name: "Accept", Value: accepts[g.pkg]},
			{Name: "Expires", Value: strconv.Itoa(int(expires / time.Second))},
		},
	}
	if g.remote != "" {
		o.To += ";tag=" + g.remote
	} else {
		g.begun = now
	}
	for _, by := range [...]login.By{login.Server, login.Proxy} {
		if answer := p.account.Answer(by, o.Method, o.URI); answer != "" {
			o.Fields = append(o.Fields, transport.Field{Name: by.Header(), Value: answer})
		}
	}
	return sending{g, o}
}

// from is who we are to somebody.
func (w *Watcher) from(p *place) string {
	switch {
	case p.here:
		return "<sip:" + w.parts.Devices().Domain() + ">"
	case p.cfg.User == "":
		return "<sip:rollcall@" + p.cfg.Host + ">"
	}
	return "<sip:" + transport.EscapeUser(p.cfg.User) + "@" + p.cfg.Host + ">"
}

// send sends, with no lock held.
func (w *Watcher) send(s sending) {
	w.parts.SIP.Start(s.o, func(res *transport.Response, err error) {
		if s.g != nil {
			w.answered(s, res, err)
		}
	})
}

// answered takes the answer to a SUBSCRIBE.
func (w *Watcher) answered(s sending, res *transport.Response, err error) {
	now := time.Now()
	w.mu.Lock()
	again, ok := w.answer(s, res, err, now)
	w.mu.Unlock()
	if ok {
		w.send(again)
		return
	}
	w.poke()
}

// answer takes it, and returns the request that is to follow at once.
func (w *Watcher) answer(s sending, res *transport.Response, err error, now time.Time) (again sending, ok bool) {
	g := s.g
	w.landed(g)
	if g.gone {
		return sending{}, false
	}
	w.touch(g.of)
	if res == nil {
		g.m.Silent(now)
		w.failed(g, silence, -1, now)
		w.settle(g, next(g), now)
		return sending{}, false
	}
	w.met(g.of.at, res.Flow())
	status := res.Status()
	if status == 401 || status == 407 {
		if again, ok = w.challenged(g, res, now); ok {
			return again, true
		}
		w.settle(g, next(g), now)
		return sending{}, false
	}
	retryAfter := event.Seconds(res.Header("Retry-After"))
	do := g.m.Answered(status, event.Seconds(res.Header("Expires")), event.Seconds(res.Header("Min-Expires")), retryAfter, now)
	w.understood(g, do, status, res, now)
	switch status {
	case 408, 502, 503, 504: // that of a proxy, or of all there is
		w.failed(g, trouble, retryAfter, now)
	default:
		w.alive(g.of.at, now)
	}
	w.settle(g, next(g), now)
	return sending{}, false
}

// understood does what follows from an answer.
func (w *Watcher) understood(g *leg, do event.Step, status int, res *transport.Response, now time.Time) {
	g.denied = do.Denied
	if do.Forget {
		g.forget()
	}
	switch {
	case status >= 200 && status < 300:
		g.absent = 0
		if c, _, err := res.Contacts(); err == nil && len(c) == 1 && g.remote != "" {
			g.target = c[0].URI.String() // RFC 6665 §4.1.2.1: a target refresh
		}
		for _, by := range [...]login.By{login.Server, login.Proxy} {
			if info := res.Header(infos[by]); info != "" {
				g.of.at.account.Informed(by, info)
			}
		}
	case status == 404 || status == 410 || status == 604:
		// The machine waits for an hour. A PBX that has just been started may know its
		// lines in a minute.
		if g.absent++; g.absent < 7 {
			g.m.Next = now.Add(event.Spread(time.Minute<<(g.absent-1), g.m.Seed))
		}
	case status == 481:
		w.suspect(g.of.at, now)
	}
}

var infos = [...]string{"Authentication-Info", "Proxy-Authentication-Info"}

// challenged answers a challenge by the same request with credentials. ok is false if
// that is of no use.
func (w *Watcher) challenged(g *leg, res *transport.Response, now time.Time) (again sending, ok bool) {
	p, by := g.of.at, login.Server
	if res.Status() == 407 {
		by = login.Proxy
	}
	stale, ok := p.account.Challenged(by, res.Lines(by.Asks()))
	if !ok || g.fresh && !stale {
		g.m.Logins = 1 << 16 // credentials that are refused are not tried again and again
	}
	if do := g.m.Answered(res.Status(), -1, -1, -1, now); do.Login {
		g.fresh = true
		return w.request(g, g.m.Asks, now), true
	}
	w.failed(g, refusal, -1, now)
	return sending{}, false
}

// leave ends a subscription at who is asked: nobody waits for the answer.
func (w *Watcher) leave(g *leg) {
	if do := g.m.Unsubscribe(); !do.Subscribe || g.remote == "" {
		return
	}
	s := w.request(g, 0, time.Now())
	g.flying = false
	g.of.at.flying--
	s.g = nil
	w.outbox = append(w.outbox, s)
}
