package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall/presence/device"
	"rollcall/roster"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// A deviceGroup is devices with the same prefix, and who sees them.
type deviceGroup struct {
	prefix string
	count  int

	// The first so many are seen. They are in so many parts, one after the other, and so
	// are the people with the prefix seenBy: each sees the devices of their part.
	shown, parts int
	seenBy       string
	people       int
}

// Sizes of the scenarios for telephones; they are also in the load tool's scripts.
const (
	phones       = 10000 // that register
	shownPhones  = 5000  // of them, that publish calls
	sources      = 1000  // that publish
	panels       = 1000  // that subscribe to them
	lines        = 50    // that everybody sees
	parts        = 50    // of the phones: so 4 of 200 people see each
	phoneViewers = 200
)

// benchDevices lists the devices that the scenarios need.
func benchDevices() []deviceGroup {
	return []deviceGroup{
		{prefix: "dev", count: phones, shown: shownPhones, parts: parts, seenBy: "see", people: phoneViewers},
		{prefix: "pub", count: sources},
		{prefix: "wat", count: panels},
		{prefix: "line", count: lines, shown: lines, parts: 1, seenBy: "all", people: phoneViewers},
	}
}

// viewers are the accounts of those who see devices.
func viewers() []group {
	return []group{{prefix: "see", count: phoneViewers}, {prefix: "all", count: phoneViewers}}
}

// phones makes the devices that are not there, at a domain, and has people see them by
// shared groups.
func (s *seeder) phones(ctx context.Context, path, domain string, groups []deviceGroup) (err error) {
	if len(groups) == 0 {
		return nil
	}
	s.db, err = storage.Open(ctx, storage.Config{Driver: storage.SQLite, Path: path})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.db.Close()) }()
	total := 0
	for _, g := range groups {
		total += g.count
	}
	all := device.NewRegister(s.db.Devices(), device.Config{Domain: domain, MaxDevices: total})
	for _, g := range groups {
		if err := s.devices(ctx, all, g); err != nil {
			return err
		}
		if err := s.show(ctx, domain, g); err != nil {
			return err
		}
	}
	return nil
}

// devices makes the devices of a group. Those that are there stay as they are.
func (s *seeder) devices(ctx context.Context, all *device.Register, g deviceGroup) error {
	done, err := all.Change(ctx, func(p *device.Picture) (list []device.Device, err error) {
		for i := range g.count {
			id := fmt.Sprint(g.prefix, i)
			if p.ByID(id) != nil {
				continue
			}
			key, err := device.NewKey(id, all.Domain(), s.password)
			if err != nil {
				return nil, err
			}
			list = append(list, device.Device{ID: id, Class: device.Phone, User: id, Key: key})
		}
		return list, nil
	})
	fmt.Printf("%-6s %5d devices (%d new)\n", g.prefix, g.count, len(done))
	return err
}

// show puts the devices of a group into shared groups, and those who see them.
func (s *seeder) show(ctx context.Context, domain string, g deviceGroup) error {
	if g.parts == 0 {
		return nil
	}
	store := s.db.Groups()
	there, err := store.LoadGroups(ctx)
	if err != nil || slices.ContainsFunc(there, func(x roster.Group) bool { return x.Name == g.seenBy+"0" }) {
		return err
	}
	var updates []roster.GroupUpdate
	for part := range g.parts {
		desk, floor := fmt.Sprint(g.seenBy, part), fmt.Sprint(g.prefix, part)
		people := roster.GroupUpdate{Name: desk, Put: &roster.Group{Name: desk, Title: desk}}
		for i := range g.people / g.parts {
			people.Join = append(people.Join, roster.Member{JID: s.who(g.seenBy, part*g.people/g.parts+i)})
		}
		seen := roster.GroupUpdate{Name: floor, Put: &roster.Group{Name: floor, Title: floor}, Show: []string{desk}}
		for i := range g.shown / g.parts {
			id := fmt.Sprint(g.prefix, part*g.shown/g.parts+i)
			seen.Join = append(seen.Join, roster.Member{JID: jid.Bare(id + "@" + domain)})
		}
		updates = append(updates, people, seen)
	}
	return store.SaveGroups(ctx, updates)
}
