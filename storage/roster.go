package storage

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// Rosters is a [roster.Store].
type Rosters struct{ db *DB }

// Rosters returns the store of rosters.
func (db *DB) Rosters() *Rosters { return &Rosters{db} }

// What stands between fields and rows that are read as one text. Neither XML
// nor an address can hold these characters, and roster.Config.Check makes sure.
const (
	fieldEnd = "\x1f"
	rowEnd   = "\x1e"
)

// stored are the parts of a state that roster_item keeps. A waiting request is
// a row of roster_request.
const stored = roster.To | roster.From | roster.PendingOut | roster.Approved

// notedBit is set beside a state that is read with its row's noted.
const notedBit = 256

// LoadRoster implements [roster.Store].
func (s *Rosters) LoadRoster(ctx context.Context, owner jid.Bare) (roster.Contents, error) {
	var c roster.Contents
	var items, gone sql.NullString
	var requests int
	found, err := s.db.one(ctx, "roster.load", []any{string(owner), fieldEnd, rowEnd},
		&c.Epoch, &c.Version, &c.Floor, &items, &gone, &requests)
	switch {
	case err != nil:
		return c, err
	case !found:
		return c, roster.ErrNoAccount
	}
	if c.Items, err = parseItems(items.String); err == nil {
		c.Gone, err = parseTombstones(gone.String)
	}
	if err == nil && requests > 0 {
		err = s.loadRequests(ctx, &c)
	}
	return c, failed("read the roster of "+string(owner), err)
}

func (s *Rosters) loadRequests(ctx context.Context, c *roster.Contents) error {
	at := make(map[jid.Bare]int, len(c.Items))
	for i := range c.Items {
		at[c.Items[i].Contact] = i
	}
	return s.db.each(ctx, "roster.requests", []any{c.Epoch}, func(rows *sql.Rows) error {
		var contact jid.Bare
		var stanza []byte
		if err := rows.Scan(&contact, &stanza); err != nil {
			return err
		}
		i, known := at[contact]
		if !known {
			i = len(c.Items)
			c.Items = append(c.Items, roster.Item{Contact: contact, Hidden: true})
		}
		c.Items[i].State |= roster.PendingIn
		c.Items[i].Request = stanza
		return nil
	})
}

var errFields = errors.New("a row does not have the fields that it should")

func parseItems(text string) ([]roster.Item, error) {
	if text == "" {
		return nil, nil
	}
	items := make([]roster.Item, 0, strings.Count(text, rowEnd)+1)
	lists := groupLists{"": nil}
	for row := range strings.SplitSeq(text, rowEnd) {
		it, err := parseItem(row, lists)
		if err != nil {
			return nil, err
		}
		items = append(items, it)
	}
	return items, nil
}

func parseItem(row string, lists groupLists) (it roster.Item, err error) {
	contact, row, _ := strings.Cut(row, fieldEnd)
	name, row, _ := strings.Cut(row, fieldEnd)
	in, row, _ := strings.Cut(row, fieldEnd)
	state, row, _ := strings.Cut(row, fieldEnd)
	version, left, found := strings.Cut(row, fieldEnd)
	bits, err1 := strconv.ParseUint(state, 10, 9)
	v, err2 := strconv.ParseUint(version, 10, 32)
	if !found || err1 != nil || err2 != nil {
		return it, errFields
	}
	it = roster.Item{
		Contact: jid.Bare(contact), Name: name, State: roster.State(bits) & stored, Version: uint32(v), Noted: bits&notedBit != 0,
	}
	if it.Groups, err = lists.parse(in); err == nil {
		it.Left, err = lists.parse(left)
	}
	return it, err
}

// groupLists are lists of groups by their text: many items are in the same ones.
type groupLists map[string][]string

func (l groupLists) parse(text string) ([]string, error) {
	if list, known := l[text]; known {
		return list, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("a row's groups: %w", err)
	}
	l[text] = list
	return list, nil
}

// formatGroups makes the text of a list.
func formatGroups(list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), failed("save a roster item", err)
}

func parseTombstones(text string) ([]roster.Tombstone, error) {
	if text == "" {
		return nil, nil
	}
	gone := make([]roster.Tombstone, 0, strings.Count(text, rowEnd)+1)
	for row := range strings.SplitSeq(text, rowEnd) {
		contact, version, found := strings.Cut(row, fieldEnd)
		v, err := strconv.ParseUint(version, 10, 32)
		if !found || err != nil {
			return nil, errFields
		}
		gone = append(gone, roster.Tombstone{Contact: jid.Bare(strings.Clone(contact)), Version: uint32(v)})
	}
	return gone, nil
}

// SaveRoster implements [roster.Store].
func (s *Rosters) SaveRoster(ctx context.Context, owner jid.Bare, u roster.Update) error {
	return s.db.tx(ctx, "save the roster of "+string(owner), func(t *tx) error {
		var account int64
		found, err := t.one(ctx, "roster.advance", []any{string(owner), int64(u.After), int64(u.Floor), int64(u.Before)}, &account)
		if err != nil {
			return err
		}
		if !found {
			if found, err := t.one(ctx, "account.id", []any{string(owner)}, &account); err != nil || found {
				return errors.Join(roster.ErrStale, err)
			}
			return roster.ErrNoAccount
		}
		return saveEntry(ctx, t, account, u)
	})
}

func saveEntry(ctx context.Context, t *tx, account int64, u roster.Update) error {
	contact := string(u.Contact)
	var errs []error
	exec := func(query string, args ...any) {
		if len(errs) == 0 {
			if _, err := t.exec(ctx, query, args...); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if u.Item != nil || u.Remove {
		exec("roster.drop_tombstones", account, contact, int64(u.Floor))
	}
	if u.Item != nil {
		groups, err1 := formatGroups(u.Item.Groups)
		left, err2 := formatGroups(u.Item.Left)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		exec("roster.put_item", account, contact, u.Item.Name, groups, int64(u.Item.State&stored), int64(u.Item.Version), flag(u.Item.Noted), left)
	}
	if u.Remove {
		exec("roster.drop_item", account, contact)
		exec("roster.put_tombstone", account, contact, int64(u.After))
	}
	if u.Request != nil {
		exec("roster.put_request", account, contact, u.Request)
	}
	if u.DropRequest {
		exec("roster.drop_request", account, contact)
	}
	return errors.Join(errs...)
}
