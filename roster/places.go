package roster

import (
	"context"
	"maps"
	"slices"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Placement says which of the operator's groups a member is in.
type Placement struct {
	// Member has this name in all groups that it stays in.
	Member Member

	// In are groups that it is put into. One that there is not is made: its members
	// do not see one another, and nobody sees them yet.
	In []string

	// Out are groups that it is taken out of.
	Out []string

	// Only says that it is in no others than In. Groups that something else keeps are
	// not looked at.
	Only bool
}

// Place puts members into groups and takes them out of others, in one step. It
// returns the groups that it made, in order.
func (g *Groups) Place(ctx context.Context, all ...Placement) (made []string, err error) {
	err = g.change(ctx, func(e *edition) error {
		var wrong map[string]error
		made, wrong = e.place(all)
		for _, name := range slices.Sorted(maps.Keys(wrong)) {
			return wrong[name]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// TryPlace returns what would be wrong with each group if members were placed so.
func (g *Groups) TryPlace(ctx context.Context, all ...Placement) (wrong map[string]error, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	_, wrong = (&edition{cfg: g.cfg, all: slices.Clone(g.all)}).place(all)
	return wrong, nil
}

// GroupsOf returns in which groups of the operator's each of them is named. The
// groups are in order.
func (g *Groups) GroupsOf(ctx context.Context, who ...jid.Bare) (map[jid.Bare][]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	out := make(map[jid.Bare][]string, len(who))
	for i := range g.all {
		x := &g.all[i]
		if x.Source != "" {
			continue
		}
		for _, j := range who {
			if _, is := slices.BinarySearchFunc(x.Members, Member{JID: j}, compareMembers); is {
				out[j] = append(out[j], x.Name)
			}
		}
	}
	return out, nil
}

// place makes what the placements say. wrong has what is wrong, by group.
func (e *edition) place(all []Placement) (made []string, wrong map[string]error) {
	wrong = map[string]error{}
	by := make(map[jid.Bare]*Placement, len(all))
	joins, leaves := map[string][]Member{}, map[string][]jid.Bare{}
	for i := range all {
		p := &all[i]
		by[p.Member.JID] = p
		for _, name := range p.In {
			joins[name] = append(joins[name], p.Member)
		}
		for _, name := range p.Out {
			leaves[name] = append(leaves[name], p.Member.JID)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(joins)) {
		if _, err := e.find(name); err == nil {
			continue
		}
		if err := e.add(Group{Name: name}); err != nil {
			wrong[name] = err
			continue
		}
		made = append(made, name)
	}
	for name := range leaves {
		if _, err := e.find(name); err != nil {
			wrong[name] = err
		}
	}
	for i := range e.all {
		x := &e.all[i]
		if err := e.placeIn(x, by, joins[x.Name], leaves[x.Name]); err != nil {
			wrong[x.Name] = err
		}
	}
	return made, wrong
}

// placeIn makes one group what the placements say.
func (e *edition) placeIn(x *Group, by map[jid.Bare]*Placement, join []Member, leave []jid.Bare) error {
	if x.Source != "" {
		if len(join)+len(leave) > 0 {
			return kept(x)
		}
		return nil
	}
	for _, j := range leave {
		if _, is := slices.BinarySearchFunc(x.Members, Member{JID: j}, compareMembers); !is {
			return stanza.Refuse(stanza.ErrItemNotFound, "%s is not a named member of the group %s", j, x.Name)
		}
	}
	list, changed := make([]Member, 0, len(x.Members)+len(join)), len(join) > 0
	for _, m := range x.Members {
		p := by[m.JID]
		switch {
		case p == nil:
			list = append(list, m)
		case slices.Contains(p.Out, x.Name), p.Only && !slices.Contains(p.In, x.Name):
			changed = true
		default:
			list = append(list, p.Member)
			changed = changed || m != p.Member
		}
	}
	if !changed {
		return nil
	}
	return e.members(x, append(list, join...))
}
