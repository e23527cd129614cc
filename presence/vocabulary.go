package presence

import (
	"slices"
	"strings"
)

// rpidActivities are those of RFC 4480 §3.2, and lunch, which its text has and its
// schema does not.
var rpidActivities = []string{
	"appointment", "away", "breakfast", "busy", "dinner", "holiday", "in-transit", "looking-for-work", "lunch", "meal",
	"meeting", "on-the-phone", "other", "performance", "permanent-absence", "playing", "presentation", "shopping",
	"sleeping", "spectator", "steering", "travel", "tv", "unknown", "vacation", "working", "worship",
}

// generalActivities are the general ones of XEP-0108 §3.
var generalActivities = []string{
	"doing_chores", "drinking", "eating", "exercising", "grooming", "having_appointment", "inactive", "relaxing",
	"talking", "traveling", "undefined", "working",
}

func checkRPID(s string) (what, remedy string) {
	if !slices.Contains(rpidActivities, s) {
		return "not an activity of RFC 4480", "write one of " + strings.Join(rpidActivities, ", ")
	}
	return "", ""
}

// checkActivity takes a general activity, or one and a specific one. Specific ones
// are only looked at for their spelling, since there are many.
func checkActivity(s string) (what, remedy string) {
	general, specific, both := strings.Cut(s, "/")
	bad := strings.ContainsFunc(specific, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') })
	if !slices.Contains(generalActivities, general) || bad || both == (specific == "") {
		return "not an activity of XEP-0108", `write "working" or "working/in_a_meeting"; first comes one of ` + strings.Join(generalActivities, ", ")
	}
	return "", ""
}
