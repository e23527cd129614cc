package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rollcall/presence/device"
	"rollcall/roster"
)

// places are the shared groups that an order puts devices into.
type places struct {
	groups  *roster.Groups
	in, out []string
	to      string // the group that is to see them, or ""
}

func (d *Desk) places(v values) *places {
	return &places{groups: d.groups, in: v["group"], out: v["leave"], to: v.one("visible_to")}
}

func (p *places) placement(m roster.Member) roster.Placement {
	return roster.Placement{Member: m, In: p.in, Out: p.out}
}

// try says what is wrong with the groups before anything is done.
func (p *places) try(ctx context.Context, m roster.Member) error {
	if p.to != "" {
		switch _, err := p.groups.Get(ctx, p.to); {
		case err != nil:
			return grouped(err)
		case len(p.in) == 0:
			return wrong("say which group is to be visible to %s", p.to)
		}
		for _, name := range p.in {
			if name == p.to {
				return wrong("the members of %s cannot be made visible to itself; choose another group for devices", name)
			}
		}
	}
	faults, err := p.groups.TryPlace(ctx, p.placement(m))
	if err != nil {
		return err
	}
	for _, name := range append(append([]string(nil), p.in...), p.out...) { // the first one that was named
		if faults[name] != nil {
			return grouped(faults[name])
		}
	}
	return nil
}

// put puts a device into its groups, under its name, and adds to an answer what
// that comes to.
func (p *places) put(ctx context.Context, d *device.Device, a *Answer) error {
	made, err := p.groups.Place(ctx, p.placement(roster.Member{JID: d.JID, Name: d.Name}))
	if err != nil {
		return half("the device was changed, but not its groups", grouped(err))
	}
	for _, name := range p.in {
		if p.to == "" {
			break
		}
		if err := p.groups.SetVisible(ctx, name, p.to, true); err != nil {
			return half("the device was put into "+name, grouped(err))
		}
	}
	notes, err := unseen(ctx, p.groups, p.in, made)
	if err != nil {
		return err
	}
	a.Note = strings.Join(append([]string{a.Note}, notes...), "\n")
	return nil
}

// half adds to an error that something was done before it.
func half(done string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", done, err)
	}
	longer := *e
	longer.Text = done + ": " + e.Text
	return &longer
}

// unseen says which groups were made, and whose members nobody sees, and what to do
// about that.
func unseen(ctx context.Context, groups *roster.Groups, in, made []string) (notes []string, err error) {
	for _, name := range made {
		notes = append(notes, "made the group "+name)
	}
	for _, name := range in {
		g, err := groups.Get(ctx, name)
		if err != nil {
			return nil, grouped(err)
		}
		if !g.Mutual && len(g.VisibleTo) == 0 {
			notes = append(notes, fmt.Sprintf("nobody sees the members of %[1]s yet; show them to a group of people: rollcall group visible %[1]s --to staff", name))
		}
	}
	return notes, nil
}
