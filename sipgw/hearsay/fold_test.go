package hearsay

import (
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/rich"
	"rollcall/sipgw/watcher"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }

var desk = &device.Device{ID: "2001", User: "2001", Name: "Desk", JID: "2001@phones.x", Upstream: "hq", Owner: "ada@x"}

// learned are words about the desk phone: of its calls, its presence, its registration.
func learned(words ...watcher.Word) *watcher.Learned {
	l := &watcher.Learned{Device: desk, PBX: "hq"}
	copy(l.Words[:], words)
	return l
}

var (
	unasked = watcher.Word{}
	asked   = watcher.Word{Standing: watcher.Asked}
	told    = watcher.Word{Standing: watcher.Told, Until: at(10)}
	lost    = watcher.Word{Standing: watcher.Lost, Until: at(-5)}
	blank   = watcher.Word{Standing: watcher.Blank, Until: at(10)}
	refused = watcher.Word{Standing: watcher.Refused}
	absent  = watcher.Word{Standing: watcher.Absent}
)

func calls(states ...dialoginfo.State) func(*watcher.Learned) {
	return func(l *watcher.Learned) {
		for _, s := range states {
			l.Calls = append(l.Calls, dialoginfo.Live{
				Dialog: dialoginfo.Dialog{State: s, Direction: dialoginfo.Recipient, Remote: dialoginfo.Party{Identity: "sip:bob@x"}}, Since: at(-1), Began: at(-1),
			})
		}
	}
}

func heard(state, show string, rule rich.Rule) func(*watcher.Learned) {
	return func(l *watcher.Learned) {
		l.Heard = &rich.Heard{State: state, Show: show, Rule: rule, Text: "till two"}
	}
}

var free = heard("available", "", rich.ByBasic)

func registered(l *watcher.Learned)   { l.Registered = true }
func unregistered(l *watcher.Learned) { l.Cause = "Logged off" }
func here(l *watcher.Learned)         { l.PBX = "" }

