package transcript

import (
	"errors"
	"fmt"
	"strings"
	"testing/synctest"
)

// regroup is a line about a shared group.
type regroup GroupChange

func (a regroup) act(st *stage) error {
	groups, ok := st.open().(Groups)
	if !ok {
		return errors.New("there are no shared groups in this world")
	}
	for _, name := range a.Members {
		if strings.Contains(name, "@") || a.Do == "leave" {
			continue
		}
		if err := st.account(name); err != nil {
			return err
		}
	}
	if err := groups.ChangeGroup(GroupChange(a)); err != nil {
		return fmt.Errorf("change the group %s: %w", a.Group, err)
	}
	synctest.Wait()
	return nil
}

// parseGroup reads a line about a shared group; false if it is none.
func parseGroup(source string) (action, bool) {
	if m := reGroup.FindStringSubmatch(source); m != nil {
		return parseMaking(m[1], m[2], m[3])
	}
	if m := reMember.FindStringSubmatch(source); m != nil {
		c := regroup{Do: strings.TrimSuffix(m[2], "s"), Group: m[3], Members: several(m[1])}
		if m[4] != "" {
			c.Names = map[string]string{}
			for _, name := range c.Members {
				c.Names[name] = m[4]
			}
		}
		return c, true
	}
	if m := reSees.FindStringSubmatch(source); m != nil {
		if m[3] != "" {
			return regroup{Do: "hide", Group: m[2], To: m[1]}, true
		}
		return regroup{Do: "show", Group: m[2], To: m[1]}, true
	}
	return nil, false
}

func parseMaking(group, how, rest string) (action, bool) {
	switch {
	case how == "is gone" && rest == "":
		return regroup{Do: "remove", Group: group}, true
	case rest == "":
		return nil, false
	case how == "is called":
		return regroup{Do: "title", Group: group, Title: rest}, true
	case how == "has":
		return regroup{Do: "set", Group: group, Members: several(rest)}, true
	case rest == "everybody":
		return regroup{Do: "make", Group: group, Everybody: true, Mutual: how == "is"}, true
	}
	return regroup{Do: "make", Group: group, Mutual: how == "is", Members: several(rest)}, true
}
