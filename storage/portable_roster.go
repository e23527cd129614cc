package storage

import (
	"cmp"
	"database/sql"
	"fmt"
	"slices"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// roster adds the contacts and requests that are not there. Each item is a
// change of its own in the roster's versions; who has the version before a
// replacement has to get the whole roster.
func (u *unpacking) roster() error {
	if u.Roster == nil {
		return nil
	}
	known, requests, err := u.contacts()
	if err != nil {
		return err
	}
	replaced := u.replaces() && !u.sameRoster(known, requests)
	if replaced {
		for _, query := range []string{"portable.drop_items", "portable.drop_tombstones", "portable.drop_requests"} {
			if err := u.do(query, u.id()); err != nil {
				return err
			}
		}
		clear(known)
		clear(requests)
	}
	items := slices.Clone(u.Roster)
	slices.SortFunc(items, func(a, b roster.Item) int { return cmp.Compare(a.Contact, b.Contact) })
	fresh := u.newItems(items, known, requests)
	if len(fresh) > 0 || replaced {
		if err := u.putItems(fresh, replaced); err != nil {
			return err
		}
	}
	return u.putRequests(items, known, requests)
}

// contacts reads who is in the roster, and whose requests wait.
func (u *unpacking) contacts() (known map[jid.Bare]entryRow, requests map[jid.Bare]bool, err error) {
	known, requests = map[jid.Bare]entryRow{}, map[jid.Bare]bool{}
	if u.receipt.Made {
		return known, requests, nil
	}
	err = u.each(u.ctx, "portable.contacts", []any{u.id()}, func(rows *sql.Rows) error {
		var contact jid.Bare
		var e entryRow
		err := rows.Scan(&contact, &e.name, &e.groups, &e.state, &e.noted, &e.left)
		known[contact] = e
		return err
	})
	if err == nil {
		err = u.each(u.ctx, "portable.requests", []any{u.id()}, func(rows *sql.Rows) error {
			var contact jid.Bare
			err := rows.Scan(&contact)
			requests[contact] = true
			return err
		})
	}
	return known, requests, err
}

// entryRow is a roster item as its row has it, but for the version.
type entryRow struct {
	name, groups, left string
	state              roster.State
	noted              int64
}

func rowOf(it *roster.Item) entryRow {
	groups, _ := formatGroups(it.Groups) // lists of strings: it cannot fail
	left, _ := formatGroups(it.Left)
	return entryRow{name: it.Name, groups: groups, left: left, state: it.State & stored, noted: flag(it.Noted)}
}

// sameRoster reports whether the parcel has the same contacts and the same
// requests, so that replacing would only make clients read
// it all again.
func (u *unpacking) sameRoster(known map[jid.Bare]entryRow, requests map[jid.Bare]bool) bool {
	items, waiting := 0, 0
	for i := range u.Roster {
		it := &u.Roster[i]
		if it.PendingIn() {
			waiting++
			if !requests[it.Contact] {
				return false
			}
		}
		if it.Hidden {
			continue
		}
		items++
		if e, there := known[it.Contact]; !there || e != rowOf(it) {
			return false
		}
	}
	return items == len(known) && waiting == len(requests)
}

// newItems picks those that are to be added.
func (u *unpacking) newItems(items []roster.Item, known map[jid.Bare]entryRow, requests map[jid.Bare]bool) []roster.Item {
	var fresh []roster.Item
	entries := len(known)
	for contact := range requests {
		if _, there := known[contact]; !there {
			entries++
		}
	}
	for _, it := range items {
		if it.Hidden {
			continue
		}
		if _, there := known[it.Contact]; there {
			u.receipt.Known[PartContacts]++
			continue
		}
		if entries >= u.limits.MaxItems {
			u.receipt.Refused = append(u.receipt.Refused, fmt.Sprintf("the contact %s is over the limit of %d (roster.max_items)", it.Contact, u.limits.MaxItems))
			continue
		}
		entries++
		u.receipt.Added[PartContacts]++
		known[it.Contact] = rowOf(&it)
		fresh = append(fresh, it)
	}
	return fresh
}

func (u *unpacking) putItems(fresh []roster.Item, replaced bool) error {
	var version, floor int64
	if _, err := u.one(u.ctx, "portable.roster_at", []any{u.id()}, &version, &floor); err != nil {
		return err
	}
	for i := range fresh {
		it := &fresh[i]
		version++
		e := rowOf(it)
		if err := u.do("roster.drop_tombstones", u.id(), string(it.Contact), floor); err != nil {
			return err
		}
		if err := u.do("roster.put_item", u.id(), string(it.Contact), e.name, e.groups, int64(e.state), version, e.noted, e.left); err != nil {
			return err
		}
	}
	if replaced {
		version++
		floor = version
	}
	return u.do("portable.roster_to", u.id(), version, floor)
}

// putRequests adds the requests of those who have not been answered.
func (u *unpacking) putRequests(items []roster.Item, known map[jid.Bare]entryRow, requests map[jid.Bare]bool) error {
	for i := range items {
		it := &items[i]
		switch {
		case !it.PendingIn() || len(it.Request) == 0:
			continue
		case requests[it.Contact], known[it.Contact].state.Has(roster.From):
			u.receipt.Known[PartRequests]++
			continue
		case len(requests) >= u.limits.MaxRequests:
			u.receipt.Refused = append(u.receipt.Refused, fmt.Sprintf("the request of %s is over the limit of %d (roster.max_requests)", it.Contact, u.limits.MaxRequests))
			continue
		}
		requests[it.Contact] = true
		u.receipt.Added[PartRequests]++
		if err := u.do("roster.put_request", u.id(), string(it.Contact), it.Request); err != nil {
			return err
		}
	}
	return nil
}
