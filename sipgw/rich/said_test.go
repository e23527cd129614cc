package rich

import "testing"

func TestPersonal(t *testing.T) {
	for _, c := range []struct {
		h                Heard
		personal, inCall bool
	}{
		{Heard{State: "meeting", Rule: ByActivity}, true, false},
		{Heard{State: "on_call", Rule: ByActivity}, false, true},
		{Heard{State: "ringing", Rule: ByActivity}, false, true},
		{Heard{State: "available", Rule: ByShow}, false, false},
		{Heard{State: "offline", Rule: ByShow}, false, false},
		{Heard{State: "dnd", Rule: ByBasic}, false, false},
		{Heard{State: "dnd", Rule: ByClosed}, false, false},
	} {
		if c.h.Personal() != c.personal || c.h.InCall() != c.inCall {
			t.Errorf("%+v is personal: %v, in a call: %v", c.h, c.h.Personal(), c.h.InCall())
		}
	}
}
