package roster

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"rollcall/xmpp/jid"
)

// GroupStore keeps shared groups.
type GroupStore interface {
	// LoadGroups reads all groups with all that is in them.
	LoadGroups(ctx context.Context) ([]Group, error)

	// SaveGroups makes changes in their order, all or none of them.
	SaveGroups(ctx context.Context, changes []GroupUpdate) error
}

// GroupUpdate is a change of one group for a store to make.
type GroupUpdate struct {
	Name   string
	Put    *Group     // write its title, whether it is of everybody and mutual, and its source
	Remove bool       // with all that is in it
	Join   []Member   // write these as members
	Leave  []jid.Bare // these are members no more
	Show   []string   // it is visible to these groups from now on
	Unshow []string   // and to these no more
}

// GroupParts are what shared groups need.
type GroupParts struct {
	Store GroupStore

	// Accounts lists all local accounts at domains with accounts.
	Accounts func(context.Context) ([]jid.Bare, error)

	// Book is where changes are put in force.
	Book *Book

	// Log is for what nobody waits for the answer to.
	Log *slog.Logger
}

// Groups are the shared groups: who asks for a change gets it when it is stored
// and in force for everybody who is connected. Changes are made one after
// another. Errors know their condition, and say in words what is wrong.
type Groups struct {
	parts GroupParts
	cfg   GroupConfig
	met   func(before, now *Directory) // fixed before use; or nil

	mu       sync.Mutex // guards the fields below
	loaded   bool
	all      []Group    // sorted by name; members and visible-to are sorted, and never changed in place
	accounts []jid.Bare // sorted, never changed in place; nil while there is no group of everybody
}

// NewGroups returns the groups. [Groups.Load] puts them in force.
func NewGroups(parts GroupParts, cfg GroupConfig) *Groups {
	return &Groups{parts: parts, cfg: cfg.WithDefaults()}
}

// OnMet has met called after each change, when all have been told of the items
// that are different: people may have begun or ceased to see one another. It is
// to be set before the groups are used.
func (g *Groups) OnMet(met func(before, now *Directory)) { g.met = met }

// Load reads the groups and puts them in force.
func (g *Groups) Load(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx); err != nil {
		return err
	}
	return g.enforce(ctx)
}

// load reads the groups if need be. The caller holds mu.
func (g *Groups) load(ctx context.Context) error {
	if g.loaded {
		return nil
	}
	all, err := g.parts.Store.LoadGroups(ctx)
	if err != nil {
		return fmt.Errorf("roster: load the groups: %w", err)
	}
	for i := range all {
		slices.SortFunc(all[i].Members, compareMembers)
		slices.Sort(all[i].VisibleTo)
	}
	slices.SortFunc(all, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	g.all, g.loaded = all, true
	return nil
}

// enforce puts the groups in force. The caller holds mu.
func (g *Groups) enforce(ctx context.Context) error {
	everybody := slices.ContainsFunc(g.all, func(x Group) bool { return x.Everybody })
	switch {
	case !everybody:
		g.accounts = nil
	case g.accounts == nil:
		list, err := g.parts.Accounts(ctx)
		if err != nil {
			return fmt.Errorf("roster: list the accounts for a group of everybody: %w", err)
		}
		list = append(make([]jid.Bare, 0, len(list)), list...) // not nil
		slices.Sort(list)
		g.accounts = slices.Compact(list)
	}
	before, now := g.parts.Book.Directory(), NewDirectory(g.all, g.accounts)
	// Who is not told now is told when his roster is next used.
	if err := g.parts.Book.Adopt(context.WithoutCancel(ctx), now); err != nil {
		g.parts.Log.Error("some people were not told of a change of groups", "err", err)
	}
	if g.met != nil {
		g.met(before, now)
	}
	return nil
}

// change makes a change. edit gets a list of its own of the groups, and returns
// what to store of what it has done to that. No updates: nothing has changed.
func (g *Groups) change(ctx context.Context, edit func(*edition) error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx); err != nil {
		return err
	}
	e := &edition{cfg: g.cfg, all: slices.Clone(g.all)}
	if err := edit(e); err != nil || len(e.updates) == 0 {
		return err
	}
	if err := g.room(ctx, e); err != nil {
		return err
	}
	if err := g.parts.Store.SaveGroups(ctx, e.updates); err != nil {
		g.loaded = false // it may have been written nevertheless
		return fmt.Errorf("roster: save the groups: %w", err)
	}
	g.all = e.all
	return g.enforce(ctx)
}

// room refuses a group of everybody where there are more accounts than a group
// may have members. The caller holds mu.
func (g *Groups) room(ctx context.Context, e *edition) error {
	if !e.everybody {
		return nil
	}
	list, err := g.parts.Accounts(ctx)
	if err != nil {
		return fmt.Errorf("roster: list the accounts for a group of everybody: %w", err)
	}
	if len(list) > g.cfg.MaxMembers {
		return tooManyAccounts(len(list), g.cfg.MaxMembers)
	}
	return nil
}

// List returns all groups, sorted by name. They are not to be changed.
func (g *Groups) List(ctx context.Context) ([]Group, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx); err != nil {
		return nil, err
	}
	return g.all, nil
}

// Get returns a group. It is not to be changed.
func (g *Groups) Get(ctx context.Context, name string) (Group, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.load(ctx); err != nil {
		return Group{}, err
	}
	e := edition{all: g.all}
	at, err := e.find(name)
	if err != nil {
		return Group{}, err
	}
	return g.all[at], nil
}

// AccountAdded hears that there are new accounts.
func (g *Groups) AccountAdded(ctx context.Context, all ...jid.Bare) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.accounts == nil {
		return nil
	}
	more := slices.Concat(g.accounts, all)
	slices.Sort(more)
	if more = slices.Compact(more); len(more) == len(g.accounts) {
		return nil // they were known
	}
	g.accounts = more
	return g.enforce(ctx)
}

// AccountRemoved hears that an account is no more. The store has taken it out of
// all groups with it, lest whoever gets the name next be a member.
func (g *Groups) AccountRemoved(ctx context.Context, who jid.Bare) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	changed := false
	if at, known := slices.BinarySearch(g.accounts, who); known {
		g.accounts = slices.Concat(g.accounts[:at], g.accounts[at+1:])
		changed = true
	}
	all := slices.Clone(g.all)
	for i := range all {
		if at, is := slices.BinarySearchFunc(all[i].Members, Member{JID: who}, compareMembers); is {
			all[i].Members = slices.Concat(all[i].Members[:at], all[i].Members[at+1:])
			changed = true
		}
	}
	if !changed {
		return nil
	}
	g.all = all
	return g.enforce(ctx)
}
