package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rollcall/xmpp/jid"
)

// retryAfter is how long after a failure the directory is read again, if that is
// sooner than it would be anyway.
const retryAfter = time.Minute

// Report is what came of reading the directory.
type Report struct {
	People, Groups int // found there

	Created, Updated, TakenOver, Vanished, Removed int

	// What somebody should know of: see [Changes] and [Snapshot].
	Clashes, Strangers []jid.Bare
	Doubtful           []string
	Missed, Unnamed    int
}

// Run reads the directory now, and again after each interval or Kick, until ctx
// is done.
func (d *Directory) Run(ctx context.Context) error {
	for {
		wait := d.cfg.Interval
		if _, err := d.Sync(ctx, false); err != nil && ctx.Err() == nil {
			d.Log.Warn("the directory was not followed", "err", err)
			wait = min(wait, retryAfter)
		}
		again := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			again.Stop()
			return nil
		case <-d.kick:
			again.Stop()
		case <-again.C:
		}
	}
}

// Kick has Run read the directory soon. It does not wait.
func (d *Directory) Kick() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// Sync reads the directory and brings the accounts in line. Sure says that so
// many people are missing is no mistake.
func (d *Directory) Sync(ctx context.Context, sure bool) (Report, error) {
	select {
	case d.turn <- struct{}{}:
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	defer func() { <-d.turn }()
	// First what is here: whoever comes in while the directory is being read is in
	// neither of the two then, and not missing in one.
	have, err := d.Store.Accounts(ctx, d.cfg.Domain)
	if err != nil {
		return Report{}, err
	}
	found, err := d.Source.Read(ctx)
	d.answered(ctx, err)
	if err != nil {
		return Report{}, err
	}
	now := time.Now()
	c := Decide(have, found, d.cfg, now, sure)
	if err := d.Store.Save(ctx, d.cfg.Domain, &c, now); err != nil {
		return Report{}, err
	}
	if len(c.Create) > 0 {
		d.Server.Added(ctx, d.addresses(c.Create)...)
	}
	// Whoever is logging in meanwhile is found here or is not admitted.
	d.memory.forget(c.Vanish...)
	for _, who := range c.Vanish {
		d.Server.End(who)
	}
	r := Report{
		People: len(found.People), Groups: len(found.Groups),
		Created: len(c.Create), Updated: len(c.Update), TakenOver: len(c.TakeOver), Vanished: len(c.Vanish),
		Clashes: c.Clashes, Strangers: c.Strangers, Doubtful: found.Doubtful, Missed: c.Missed, Unnamed: found.Unnamed,
	}
	r.Removed, err = d.remove(ctx, c.Remove)
	if d.Groups != nil {
		if e := d.Groups.SetGroups(ctx, d.ofTheirs(found.Groups, have, &c)); e != nil {
			err = errors.Join(err, fmt.Errorf("its groups: %w", e))
		}
	}
	d.tell(&r)
	return r, err
}

// remove removes the accounts of people who have not been there for long enough.
func (d *Directory) remove(ctx context.Context, all []jid.Bare) (n int, err error) {
	for _, who := range all {
		a, known, e := d.Store.Account(ctx, who)
		if e == nil && (!known || !a.Theirs || a.Gone.IsZero()) {
			continue // they came back this very moment
		}
		if e == nil {
			e = d.Server.Remove(ctx, who)
		}
		if e != nil {
			err = errors.Join(err, fmt.Errorf("remove %s: %w", who, e))
			continue
		}
		n++
	}
	return n, err
}

// addresses returns those of people.
func (d *Directory) addresses(people []Person) []jid.Bare {
	all := make([]jid.Bare, len(people))
	for i := range people {
		all[i] = jid.Bare(people[i].Local + "@" + d.cfg.Domain)
	}
	return all
}

// ofTheirs leaves out of groups who has no account that is the directory's: the
// name may be that of somebody else here.
func (d *Directory) ofTheirs(groups []Group, have []Account, c *Changes) []Group {
	theirs := map[jid.Bare]bool{}
	for i := range have {
		if have[i].Theirs {
			theirs[have[i].JID] = true
		}
	}
	for _, who := range slices.Concat(d.addresses(c.Create), d.addresses(c.TakeOver)) {
		theirs[who] = true
	}
	for _, who := range c.Strangers {
		delete(theirs, who)
	}
	out := make([]Group, 0, len(groups))
	for _, g := range groups {
		members := make([]Member, 0, len(g.Members))
		for _, m := range g.Members {
			if theirs[m.JID] {
				members = append(members, m)
			}
		}
		g.Members = members
		out = append(out, g)
	}
	return out
}

// tell writes down what came of it, and what somebody should know of whenever
// that is something else than the last time.
func (d *Directory) tell(r *Report) {
	args := []any{
		"people", r.People, "groups", r.Groups, "created", r.Created, "updated", r.Updated,
		"taken_over", r.TakenOver, "vanished", r.Vanished, "removed", r.Removed,
	}
	if r.Created+r.Updated+r.TakenOver+r.Vanished+r.Removed > 0 {
		d.Log.Info("the directory was read and accounts were changed", args...)
	} else {
		d.Log.Debug("the directory was read", args...)
	}
	all := r.Grievances()
	if now := strings.Join(all, "\n"); now != d.grievances {
		d.grievances = now
		for _, g := range all {
			d.Log.Warn("the directory: " + g)
		}
	}
}

// Grievances says in sentences what somebody should know of.
func (r *Report) Grievances() (all []string) {
	if r.Missed > 0 {
		all = append(all, fmt.Sprintf("%d people are missing at once, which is taken for a mistake; if it is none: rollcall directory sync --sure", r.Missed))
	}
	if len(r.Clashes) > 0 {
		all = append(all, "these accounts were made here, and stay so, though the directory has people of these names (directory.take_over): "+names(r.Clashes))
	}
	if len(r.Strangers) > 0 {
		all = append(all, "these accounts are of people who left, and others have their names now; remove the accounts to let them in: "+names(r.Strangers))
	}
	if len(r.Doubtful) > 0 {
		all = append(all, "several entries have these names, so that nobody has them: "+names(r.Doubtful))
	}
	if r.Unnamed > 0 {
		all = append(all, fmt.Sprintf("%d entries have no name that an address can be made of", r.Unnamed))
	}
	return all
}

// names lists the first few.
func names[T ~string](list []T) string {
	const most = 20
	var b strings.Builder
	for i, name := range list {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(list)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}
