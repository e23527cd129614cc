package address

import (
	"strings"
	"testing"

	"rollcall/xmpp/stanza"
)

// RFC 7247 §7.1, Table 2.
func TestStatus(t *testing.T) {
	tests := []struct {
		condition  stanza.Condition
		full, bare int
	}{
		{"bad-request", 400, 400},
		{"conflict", 400, 400},
		{"feature-not-implemented", 405, 501},
		{"forbidden", 403, 603},
		{"gone", 410, 410},
		{"internal-server-error", 500, 500},
		{"item-not-found", 404, 604},
		{"jid-malformed", 400, 400},
		{"not-acceptable", 406, 606},
		{"not-allowed", 403, 403},
		{"not-authorized", 401, 401},
		{"policy-violation", 403, 403},
		{"recipient-unavailable", 480, 600},
		{"redirect", 302, 302},
		{"registration-required", 407, 407},
		{"remote-server-not-found", 404, 404},
		{"remote-server-timeout", 408, 408},
		{"resource-constraint", 500, 500},
		{"service-unavailable", 403, 403},
		{"subscription-required", 400, 400},
		{"undefined-condition", 400, 400},
		{"unexpected-request", 491, 491},
		{"a-new-one", 400, 400},
	}
	for _, tt := range tests {
		if got := Status(tt.condition, true, false); got != tt.full {
			t.Errorf("%s, full: %d, want %d", tt.condition, got, tt.full)
		}
		if got := Status(tt.condition, false, false); got != tt.bare {
			t.Errorf("%s, bare: %d, want %d", tt.condition, got, tt.bare)
		}
	}
	if len(tests)-1 != len(codes) {
		t.Errorf("%d conditions, %d codes", len(tests)-1, len(codes))
	}
	if got := Status("gone", true, true); got != 301 {
		t.Errorf("gone, and where to: %d", got)
	}
}

// RFC 7247 §7.2, Table 3.
func TestCondition(t *testing.T) {
	for want, statuses := range map[stanza.Condition][]int{
		"redirect":                {300, 302, 305, 399},
		"gone":                    {301, 410},
		"not-acceptable":          {380, 406, 415, 416, 421, 482, 483, 488, 505, 606},
		"bad-request":             {400, 402, 493, 411, 499},
		"not-authorized":          {401},
		"forbidden":               {403},
		"item-not-found":          {404, 481, 484, 485, 604},
		"feature-not-implemented": {405, 420, 439, 501},
		"registration-required":   {407},
		"remote-server-timeout":   {408, 504},
		"policy-violation":        {413, 414, 440, 489, 513},
		"resource-constraint":     {423},
		"recipient-unavailable":   {430, 480, 486, 487, 600, 603, 699},
		"unexpected-request":      {491},
		"internal-server-error":   {500, 503, 599, 0, 700},
		"remote-server-not-found": {502},
	} {
		for _, s := range statuses {
			if got := Condition(s); got != want {
				t.Errorf("%d: %s, want %s", s, got, want)
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	e := Refusal(486, " Busy\r\nHere\x00 ")
	if e.Condition != "recipient-unavailable" || e.Text != "Busy  Here" {
		t.Errorf("%+v", e)
	}
	if s := Reason(strings.Repeat("ü", 300)); len(s) != 200 || strings.Contains(s, "\uFFFD") {
		t.Error(len(s))
	}
	if s := Reason("a" + strings.Repeat("ü", 300)); len(s) != 199 {
		t.Error(len(s))
	}
	if s := Reason("a\xff"); s != "a\uFFFD" {
		t.Errorf("%q", s)
	}
}
