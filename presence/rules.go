package presence

// Rule is an entry of [Config.Audience].
type Rule struct{}

// RoleHolders says who has a role.
type RoleHolders struct{}
