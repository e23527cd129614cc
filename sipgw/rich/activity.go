package rich

import (
	"strings"

	"rollcall/sipgw/pidf"
)

// meaning is what an activity of RPID comes to.
type meaning struct {
	does     pidf.Activities
	state    string // an id of the catalogue
	show     string
	activity string // of XEP-0108
	words    string // what is said where the state has no words for it
}

// meanings are in order of what counts most, for documents that say several things
// at once. XEP-0108 §2 has the activities; the shows and states are ours.
var meanings = []meaning{
	{pidf.PermanentAbsence, "offline", unavailable, "", ""},
	{pidf.OnThePhone, "on_call", "dnd", "talking/on_the_phone", ""},
	{pidf.DND, "dnd", "dnd", "", ""},
	{pidf.Presentation | pidf.Performance, "presenting", "dnd", "working/other", ""},
	{pidf.Meeting, "meeting", "dnd", "working/in_a_meeting", ""},
	{pidf.Busy, "dnd", "dnd", "", ""},
	{pidf.Vacation, "off_duty", "xa", "inactive/on_vacation", "On vacation"},
	{pidf.Holiday, "off_duty", "xa", "inactive/scheduled_holiday", "Holiday"},
	{pidf.Sleeping, "long_idle", "xa", "inactive/sleeping", "Asleep"},
	{pidf.Travel, "long_idle", "xa", "traveling/on_a_trip", "Travelling"},
	{pidf.Lunch, "lunch", "away", "eating/having_lunch", ""},
	{pidf.Breakfast, "break", "away", "eating/having_breakfast", "Breakfast"},
	{pidf.Dinner, "break", "away", "eating/having_dinner", "Dinner"},
	{pidf.Meal, "break", "away", "eating", "At a meal"},
	{pidf.Appointment, "custom:appointment", "away", "having_appointment", "Appointment"},
	{pidf.Steering, "custom:steering", "away", "traveling/driving", "Driving"},
	{pidf.InTransit, "custom:in-transit", "away", "traveling", "On the way"},
	{pidf.LookingForWork, "custom:looking-for-work", "away", "relaxing/other", "Looking for work"},
	{pidf.Playing, "custom:playing", "away", "relaxing/gaming", "Playing"},
	{pidf.Shopping, "custom:shopping", "away", "relaxing/shopping", "Shopping"},
	{pidf.Spectator, "custom:spectator", "away", "relaxing/going_out", "At an event"},
	{pidf.TV, "custom:tv", "away", "relaxing/watching_tv", "Watching TV"},
	{pidf.Worship, "custom:worship", "away", "inactive/praying", "At worship"},
	{pidf.Unavailable, "offline", unavailable, "", ""},
	{pidf.Away, "idle", "away", "", ""},
	{pidf.Alerting, "ringing", "", "", ""},
	{pidf.Working, "active", "", "working", ""},
	{pidf.Available, "available", "", "", ""},
}

const unavailable = "unavailable"

// meaningOf returns the strongest of what is in the set; nil if nothing in it means
// a state: other, unknown.
func meaningOf(does pidf.Activities) *meaning {
	for i := range meanings {
		if does.Has(meanings[i].does) {
			return &meanings[i]
		}
	}
	return nil
}

// Activity returns what an activity of RPID is in XEP-0108: "eating/having_lunch",
// "traveling"; "" if it is availability, which XMPP says with show.
func Activity(does pidf.Activities) string {
	if m := meaningOf(does); m != nil {
		return m.activity
	}
	return ""
}

// RPID returns what an activity of XEP-0108 is in RPID, or 0. A specific activity
// that RPID does not know falls back to its general one.
func RPID(activity string) pidf.Activities {
	for i := range meanings {
		if meanings[i].activity == activity && activity != "" && activity != "working/other" {
			does := meanings[i].does
			return does & -does // the first of several
		}
	}
	general, _, _ := strings.Cut(activity, "/")
	switch general {
	case "":
		return 0
	case "having_appointment":
		return pidf.Appointment
	case "eating":
		return pidf.Meal
	case "traveling":
		return pidf.InTransit
	case "working":
		return pidf.Working
	case "talking", "doing_chores", "drinking", "exercising", "grooming", "inactive", "relaxing":
		return pidf.Other
	}
	return 0
}

// ShowRPID returns the activity for a show of XMPP. engaged is the activity of what
// the person is engaged in, 0 if nothing, which says more than busy does.
func ShowRPID(show string, engaged pidf.Activities) pidf.Activities {
	if engaged != 0 {
		return engaged
	}
	switch show {
	case "away", "xa":
		return pidf.Away
	case "dnd":
		return pidf.Busy
	}
	return 0
}

// Priority maps the priority of a resource to that of a contact: 0 is 0, 127 is 1,
// and each step between is another value. A negative one must not be mapped (RFC
// 8048 §5.2).
func Priority(p int8) pidf.Priority {
	if p < 0 {
		return pidf.NoPriority
	}
	return pidf.Thousandths(int(p) * 1000 / 127)
}

// ResourcePriority is Priority the other way; a contact without one counts as 0.
func ResourcePriority(p pidf.Priority) int8 {
	n, ok := p.Thousandths()
	if !ok {
		return 0
	}
	return int8((n*127 + 500) / 1000)
}
