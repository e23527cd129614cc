package roster

import (
	"context"
	"slices"
	"strings"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// edition is a change of the groups while it is made.
type edition struct {
	cfg       GroupConfig
	all       []Group // sorted by name
	updates   []GroupUpdate
	everybody bool // a group has become one of everybody
}

func (e *edition) find(name string) (int, error) {
	at, known := slices.BinarySearchFunc(e.all, name, func(g Group, name string) int { return strings.Compare(g.Name, name) })
	if !known {
		return at, noGroup(name)
	}
	return at, nil
}

// own finds a group that is the operator's own.
func (e *edition) own(name string) (*Group, error) {
	at, err := e.find(name)
	if err != nil {
		return nil, err
	}
	if e.all[at].Source != "" {
		return nil, kept(&e.all[at])
	}
	return &e.all[at], nil
}

func (e *edition) update(u GroupUpdate) { e.updates = append(e.updates, u) }

// add adds a group with its members. What it is visible to is not looked at.
func (e *edition) add(g Group) error {
	if err := checkGroupName(g.Name); err != nil {
		return err
	}
	if g.Title == "" {
		g.Title = g.Name
	}
	if err := checkTitle(g.Title); err != nil {
		return err
	}
	members, err := e.cfg.checkMembers(g.Name, g.Members)
	if err != nil {
		return err
	}
	at, err := e.find(g.Name)
	switch {
	case err == nil:
		return stanza.Refuse(stanza.ErrConflict, "the group %s exists already", g.Name)
	case len(e.all) >= e.cfg.MaxGroups:
		return stanza.Refuse(stanza.ErrPolicyViolation, "there are at most %d groups", e.cfg.MaxGroups)
	}
	g.Members, g.VisibleTo = members, nil
	e.all = slices.Insert(e.all, at, g)
	e.everybody = e.everybody || g.Everybody
	e.update(GroupUpdate{Name: g.Name, Put: &g, Join: members})
	return nil
}

// remove removes a group, wherever it is named.
func (e *edition) remove(name string) error {
	at, err := e.find(name)
	if err != nil {
		return err
	}
	e.all = slices.Delete(e.all, at, at+1)
	for i := range e.all {
		e.all[i].VisibleTo = minus(e.all[i].VisibleTo, []string{name})
	}
	e.update(GroupUpdate{Name: name, Remove: true})
	return nil
}

// members makes a list the members of a group.
func (e *edition) members(g *Group, list []Member) error {
	list, err := e.cfg.checkMembers(g.Name, list)
	if err != nil {
		return err
	}
	u := GroupUpdate{Name: g.Name}
	for _, m := range list {
		if at, is := slices.BinarySearchFunc(g.Members, m, compareMembers); !is || g.Members[at] != m {
			u.Join = append(u.Join, m)
		}
	}
	for _, m := range g.Members {
		if _, is := slices.BinarySearchFunc(list, m, compareMembers); !is {
			u.Leave = append(u.Leave, m.JID)
		}
	}
	g.Members = list
	if len(u.Join)+len(u.Leave) > 0 {
		e.update(u)
	}
	return nil
}

func tooManyAccounts(n, most int) error {
	return stanza.Refuse(stanza.ErrPolicyViolation, "there are %d accounts, and a group has at most %d members", n, most)
}

// Add adds a group with members. It is visible to no other group yet.
func (g *Groups) Add(ctx context.Context, x Group) error {
	return g.change(ctx, func(e *edition) error { return e.add(x) })
}

// Remove removes a group. One that something else keeps comes back when that
// says so the next time; if it never does, this is how to get rid of it.
func (g *Groups) Remove(ctx context.Context, name string) error {
	return g.change(ctx, func(e *edition) error { return e.remove(name) })
}

// GroupChange is what to change about a group. What is nil stays.
type GroupChange struct {
	Title     *string
	Everybody *bool
	Mutual    *bool
}

// Set changes a group. Title and members of one that is kept by something else
// are not for the operator to change.
func (g *Groups) Set(ctx context.Context, name string, c GroupChange) error {
	return g.change(ctx, func(e *edition) error {
		at, err := e.find(name)
		if err != nil {
			return err
		}
		x := &e.all[at]
		if x.Source != "" && (c.Title != nil || c.Everybody != nil) {
			return kept(x)
		}
		was := *x
		if c.Title != nil {
			x.Title = *c.Title
		}
		if x.Title == "" {
			x.Title = x.Name
		}
		if err := checkTitle(x.Title); err != nil {
			return err
		}
		if c.Everybody != nil {
			x.Everybody = *c.Everybody
			e.everybody = x.Everybody && !was.Everybody
		}
		if c.Mutual != nil {
			x.Mutual = *c.Mutual
		}
		if x.Title != was.Title || x.Everybody != was.Everybody || x.Mutual != was.Mutual {
			put := *x
			e.update(GroupUpdate{Name: name, Put: &put})
		}
		return nil
	})
}

// Join makes people members of a group of the operator's. Those who are get the
// name that is given.
func (g *Groups) Join(ctx context.Context, name string, members ...Member) error {
	return g.change(ctx, func(e *edition) error {
		x, err := e.own(name)
		if err != nil {
			return err
		}
		return e.members(x, slices.Concat(x.Members, members))
	})
}

// Leave takes people out of a group of the operator's. All of them must be in it.
func (g *Groups) Leave(ctx context.Context, name string, who ...jid.Bare) error {
	return g.change(ctx, func(e *edition) error {
		x, err := e.own(name)
		if err != nil {
			return err
		}
		rest := slices.Clone(x.Members)
		for _, j := range who {
			at, is := slices.BinarySearchFunc(rest, Member{JID: j}, compareMembers)
			if !is {
				return stanza.Refuse(stanza.ErrItemNotFound, "%s is not a named member of the group %s", j, name)
			}
			rest = slices.Delete(rest, at, at+1)
		}
		return e.members(x, rest)
	})
}

// SetMembers makes a list the members of a group of the operator's, in one step.
func (g *Groups) SetMembers(ctx context.Context, name string, members []Member) error {
	return g.change(ctx, func(e *edition) error {
		x, err := e.own(name)
		if err != nil {
			return err
		}
		return e.members(x, members)
	})
}

// SetVisible lets the members of one group see those of another, or no longer.
func (g *Groups) SetVisible(ctx context.Context, name, to string, visible bool) error {
	return g.change(ctx, func(e *edition) error {
		at, err := e.find(name)
		if err != nil {
			return err
		}
		if _, err := e.find(to); err != nil {
			return err
		}
		if name == to {
			return stanza.Refuse(stanza.ErrNotAcceptable, "whether the members of %s see one another is a property of the group", name)
		}
		x := &e.all[at]
		if slices.Contains(x.VisibleTo, to) == visible {
			return nil
		}
		if visible {
			x.VisibleTo = slices.Sorted(slices.Values(append(slices.Clone(x.VisibleTo), to)))
			e.update(GroupUpdate{Name: name, Show: []string{to}})
			return nil
		}
		x.VisibleTo = minus(x.VisibleTo, []string{to})
		e.update(GroupUpdate{Name: name, Unshow: []string{to}})
		return nil
	})
}

// Sync makes a list all the groups that a source keeps, in one step: those that
// are new are added, those that are not in the list are removed, the others get
// its titles and members. Who sees whom is asked of the list only for new ones:
// after that it is the operator's to say.
func (g *Groups) Sync(ctx context.Context, source string, list []Group) error {
	if source == "" {
		return stanza.Refuse(stanza.ErrNotAcceptable, "groups are kept by something that has a name")
	}
	return g.change(ctx, func(e *edition) error {
		wanted := map[string]bool{}
		for _, x := range list {
			if wanted[x.Name] {
				return stanza.Refuse(stanza.ErrConflict, "the group %s is there twice", x.Name)
			}
			wanted[x.Name] = true
		}
		for _, x := range slices.Clone(e.all) {
			if x.Source == source && !wanted[x.Name] {
				if err := e.remove(x.Name); err != nil {
					return err
				}
			}
		}
		for _, x := range list {
			if err := e.sync(source, x); err != nil {
				return err
			}
		}
		return nil
	})
}

// sync adds a group that a source keeps, or brings it up to date.
func (e *edition) sync(source string, x Group) error {
	x.Source = source
	at, err := e.find(x.Name)
	if err != nil {
		return e.add(x)
	}
	known := &e.all[at]
	if known.Source != source {
		return stanza.Refuse(stanza.ErrConflict, "the group %s exists already, and is not kept by %s", x.Name, source)
	}
	if x.Title == "" {
		x.Title = x.Name
	}
	if err := checkTitle(x.Title); err != nil {
		return err
	}
	if known.Title != x.Title {
		known.Title = x.Title
		put := *known
		e.update(GroupUpdate{Name: x.Name, Put: &put})
	}
	return e.members(known, x.Members)
}
