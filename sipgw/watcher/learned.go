package watcher

import (
	"slices"
	"time"

	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/event"
	"rollcall/sipgw/reginfo"
	"rollcall/sipgw/rich"
	"rollcall/sipgw/transport"
)

// Standing says what is known of a device by one package.
type Standing uint8

// Nobody was asked; they were asked and have not answered; what was told counts; they
// say that they have nothing to tell; they have told nothing, or nothing for too long;
// they do not tell us; they do not know the device.
const (
	Unasked Standing = iota
	Asked
	Told
	Blank
	Lost
	Refused
	Absent
)

var standings = [...]string{"not asked", "asked", "told", "nothing to tell", "silent", "refused", "not known there"}

// String is for people.
func (s Standing) String() string { return standings[s] }

// settled reports whether there is nothing to wait for.
func (s Standing) settled() bool { return s != Asked }

// Word is what one package has told.
type Word struct {
	Standing Standing
	Until    time.Time // it counts; of what is lost, until when it did, or since when nobody answers
}

// Learned is all that is known of a device from elsewhere, at a moment. Nobody changes
// it. What belongs to a package means something only if that was Told.
type Learned struct {
	Device *device.Device
	PBX    string // its name; "" is the phone itself
	Gone   bool   // nothing is known any more, and nobody is asked
	Lacks  string // why nobody can be asked, in words; or ""

	Words [NumPackages]Word

	Calls      []dialoginfo.Live
	Heard      *rich.Heard
	Registered bool
	Cause      string // why it is not registered, in words; or ""
}

// Settled reports whether each package that was asked for has had an answer, or was
// waited for long enough.
func (l *Learned) Settled() bool {
	for _, w := range l.Words {
		if !w.Standing.settled() {
			return false
		}
	}
	return true
}

// learned puts together what is known of a device.
func (w *Watcher) learned(x *watched, now time.Time) Learned {
	l := Learned{Device: x.device, PBX: x.at.cfg.Name, Lacks: x.lacks}
	for p := range NumPackages {
		g := x.legs[p]
		if g == nil {
			continue
		}
		l.Words[p] = w.word(g, now)
		if l.Words[p].Standing != Told {
			continue
		}
		switch p {
		case Dialog:
			l.Calls = slices.Clone(g.dialogs.Live())
		case Presence:
			l.Heard = g.heard
		case Reg:
			l.Registered, l.Cause = registered(g.reg.Registrations(), x.address)
		}
	}
	for _, g := range x.forks {
		if !g.told || !g.m.Trusted(now) {
			continue
		}
		switch g.pkg {
		case Dialog:
			l.Calls = append(l.Calls, g.dialogs.Live()...)
		case Presence:
			if l.Heard == nil || l.Heard.Show == "unavailable" {
				l.Heard = g.heard
			}
		case Reg:
			if ok, cause := registered(g.reg.Registrations(), x.address); ok {
				l.Registered, l.Cause = true, cause
			}
		}
	}
	return l
}

// word says how a subscription stands.
func (w *Watcher) word(g *leg, now time.Time) Word {
	p := g.of.at
	switch {
	case g.told && g.m.Trusted(now) && !(g.held && p.failures >= 2):
		g.lost = time.Time{}
		return Word{Told, g.m.Believed}
	case g.blank && g.m.Trusted(now) && !(g.held && p.failures >= 2):
		g.lost = time.Time{}
		return Word{Blank, g.m.Believed}
	case g.m.Standing == event.Over && g.denied:
		return Word{Standing: Refused}
	case g.absent > 0:
		return Word{Standing: Absent}
	case g.asking() && !(g.held && p.failures > 0):
		return Word{Standing: Asked}
	}
	g.waited = true
	if g.lost.IsZero() {
		if g.lost = now; g.told && g.m.Believed.Before(now) {
			g.lost = g.m.Believed
		}
	}
	return Word{Lost, g.lost}
}

// asking reports whether a first answer is still waited for.
func (g *leg) asking() bool {
	return !g.told && !g.waited && g.m.Failures == 0 && g.m.Standing != event.InForce && g.m.Standing != event.Over
}

// registered says whether a contact is registered for an address, and if not, why the
// last one is gone. Registrars write addresses as they like; where there is only one,
// or only one of that name, it is the one that was asked for.
func registered(all []reginfo.Registration, address string) (ok bool, cause string) {
	of := func(aor string) string {
		u, _ := transport.ParseURI(aor)
		return u.User
	}
	for i := range all {
		r := &all[i]
		if len(all) > 1 && r.AOR != address && of(r.AOR) != of(address) {
			continue
		}
		for k := range r.Contacts {
			if r.Contacts[k].State == reginfo.Active {
				return true, ""
			}
			if s := r.Contacts[k].Cause(); s != "" {
				cause = s
			}
		}
	}
	return false, cause
}
