package storage

import (
	"context"
	"database/sql"
	"slices"

	"rollcall/roster"
	"rollcall/xmpp/jid"
)

// Groups is a [roster.GroupStore].
type Groups struct{ db *DB }

// Groups returns the store of shared groups.
func (db *DB) Groups() *Groups { return &Groups{db} }

// LoadGroups implements [roster.GroupStore].
func (s *Groups) LoadGroups(ctx context.Context) (all []roster.Group, err error) {
	at := map[string]int{}
	err = s.db.each(ctx, "groups.list", nil, func(rows *sql.Rows) error {
		var g roster.Group
		if err := rows.Scan(&g.Name, &g.Title, &g.Everybody, &g.Mutual, &g.Source); err != nil {
			return err
		}
		at[g.Name] = len(all)
		all = append(all, g)
		return nil
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	err = s.db.each(ctx, "groups.members", nil, func(rows *sql.Rows) error {
		var name string
		var m roster.Member
		if err := rows.Scan(&name, &m.JID, &m.Name); err != nil {
			return err
		}
		if i, known := at[name]; known { // or it was added since
			all[i].Members = append(all[i].Members, m)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = s.db.each(ctx, "groups.visible", nil, func(rows *sql.Rows) error {
		var name, to string
		if err := rows.Scan(&name, &to); err != nil {
			return err
		}
		if i, known := at[name]; known {
			all[i].VisibleTo = append(all[i].VisibleTo, to)
		}
		return nil
	})
	return all, err
}

// SaveGroups implements [roster.GroupStore].
func (s *Groups) SaveGroups(ctx context.Context, changes []roster.GroupUpdate) error {
	return s.db.tx(ctx, "save the groups", func(t *tx) error {
		for _, u := range changes {
			if err := saveGroup(ctx, t, u); err != nil {
				return err
			}
		}
		return nil
	})
}

func saveGroup(ctx context.Context, t *tx, u roster.GroupUpdate) (err error) {
	exec := func(query string, args ...any) {
		if err == nil {
			_, err = t.exec(ctx, query, args...)
		}
	}
	if u.Remove {
		exec("groups.drop", u.Name)
		return err
	}
	if g := u.Put; g != nil {
		exec("groups.put", u.Name, g.Title, flag(g.Everybody), flag(g.Mutual), g.Source)
	}
	for _, j := range u.Leave {
		exec("groups.drop_member", u.Name, string(j))
	}
	for _, m := range u.Join {
		exec("groups.put_member", u.Name, string(m.JID), m.Name)
	}
	for _, to := range u.Unshow {
		exec("groups.unshow", u.Name, to)
	}
	for _, to := range u.Show {
		exec("groups.show", u.Name, to)
	}
	return err
}

// flag is how the databases keep what is true or not.
func flag(on bool) int64 {
	if on {
		return 1
	}
	return 0
}

// Everybody returns the addresses of all accounts at the domains.
func (s *Accounts) Everybody(ctx context.Context, domains ...string) (all []jid.Bare, err error) {
	err = s.db.each(ctx, "account.everybody", nil, func(rows *sql.Rows) error {
		var who jid.Bare
		if err := rows.Scan(&who); err != nil {
			return err
		}
		if slices.Contains(domains, who.Domain()) {
			all = append(all, who)
		}
		return nil
	})
	return all, err
}
