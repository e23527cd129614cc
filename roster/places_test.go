package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// withGroups makes a village that has groups in its store.
func withGroups(t *testing.T, cfg GroupConfig, groups []Group) *village {
	t.Helper()
	v := newVillage(cfg, "ada@x")
	for _, g := range groups {
		g.Members = slices.Clone(g.Members)
		v.store.all[g.Name] = &g
	}
	v.must(t, v.Load(t.Context()))
	return v
}

// memberships shows groups as a line each.
func memberships(t *testing.T, v *village) string {
	t.Helper()
	all, err := v.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, x := range all {
		line := x.Name
		if x.Mutual {
			line += " mutual"
		}
		for _, m := range x.Members {
			line += fmt.Sprintf(" %s=%s", m.JID, m.Name)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestPlace(t *testing.T) {
	ctx := t.Context()
	door, lift := Member{JID: "door-12@phones.x", Name: "Door"}, Member{JID: "lift@phones.x", Name: "Lift"}
	start := []Group{
		{Name: "doors", Members: []Member{door, lift}},
		{Name: "kept", Source: "ldap", Members: []Member{door}},
		{Name: "staff", Mutual: true, Members: []Member{{JID: "ada@x", Name: "Ada"}, door}},
	}
	for _, row := range []struct {
		what   string
		place  []Placement
		made   string
		groups string
	}{
		{"nothing", nil, "[]",
			"doors door-12@phones.x=Door lift@phones.x=Lift|kept door-12@phones.x=Door|staff mutual ada@x=Ada door-12@phones.x=Door"},
		{"another name", []Placement{{Member: Member{JID: door.JID, Name: "Gate"}}}, "[]",
			"doors door-12@phones.x=Gate lift@phones.x=Lift|kept door-12@phones.x=Door|staff mutual ada@x=Ada door-12@phones.x=Gate"},
		{"into a group that there is not", []Placement{{Member: lift, In: []string{"new", "doors"}}}, "[new]",
			"doors door-12@phones.x=Door lift@phones.x=Lift|kept door-12@phones.x=Door|new lift@phones.x=Lift|staff mutual ada@x=Ada door-12@phones.x=Door"},
		{"out of one", []Placement{{Member: door, Out: []string{"staff"}}}, "[]",
			"doors door-12@phones.x=Door lift@phones.x=Lift|kept door-12@phones.x=Door|staff mutual ada@x=Ada"},
		{"in one only", []Placement{{Member: door, In: []string{"new"}, Only: true}, {Member: lift, Only: true}}, "[new]",
			"doors|kept door-12@phones.x=Door|new door-12@phones.x=Door|staff mutual ada@x=Ada"},
	} {
		g := withGroups(t, GroupConfig{}, start)
		made, err := g.Place(ctx, row.place...)
		g.must(t, err)
		if err != nil || fmt.Sprint(made) != row.made {
			t.Errorf("%s: made %v, %v", row.what, made, err)
		}
		if got := strings.ReplaceAll(memberships(t, g), "\n", "|"); got != row.groups {
			t.Errorf("%s: the groups are\n%s\nwant\n%s", row.what, got, row.groups)
		}
	}
}

// What is wrong is named by the group, and nothing is done.
func TestPlaceIsWhole(t *testing.T) {
	ctx := t.Context()
	door := Member{JID: "door-12@phones.x", Name: "Door"}
	g := withGroups(t, GroupConfig{}, []Group{{Name: "kept", Source: "ldap"}, {Name: "doors", Members: []Member{door}}, {Name: "staff", Mutual: true}})
	was := memberships(t, g)
	bad := []Placement{{Member: door, In: []string{"kept", " blank", "new"}, Out: []string{"none", "staff"}}}
	wrong, err := g.TryPlace(ctx, bad...)
	if err != nil || len(wrong) != 4 {
		t.Fatalf("wrong is %v, %v", wrong, err)
	}
	for name, words := range map[string]string{
		"kept": "kept by ldap", " blank": "printed on one line", "none": "no group none", "staff": "not a named member",
	} {
		if wrong[name] == nil || !strings.Contains(wrong[name].Error(), words) {
			t.Errorf("%q: %v, want %q", name, wrong[name], words)
		}
	}
	if made, err := g.Place(ctx, bad...); err == nil || made != nil {
		t.Errorf("made %v, %v", made, err)
	}
	if got := memberships(t, g); got != was {
		t.Errorf("the groups are\n%s\nthough nothing was to be done; they were\n%s", got, was)
	}
	of, err := g.GroupsOf(ctx, door.JID, "ada@x")
	if err != nil || fmt.Sprint(of) != "map[door-12@phones.x:[doors]]" {
		t.Errorf("they are in %v, %v", of, err)
	}
}

func TestPlaceHasLimits(t *testing.T) {
	g := withGroups(t, GroupConfig{MaxGroups: 2, MaxMembers: 2}, []Group{{Name: "a", Members: []Member{{JID: "ada@x"}, {JID: "bob@x"}}}})
	wrong, err := g.TryPlace(t.Context(), Placement{Member: Member{JID: "cy@x"}, In: []string{"a", "b", "c"}})
	if err != nil || len(wrong) != 2 || !strings.Contains(wrong["a"].Error(), "would have 3 members") || !strings.Contains(wrong["c"].Error(), "at most 2 groups") {
		t.Errorf("wrong is %v, %v", wrong, err)
	}
}
