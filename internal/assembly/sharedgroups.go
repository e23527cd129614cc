package assembly

import (
	"context"
	"log/slog"
	"strings"
	"unicode/utf8"

	"rollcall/directory"
	"rollcall/roster"
)

// groupSource names what keeps the groups of the directory.
const groupSource = "ldap"

// maxGroupName bounds what the operator calls a group by, in bytes.
const maxGroupName = 64

// sharedGroups makes the directory's groups shared groups of contacts. Its calls
// come one after another.
type sharedGroups struct {
	groups *roster.Groups
	log    *slog.Logger
	taken  string // the names that were complained of last
}

// SetGroups implements directory.Groups.
func (s *sharedGroups) SetGroups(ctx context.Context, groups []directory.Group) error {
	have, err := s.groups.List(ctx)
	if err != nil {
		return err
	}
	list, taken := shared(groups, have)
	if now := strings.Join(taken, ", "); now != s.taken {
		if s.taken = now; now != "" {
			s.log.Warn("some groups of the directory are left out: there are others of their names", "groups", now)
		}
	}
	return s.groups.Sync(ctx, groupSource, list)
}

// shared makes shared groups of those of the directory, which the operator calls
// by their titles. A name that a group of the operator's has, or another of the
// directory's, is taken. Members of a new group see one another.
func shared(groups []directory.Group, have []roster.Group) (list []roster.Group, taken []string) {
	used := map[string]bool{}
	for i := range have {
		if have[i].Source != groupSource {
			used[have[i].Name] = true
		}
	}
	for _, g := range groups {
		name := cut(g.Title, maxGroupName)
		if used[name] {
			taken = append(taken, name)
			continue
		}
		used[name] = true
		x := roster.Group{Name: name, Title: g.Title, Mutual: true, Members: make([]roster.Member, len(g.Members))}
		for i, m := range g.Members {
			x.Members[i] = roster.Member{JID: m.JID, Name: m.Name}
		}
		list = append(list, x)
	}
	return list, taken
}

// cut returns the beginning of a text, at most so many bytes.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return strings.TrimSpace(s)
}
