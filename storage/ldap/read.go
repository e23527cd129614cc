package ldap

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	lib "github.com/go-ldap/ldap/v3"

	"rollcall/directory"
)

// What one directory may have. More is an error, since a part would look as if
// the others had gone.
const (
	maxPeople = 200_000
	maxGroups = 5_000
	maxPages  = 20_000 // of one search: a page may be empty
)

// Read implements directory.Source.
func (c *Client) Read(ctx context.Context) (*directory.Snapshot, error) {
	first, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	conn, err := c.searcher(first)
	cancel()
	if err != nil {
		return nil, err
	}
	defer conn.close()
	everybody := strings.ReplaceAll(c.cfg.UserFilter, NamePlaceholder, "*")
	entries, err := c.search(ctx, conn, c.cfg.BaseDN, everybody, c.userAttributes(), maxPeople)
	if err != nil {
		return nil, err
	}
	all := c.gather(entries)
	found := &directory.Snapshot{People: all.list(), Unnamed: all.unnamed}
	found.Doubtful = slices.Sorted(maps.Keys(all.doubtful))
	found.Groups, err = c.groups(ctx, conn, all)
	return found, err
}

// groups reads the groups and who is in them.
func (c *Client) groups(ctx context.Context, conn *conn, all *people) ([]directory.Group, error) {
	if c.cfg.GroupFilter == "" {
		return nil, nil
	}
	base := c.cfg.GroupBaseDN
	if base == "" {
		base = c.cfg.BaseDN
	}
	entries, err := c.search(ctx, conn, base, c.cfg.GroupFilter, c.groupAttributes(), maxGroups)
	if err != nil {
		return nil, err
	}
	var out []directory.Group
	for _, e := range entries {
		g, ok := c.group(e)
		if !ok {
			continue
		}
		list, err := c.listed(e, all)
		if c.cfg.GroupMemberFilter != "" {
			list, err = c.asked(ctx, conn, e, all)
		}
		if err != nil {
			return nil, err
		}
		g.Members = c.members(list)
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b directory.Group) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// asked returns whom a search for a group's people finds.
func (c *Client) asked(ctx context.Context, conn *conn, group *lib.Entry, all *people) ([]*directory.Person, error) {
	filter := strings.ReplaceAll(c.cfg.GroupMemberFilter, GroupPlaceholder, lib.EscapeFilter(group.DN))
	// "1.1" is no attribute at all (RFC 4511 §4.5.1.8): who they are is known.
	entries, err := c.search(ctx, conn, c.cfg.BaseDN, filter, []string{"1.1"}, maxPeople)
	if err != nil {
		return nil, err
	}
	var out []*directory.Person
	for _, e := range entries {
		if p := all.named(e.DN, c.domain); p != nil {
			out = append(out, p)
		}
	}
	return out, nil
}

// search returns all entries that a filter finds below a DN, page by page (RFC
// 2696). Each page has the time of a request.
func (c *Client) search(ctx context.Context, conn *conn, base, filter string, attributes []string, most int) ([]*lib.Entry, error) {
	var all []*lib.Entry
	r := request(base, filter, attributes, 0)
	paging := lib.NewControlPaging(uint32(c.cfg.PageSize))
	r.Controls = []lib.Control{paging}
	for range maxPages {
		result, err := c.page(ctx, conn, r)
		if err != nil {
			return nil, fmt.Errorf("%w: %s below %s: %w", ErrSearch, filter, base, err)
		}
		all = append(all, result.Entries...)
		if len(all) > most {
			return nil, fmt.Errorf("%w: %s below %s finds more than %d entries", ErrSearch, filter, base, most)
		}
		next, ok := lib.FindControl(result.Controls, lib.ControlTypePaging).(*lib.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return all, nil
		}
		paging.SetCookie(next.Cookie)
	}
	return nil, fmt.Errorf("%w: %s below %s has no end", ErrSearch, filter, base)
}

func (c *Client) page(ctx context.Context, conn *conn, r *lib.SearchRequest) (result *lib.SearchResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	err = conn.do(ctx, func() (err error) { result, err = conn.Search(r); return err })
	return result, err
}
