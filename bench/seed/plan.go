package main

import (
	"context"
	"fmt"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// A group is accounts with the same prefix and the same kind of roster.
type group struct {
	prefix string
	count  int

	// contacts calls yield with the contacts of the account with a number, by
	// prefix and number, and how the subscription with them stands. Nil: none.
	contacts func(i int, yield func(prefix string, i int, state roster.State))

	blocks int  // items of the default privacy list of each
	shared bool // all of them are in one shared group
}

// Sizes of the scenarios; they are also in the load tool's scripts.
const (
	watchers, publishers = 200, 20
	bigWatchers          = 2000
	stormUsers, ring     = 1000, 50
	awayUsers            = 200
	listUsers, listItems = 200, 50
	clique               = 201 // each has 200 contacts
)

// plan lists what the scenarios need: users without contacts for login, chat,
// rooms and idle connections; watchers who all watch all publishers; many who
// watch one; a ring in which each knows its nearest; people who are away; people
// with privacy lists; and people who all know each other, by themselves and by a
// shared group.
func plan(users int) []group {
	return []group{
		{prefix: "user", count: users},
		{prefix: "wat", count: watchers, contacts: every("pub", publishers, roster.To)},
		{prefix: "pub", count: publishers, contacts: every("wat", watchers, roster.From)},
		{prefix: "bigw", count: bigWatchers, contacts: every("bigp", 1, roster.To)},
		{prefix: "bigp", count: 1, contacts: every("bigw", bigWatchers, roster.From)},
		{prefix: "storm", count: stormUsers, contacts: neighbours("storm", stormUsers, ring)},
		{prefix: "off", count: awayUsers},
		{prefix: "lst", count: listUsers, blocks: listItems},
		{prefix: "own", count: clique, contacts: neighbours("own", clique, clique-1)},
		{prefix: "shr", count: clique, shared: true},
	}
}

// every is the contacts prefix0 to prefix(n-1).
func every(prefix string, n int, state roster.State) func(int, func(string, int, roster.State)) {
	return func(_ int, yield func(string, int, roster.State)) {
		for i := range n {
			yield(prefix, i, state)
		}
	}
}

// neighbours is the r nearest in a ring of n, half of them on each side.
func neighbours(prefix string, n, r int) func(int, func(string, int, roster.State)) {
	return func(i int, yield func(string, int, roster.State)) {
		for d := 1; d <= r/2; d++ {
			yield(prefix, (i+d)%n, roster.Both)
			yield(prefix, (i-d+n)%n, roster.Both)
		}
	}
}

// rosters writes the rosters of a group and returns how many items they have.
func (s *seeder) rosters(ctx context.Context, g group) (items int, err error) {
	if g.contacts == nil {
		return 0, nil
	}
	for i := range g.count {
		n, err := s.roster(ctx, s.who(g.prefix, i), func(add func(jid.Bare, roster.State)) {
			g.contacts(i, func(prefix string, i int, state roster.State) { add(s.who(prefix, i), state) })
		})
		if err != nil {
			return items, err
		}
		items += n
	}
	return items, nil
}

// roster adds to one account's roster what it does not have.
func (s *seeder) roster(ctx context.Context, owner jid.Bare, each func(func(jid.Bare, roster.State))) (added int, err error) {
	store := s.db.Rosters()
	c, err := store.LoadRoster(ctx, owner)
	if err != nil {
		return 0, fmt.Errorf("roster of %s: %w", owner, err)
	}
	have := make(map[jid.Bare]bool, len(c.Items))
	for _, it := range c.Items {
		have[it.Contact] = true
	}
	version := c.Version
	each(func(contact jid.Bare, state roster.State) {
		if err != nil || have[contact] {
			return
		}
		item := &roster.Item{Contact: contact, State: state, Version: version + 1}
		err = store.SaveRoster(ctx, owner, roster.Update{Contact: contact, Before: version, After: version + 1, Floor: c.Floor, Item: item})
		version++
		added++
	})
	return added, err
}
