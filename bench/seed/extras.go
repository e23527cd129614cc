package main

import (
	"context"
	"fmt"
	"slices"

	"rollcall/roster"
	"rollcall/roster/privacy"
)

// lists gives each account of a group a default privacy list that keeps out so
// many strangers, unless it has lists already.
func (s *seeder) lists(ctx context.Context, g group) error {
	if g.blocks == 0 {
		return nil
	}
	store := s.db.PrivacyLists()
	items := make([]privacy.Item, g.blocks)
	for i := range items {
		items[i] = privacy.Item{Type: privacy.JID, Value: string(s.who("pest", i)), Action: privacy.Deny, Order: uint32(i + 1)}
	}
	list := privacy.NewList("blocked", items)
	for _, who := range s.all(g) {
		c, err := store.LoadLists(ctx, who)
		if err != nil {
			return fmt.Errorf("lists of %s: %w", who, err)
		}
		if c.Version > 0 {
			continue
		}
		u := privacy.Update{Before: 0, After: 1, Change: privacy.Change{Put: list, Default: list.Name()}}
		if err := store.SaveLists(ctx, who, u); err != nil {
			return fmt.Errorf("lists of %s: %w", who, err)
		}
	}
	return nil
}

// share puts the accounts of a group into a shared group, unless it is there.
func (s *seeder) share(ctx context.Context, g group) error {
	if !g.shared {
		return nil
	}
	store := s.db.Groups()
	there, err := store.LoadGroups(ctx)
	if err != nil || slices.ContainsFunc(there, func(x roster.Group) bool { return x.Name == g.prefix }) {
		return err
	}
	u := roster.GroupUpdate{Name: g.prefix, Put: &roster.Group{Name: g.prefix, Title: g.prefix, Mutual: true}}
	for _, who := range s.all(g) {
		u.Join = append(u.Join, roster.Member{JID: who})
	}
	return store.SaveGroups(ctx, []roster.GroupUpdate{u})
}
