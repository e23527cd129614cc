package directory

import (
	"slices"
	"time"

	"rollcall/xmpp/jid"
)

// fewPeople may always be missing at once, however many a hundredth is.
const fewPeople = 5

// Changes are what has to be done here to follow the directory.
type Changes struct {
	Create   []Person   // make an account
	Update   []Person   // the account is theirs: note what is new, and that the person is there
	TakeOver []Person   // the account is ours: make it theirs, and forget its password
	Vanish   []jid.Bare // they are not there any more
	Remove   []jid.Bare // they have not been there for long enough

	// What is left as it is, and somebody should know of.
	Clashes   []jid.Bare // accounts that are ours, of somebody's name in the directory
	Strangers []jid.Bare // accounts of people who left, whose name somebody else has now
	Missed    int        // people who are missing, but so many that it looks like a mistake
}

// None reports whether there is nothing to do.
func (c *Changes) None() bool {
	return len(c.Create)+len(c.Update)+len(c.TakeOver)+len(c.Vanish)+len(c.Remove) == 0
}

// Decide compares the accounts at a domain with what was found in the directory.
// Sure says that a person has looked at it, so that nothing is taken for a
// mistake. It changes nothing.
func Decide(have []Account, found *Snapshot, cfg Config, now time.Time, sure bool) Changes {
	var c Changes
	byName := make(map[string]*Account, len(have))
	for i := range have {
		byName[have[i].JID.Local()] = &have[i]
	}
	there := make(map[string]bool, len(found.People)+len(found.Doubtful))
	for _, p := range found.People {
		there[p.Local] = true
		c.add(jid.Bare(p.Local+"@"+cfg.Domain), p, byName[p.Local], cfg)
	}
	for _, local := range found.Doubtful {
		there[local] = true // they are in there, whoever they are
	}
	present := 0
	for i := range have {
		a := &have[i]
		if !a.Theirs {
			continue
		}
		if a.Gone.IsZero() {
			present++
		}
		switch {
		case there[a.JID.Local()]:
		case a.Gone.IsZero():
			c.Vanish = append(c.Vanish, a.JID)
		case cfg.RemoveAfter > 0 && now.Sub(a.Gone) >= cfg.RemoveAfter:
			c.Remove = append(c.Remove, a.JID)
		}
	}
	most := max(fewPeople, present*cfg.VanishPercent/100)
	if !sure && (len(c.Vanish) > most || len(there) == 0) {
		c.Missed, c.Vanish, c.Remove = len(c.Vanish), nil, nil
	}
	slices.Sort(c.Vanish)
	slices.Sort(c.Remove)
	return c
}

// add decides about somebody who is in the directory. a is the account of that
// name, or nil.
func (c *Changes) add(who jid.Bare, p Person, a *Account, cfg Config) {
	switch {
	case a == nil:
		c.Create = append(c.Create, p)
	case !a.Theirs && cfg.TakeOver:
		c.TakeOver = append(c.TakeOver, p)
	case !a.Theirs:
		c.Clashes = append(c.Clashes, who)
	case !a.Gone.IsZero() && another(a.Person, p):
		c.Strangers = append(c.Strangers, who)
	case !a.Gone.IsZero() || a.Person != p:
		c.Update = append(c.Update, p)
	}
}

// another reports whether somebody who has a name now is not who had it before
// they left. Where the directory does not name its entries for good, nobody can
// tell.
func another(before, now Person) bool {
	return before.Entry != "" && now.Entry != "" && before.Entry != now.Entry
}
