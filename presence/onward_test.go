package presence

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnward(t *testing.T) {
	cat := DefaultCatalogue()
	tests := []struct{ device, person string }{
		{"idle", "phone_only"}, {"degraded", "phone_only"}, {"on_call", "on_call"}, {"conference", "conference"}, {"on_hold", "on_hold"},
		{"ringing", "ringing"}, {"dialing", "dialing"}, {"emergency", "on_call"}, {"offline", "offline"},
		{"alarm", ""}, {"maintenance", ""}, {"locked", ""}, {"fault", ""}, {"paging", ""}, {"unknown", ""}, {"sleepy", ""},
	}
	if got := len(cat.States(Device)); got != len(tests)-1 {
		t.Errorf("%d states of devices, %d are tried", got, len(tests)-1)
	}
	for _, tt := range tests {
		out := cat.Onward("phone/2001", "Desk phone", []Contribution{said("line/1", tt.device, with("Bob"), by(Voice))})
		switch {
		case tt.person == "" && len(out) == 0:
		case len(out) != 1 || out[0].State != tt.person || out[0].Source != "phone/2001" || out[0].Facets.Device != "Desk phone" || out[0].Facets.Counterpart != "Bob":
			t.Errorf("%s: %+v, want %q", tt.device, out, tt.person)
		}
	}
	silent := []Contribution{said("upstream", "on_call", lapse("unknown")), said("registrar", "idle", lapse("offline"), by(Voice)), said("way", "", by(Text))}
	want := []Contribution{
		said("phone/1", "on_call", func(c *Contribution) { c.Axis = Willingness }, on("P")),
		said("phone/1", "phone_only", func(c *Contribution) { c.Axis = Willingness }, on("P"), lapse("offline"), by(Voice)),
		said("phone/1", "", func(c *Contribution) { c.Axis = Willingness }, on("P"), by(Text)),
	}
	if diff := cmp.Diff(want, cat.Onward("phone/1", "P", silent)); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
	slow := func(c *Contribution) { c.Axis = Health }
	out := cat.Onward("phone/1", "P", []Contribution{said("registrar", "idle", by(Voice)), said("qualifier", "degraded", slow)})
	if len(out) != 1 || out[0].Axis == Health {
		t.Errorf("a phone that answers slowly is another state of its owner: %+v", out)
	}
}

func TestTeam(t *testing.T) {
	cat := DefaultCatalogue()
	member := func(cs ...Contribution) *Effective { return Merge("m@x", Person, cs, cat, Terms{}, at(5)) }
	free, engaged := member(desk, phone), member(desk, phone, onCall)
	chats, pause, gone := member(desk), member(desk, phone, said("manual", "break")), member()
	rings := member(desk, phone, said("phone/2001", "ringing"))
	tests := []struct {
		members []*Effective
		state   string
		text    string
	}{
		{nil, "offline", "0/0"},
		{[]*Effective{gone, nil}, "offline", "0/2"},
		{[]*Effective{engaged, pause, chats}, "busy", "0/3"},
		{[]*Effective{engaged, free, gone}, "short", "1/3"},
		{[]*Effective{rings, free, engaged}, "ready", "2/3"},
	}
	for _, tt := range tests {
		c := cat.Team("members", tt.members, 2, at(9))
		if c.State != tt.state || c.Facets.Text != tt.text || !c.Expires.Equal(at(9)) {
			t.Errorf("%+v, want %s %s", c, tt.state, tt.text)
		}
		e := Merge("team@x", Team, []Contribution{c}, cat, Terms{}, at(5))
		if e.State != tt.state {
			t.Errorf("merged it is %s, want %s", e.State, tt.state)
		}
	}
}
