package presence

import (
	"slices"

	"rollcall/xmpp/jid"
)

// Selection is how a [Selector] selects.
type Selection uint8

// The selections. Those without a name are for watchers alone, but for everybody.
const (
	Everybody  Selection = iota
	Self                 // the subject
	SameGroup            // whoever has a shared group in common with the subject
	SameDomain           // whoever is at the subject's domain
	Staff                // all with an account here
	InGroup              // a shared group, by its name
	AtDomain             // a domain
	InRole               // a role, for watchers
	OneJID               // one address
	OfKind               // a kind, for subjects: "device"
)

var selections = []string{"everybody", "self", "same_group", "same_domain", "staff", "group", "domain", "role", "jid", "kind"}

// String returns the word of the configuration: "everybody", "group".
func (s Selection) String() string { return selections[s] }

// ParseSelection returns the selection with that word.
func ParseSelection(s string) (by Selection, ok bool) {
	i := slices.Index(selections, s)
	return Selection(max(i, 0)), i >= 0
}

// Named reports whether it needs a name.
func (s Selection) Named() bool { return s >= InGroup }

// Selector selects watchers or subjects.
type Selector struct {
	By   Selection
	Name string // of the group, domain, role, address or kind
}

// Rule gives watchers a level for subjects.
type Rule struct {
	Watchers, Subjects Selector
	Level              Level
}

// RoleHolders says who has a role.
type RoleHolders struct {
	Role     string
	Accounts []jid.Bare
	Groups   []string // names of shared groups, all of whose members have it
}

// Roles that the rules which always hold speak of.
const (
	RoleSupervisor = "supervisor"
	RoleDispatcher = "dispatcher"
	RoleOperator   = "operator"
)

var everybody = Selector{By: Everybody}

// lastRules always hold, after those of the operator.
var lastRules = []Rule{
	{Selector{By: Self}, everybody, Full},
	{Selector{InRole, RoleOperator}, Selector{OfKind, "device"}, Full},
	{Selector{InRole, RoleSupervisor}, Selector{OfKind, "device"}, Full},
	{Selector{InRole, RoleDispatcher}, Selector{OfKind, "device"}, Full},
	{Selector{InRole, RoleSupervisor}, everybody, Detail},
	{Selector{InRole, RoleDispatcher}, everybody, Detail},
	{Selector{By: Staff}, Selector{OfKind, "device"}, Status},
	{Selector{By: SameGroup}, everybody, Detail},
	{Selector{By: SameDomain}, everybody, Status},
	{everybody, everybody, Basic},
}

// Members knows who is in which shared groups. It is asked for each decision, so it
// is to be quick.
type Members interface {
	// InGroup reports whether somebody is in the group of that name.
	InGroup(who jid.Bare, group string) bool

	// ShareGroup reports whether two are in one group.
	ShareGroup(a, b jid.Bare) bool
}

// Rules say how much a watcher sees of a subject. That is an upper bound: who has no
// subscription, or is blocked, sees nothing all the same. They never change, so
// anybody may read them. What they say stays the same until they or the groups are
// replaced.
type Rules struct {
	list    []Rule
	roles   []RoleHolders
	staff   []string
	members Members
}

// NewRules returns the rules of a configuration, and after them those that always
// hold. staff are the domains where everybody with an account belongs to the
// organisation: those of guests are not among them. Whoever runs the server gets the
// operator's role by being among the operators.
func NewRules(cfg Config, staff []string, operators []jid.Bare, members Members) *Rules {
	return &Rules{
		list:    slices.Concat(cfg.Audience, lastRules),
		roles:   append(slices.Clone(cfg.Roles), RoleHolders{Role: RoleOperator, Accounts: operators}),
		staff:   staff,
		members: members,
	}
}

// Level returns how much a watcher may see of a subject of some kind.
func (r *Rules) Level(watcher jid.Bare, subject Subject, kind Kind) Level {
	return r.Rule(watcher, subject, kind).Level
}

// Rule returns the rule that decides: the first that fits.
func (r *Rules) Rule(watcher jid.Bare, subject Subject, kind Kind) Rule {
	for i := range r.list {
		rule := &r.list[i]
		if r.selects(rule.Subjects, subject, subject, kind) && r.selects(rule.Watchers, watcher, subject, kind) {
			return *rule
		}
	}
	return Rule{Level: Hidden} // the last rule fits everybody
}

// selects reports whether a selector means somebody: the watcher of a subject, or the
// subject itself.
func (r *Rules) selects(s Selector, who jid.Bare, subject Subject, kind Kind) bool {
	switch s.By {
	case Everybody:
		return true
	case Self:
		return who == subject
	case SameGroup:
		return r.members.ShareGroup(who, subject)
	case SameDomain:
		return who.Domain() == subject.Domain()
	case Staff:
		return slices.Contains(r.staff, who.Domain())
	case InGroup:
		return r.members.InGroup(who, s.Name)
	case AtDomain:
		return who.Domain() == s.Name
	case InRole:
		return r.HasRole(who, s.Name)
	case OneJID:
		return who == jid.Bare(s.Name)
	}
	return kind.String() == s.Name
}

// HasRole reports whether somebody has a role, such as [RoleOperator].
func (r *Rules) HasRole(who jid.Bare, role string) bool {
	for i := range r.roles {
		h := &r.roles[i]
		if h.Role != role {
			continue
		}
		if slices.Contains(h.Accounts, who) {
			return true
		}
		for _, g := range h.Groups {
			if r.members.InGroup(who, g) {
				return true
			}
		}
	}
	return false
}