// tests say what is shown of the device, and of its owner, who has no other device and
// no client: at once, and after an hour of silence.
var tests = []struct {
	name                    string
	l                       *watcher.Learned
	change                  []func(*watcher.Learned)
	device, owner           string
	laterDevice, laterOwner string
}{
	{"its calls alone: none", learned(told), nil, "idle", "phone_only", "unknown", "offline"},
	{"its calls alone: one", learned(told), []func(*watcher.Learned){calls(dialoginfo.Confirmed)}, "on_call", "on_call", "unknown", "offline"},
	{"it rings", learned(told), []func(*watcher.Learned){calls(dialoginfo.Early)}, "ringing", "ringing", "unknown", "offline"},
	{"it rings during a call", learned(told), []func(*watcher.Learned){calls(dialoginfo.Early, dialoginfo.Confirmed)}, "on_call", "on_call", "unknown", "offline"},
	{"registered", learned(unasked, unasked, told), []func(*watcher.Learned){registered}, "idle", "phone_only", "unknown", "offline"},
	{"not registered", learned(unasked, unasked, told), []func(*watcher.Learned){unregistered}, "offline", "offline", "unknown", "offline"},
	{"not registered, and the PBX tells of its calls", learned(told, unasked, told), []func(*watcher.Learned){unregistered}, "offline", "offline", "unknown", "offline"},
	{"registered, in a call", learned(told, unasked, told), []func(*watcher.Learned){registered, calls(dialoginfo.Confirmed)}, "on_call", "on_call", "unknown", "offline"},
	{"open", learned(unasked, told), []func(*watcher.Learned){free}, "idle", "phone_only", "unknown", "offline"},
	{"closed", learned(unasked, told), []func(*watcher.Learned){heard("offline", "unavailable", rich.ByClosed)}, "offline", "offline", "unknown", "offline"},
	{"closed and busy", learned(unasked, told), []func(*watcher.Learned){heard("on_call", "dnd", rich.ByActivity)}, "on_call", "on_call", "unknown", "offline"},
	{"its calls say better than its presence", learned(told, told), []func(*watcher.Learned){heard("on_call", "dnd", rich.ByActivity)}, "idle", "phone_only", "unknown", "offline"},
	{"somebody has set do not disturb at it", learned(told, told), []func(*watcher.Learned){heard("dnd", "dnd", rich.ByActivity)}, "idle", "dnd", "unknown", "offline"},
	{"it is registered whatever its presence says", learned(unasked, told, told), []func(*watcher.Learned){registered, heard("offline", "unavailable", rich.ByClosed)}, "idle", "phone_only", "unknown", "offline"},
	{"the PBX tells of calls and of nothing else", learned(told, refused, absent), nil, "idle", "phone_only", "unknown", "offline"},
	{"it was not called, and is open", learned(blank, told), []func(*watcher.Learned){free}, "idle", "phone_only", "unknown", "offline"},
	{"it was not called, and is closed", learned(blank, told), []func(*watcher.Learned){heard("offline", "unavailable", rich.ByClosed)}, "offline", "offline", "unknown", "offline"},
	{"it was not called, and is registered", learned(blank, unasked, told), []func(*watcher.Learned){registered}, "idle", "phone_only", "unknown", "offline"},
	{"it was not called, and is open and busy", learned(blank, told), []func(*watcher.Learned){heard("on_call", "dnd", rich.ByActivity)}, "on_call", "on_call", "unknown", "offline"},
	{"nothing is to be told of it", learned(blank), nil, "unknown", "offline", "unknown", "offline"},
	{"nothing is to be told of it by any package", learned(blank, blank, blank), nil, "unknown", "offline", "unknown", "offline"},
	{"it has not registered, and is in no call", learned(told, blank), nil, "unknown", "offline", "unknown", "offline"},
	{"it has not registered, and is in a call", learned(told, blank), []func(*watcher.Learned){calls(dialoginfo.Confirmed)}, "on_call", "on_call", "unknown", "offline"},
	{"silent", learned(lost), nil, "unknown", "offline", "unknown", "offline"},
	{"its calls are not known any more", learned(lost, unasked, told), []func(*watcher.Learned){registered}, "unknown", "phone_only", "unknown", "offline"},
	{"its calls are not known any more, and it is not there", learned(lost, unasked, told), []func(*watcher.Learned){unregistered}, "offline", "offline", "unknown", "offline"},
	{"its presence is not known any more, and it is in a call", learned(told, lost), []func(*watcher.Learned){calls(dialoginfo.Confirmed)}, "on_call", "on_call", "unknown", "offline"},
	{"its presence is not known any more, and it is in none", learned(told, lost), nil, "unknown", "offline", "unknown", "offline"},
	{"the PBX does not tell us", learned(refused, refused), nil, "unknown", "offline", "unknown", "offline"},
	{"the PBX does not know it", learned(absent), nil, "unknown", "offline", "unknown", "offline"},
	{"there is no such PBX", learned(), []func(*watcher.Learned){func(l *watcher.Learned) { l.Lacks = "no such PBX" }}, "unknown", "offline", "unknown", "offline"},
	{"it is gone", learned(told), []func(*watcher.Learned){func(l *watcher.Learned) { l.Gone = true }}, "offline", "offline", "offline", "offline"},
	{"a phone here has a call", learned(told), []func(*watcher.Learned){here, calls(dialoginfo.Confirmed)}, "offline", "offline", "offline", "offline"}, // the registrar says that it is here
	{"a phone here does not tell any more", learned(lost), []func(*watcher.Learned){here}, "offline", "offline", "offline", "offline"},
}

func TestFold(t *testing.T) {
	cat := presence.DefaultCatalogue()
	for _, tt := range tests {
		for _, f := range tt.change {
			f(tt.l)
		}
		out, ok := fold(tt.l, now)
		if !ok {
			t.Errorf("%s: nothing is said", tt.name)
			continue
		}
		owner := append(cat.Onward(Source(tt.l)+"/2001", "Desk", out.device), out.direct...)
		for minutes, want := range map[int][2]string{1: {tt.device, tt.owner}, 60: {tt.laterDevice, tt.laterOwner}} {
			e := presence.Merge(desk.JID, presence.Device, out.device, cat, presence.Terms{}, at(minutes))
			o := presence.Merge(desk.Owner, presence.Person, owner, cat, presence.Terms{}, at(minutes))
			if e.State != want[0] || o.State != want[1] {
				t.Errorf("%s, after %d minutes: %s and %s, want %s\n%+v", tt.name, minutes, e.State, o.State, want, out.device)
			}
		}
	}
}

// Nothing is said of a device before everybody who was asked has answered.
func TestNotYet(t *testing.T) {
	for _, l := range []*watcher.Learned{learned(asked), learned(asked, told), learned(told, asked), learned(told, refused, asked)} {
		l.Heard = &rich.Heard{}
		if out, ok := fold(l, now); ok {
			t.Errorf("%+v", out)
		}
	}
}

func TestSource(t *testing.T) {
	l := learned(told)
	if Source(l) != "pbx/hq" {
		t.Error(Source(l))
	}
	here(l)
	if Source(l) != "dialog" {
		t.Error(Source(l))
	}
}
