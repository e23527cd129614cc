package presence

import (
	"slices"
	"testing"

	"rollcall/xmpp/jid"
)

// groups is who is in which.
type groups map[string][]jid.Bare

func (g groups) InGroup(who jid.Bare, group string) bool { return slices.Contains(g[group], who) }

func (g groups) ShareGroup(a, b jid.Bare) bool {
	for _, members := range g {
		if slices.Contains(members, a) && slices.Contains(members, b) {
			return true
		}
	}
	return false
}

var testGroups = groups{
	"Sales":        {"ada@x.example", "bob@x.example", "phone@phones.example"},
	"Control room": {"dora@x.example"},
}

var testRoles = []RoleHolders{
	{Role: RoleDispatcher, Groups: []string{"Control room"}},
	{Role: RoleSupervisor, Accounts: []jid.Bare{"sue@x.example"}},
	{Role: "auditor", Accounts: []jid.Bare{"out@elsewhere.example"}},
}

// ruleTests are watchers and subjects, under the rules that always hold and under
// those below.
var ruleTests = []struct {
	watcher jid.Bare
	subject Subject
	kind    Kind
	always  Level
	own     Level
}{
	{"ada@x.example", "ada@x.example", Person, Full, Full},
	{"ada@x.example", "bob@x.example", Person, Detail, Basic},         // same group
	{"ada@x.example", "carl@x.example", Person, Status, Status},       // same domain
	{"eve@elsewhere.example", "ada@x.example", Person, Basic, Hidden}, // another server
	{"out@elsewhere.example", "ada@x.example", Person, Basic, Full},   // … with a role
	{"guest@guests.example", "ada@x.example", Person, Basic, Basic},   // no staff
	{"dora@x.example", "ada@x.example", Person, Detail, Detail},       // dispatcher, by group
	{"sue@x.example", "ada@x.example", Person, Detail, Detail},        // supervisor, by account
	{"op@x.example", "ada@x.example", Person, Status, Status},         // an operator runs things, and is not set over people
	{"ada@x.example", "door@phones.example", Device, Status, Status},  // staff
	{"ada@x.example", "phone@phones.example", Device, Status, Status}, // a shared group makes no more of that
	{"op@x.example", "door@phones.example", Device, Full, Full},       // operator
	{"sue@x.example", "door@phones.example", Device, Full, Full},      // supervisor
	{"dora@x.example", "door@phones.example", Device, Full, Full},     // dispatcher
	{"eve@elsewhere.example", "door@phones.example", Device, Basic, Hidden},
	{"guest@guests.example", "door@phones.example", Device, Basic, Basic},
	{"ada@x.example", "boss@x.example", Person, Status, Hidden}, // a rule of its own
	{"sue@x.example", "boss@x.example", Person, Detail, Hidden}, // before that of supervisors
	{"boss@x.example", "boss@x.example", Person, Full, Full},
	{"ada@x.example", "duty@x.example", Role, Status, Full},
	{"eve@elsewhere.example", "sales@x.example", Team, Basic, Hidden},
}

func TestRules(t *testing.T) {
	operators := []jid.Bare{"op@x.example"}
	staff := []string{"x.example", "phones.example"}
	always := NewRules(Config{Roles: testRoles}, staff, operators, testGroups)
	own := NewRules(Config{Roles: testRoles, Audience: []Rule{
		{Selector{By: Self}, everybody, Full},
		{Selector{InRole, "auditor"}, everybody, Full},
		{everybody, Selector{OneJID, "boss@x.example"}, Hidden},
		{Selector{AtDomain, "elsewhere.example"}, everybody, Hidden},
		{Selector{By: Staff}, Selector{OfKind, "role"}, Full},
		{Selector{OneJID, "ada@x.example"}, Selector{InGroup, "Sales"}, Basic},
	}}, staff, operators, testGroups)
	for _, tt := range ruleTests {
		want := tt.own
		if tt.watcher == "ada@x.example" && tt.subject == "phone@phones.example" {
			want = Basic // she is named, and the phone is in Sales
		}
		if got := always.Level(tt.watcher, tt.subject, tt.kind); got != tt.always {
			t.Errorf("%s sees %s at %s, want %s", tt.watcher, tt.subject, got, tt.always)
		}
		if got := own.Level(tt.watcher, tt.subject, tt.kind); got != want {
			t.Errorf("with own rules %s sees %s at %s, want %s", tt.watcher, tt.subject, got, want)
		}
	}
	if got := own.Rule("ada@x.example", "boss@x.example", Person).Subjects; got != (Selector{OneJID, "boss@x.example"}) {
		t.Errorf("the rule that decided is one for %+v", got)
	}
}

// TestFirstRuleDecides has two rules that both fit.
func TestFirstRuleDecides(t *testing.T) {
	a, b := Rule{Selector{By: SameDomain}, everybody, Hidden}, Rule{Selector{OneJID, "a@x"}, everybody, Full}
	for _, tt := range []struct {
		rules []Rule
		want  Level
	}{{[]Rule{a, b}, Hidden}, {[]Rule{b, a}, Full}} {
		r := NewRules(Config{Audience: tt.rules}, nil, nil, groups{})
		if got := r.Level("a@x", "b@x", Person); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.rules, got, tt.want)
		}
	}
}

func TestRulesNeedNoMemory(t *testing.T) {
	r := NewRules(Config{Roles: testRoles}, []string{"x.example"}, nil, testGroups)
	n := testing.AllocsPerRun(100, func() { r.Level("eve@elsewhere.example", "ada@x.example", Person) })
	if n != 0 {
		t.Errorf("%v allocations for a look", n)
	}
}

func BenchmarkRules(b *testing.B) {
	r := NewRules(Config{Roles: testRoles}, []string{"x.example"}, nil, testGroups)
	for b.Loop() {
		r.Level("eve@elsewhere.example", "ada@x.example", Person)
	}
}
