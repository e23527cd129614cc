package call

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/sipgw/transport"
)

// What is decided, one line for each thing that happens: what, and what is to be done.
// "0=180" is that branch 0 answers 180.
func TestFanout(t *testing.T) {
	for _, tt := range []struct {
		name   string
		kind   string
		groups []int
		want   string
	}{
		{"one answers", "INVITE", []int{1}, `start: begin 0; 0=180: relay; 0=200: relay`},
		{"a 2xx again, and another", "INVITE", []int{1}, `start: begin 0; 0=200: relay; 0=200: relay`},
		{"busy", "INVITE", []int{1}, `start: begin 0; 0=486: final 486`},
		{"nobody to ask", "INVITE", nil, `start: final 480`},
		{"one of three answers", "INVITE", []int{3}, `start: begin 0 1 2; 0=180: relay; 2=180: relay; 2=200: relay, cancel 0 1; 0=487: ; 1=200: relay`},
		{"the others are cancelled, and ring on", "INVITE", []int{2}, `start: begin 0 1; 0=200: relay, cancel 1; 1=180: `},
		{"a decline speaks for all", "INVITE", []int{2, 1}, `start: begin 0 1; 0=603: cancel 1; 1=487: final 603`},
		{"and a 2xx that crosses it is not lost", "INVITE", []int{2}, `start: begin 0 1; 0=603: cancel 1; 1=200: relay`},
		{"the second group is tried when all of the first have failed", "INVITE", []int{2, 1}, `start: begin 0 1; 0=486: ; 1=480: begin 2; 2=404: final 486`},
		{"or have been tried for long enough", "INVITE", []int{1, 1}, `start: begin 0; 0=180: relay; overdue: cancel 0, begin 1; 0=487: ; overdue: ; 1=200: relay`},
		{"and answer at that moment", "INVITE", []int{1, 1}, `start: begin 0; overdue: cancel 0, begin 1; 0=200: relay, cancel 1; 1=487: `},
		{"the caller gives up", "INVITE", []int{2, 1}, `start: begin 0 1; cancel: cancel 0 1; cancel: ; 0=180: ; 0=486: ; 1=487: final 487`},
		{"and somebody answers at that moment", "INVITE", []int{1}, `start: begin 0; cancel: cancel 0; 0=200: relay; cancel: `},
		{"too late to give up", "INVITE", []int{1}, `start: begin 0; 0=200: relay; cancel: ; expire: `},
		{"nobody answers for ten minutes", "INVITE", []int{1, 1}, `start: begin 0; expire: cancel 0; 0=487: final 408`},
		{"487 is not heard before the others", "INVITE", []int{2}, `start: begin 0 1; 0=487: ; 1=404: final 404`},
		{"no answer says less than busy", "INVITE", []int{3}, `start: begin 0 1 2; 0=408: ; 1=486: ; 2=480: final 486`},
		{"the lowest class", "INVITE", []int{3}, `start: begin 0 1 2; 0=500: ; 1=404: ; 2=302: final 302`},
		{"what the caller can do something about", "INVITE", []int{3}, `start: begin 0 1 2; 0=486: ; 1=415: ; 2=480: final 415`},
		{"a challenge is worth more", "INVITE", []int{2}, `start: begin 0 1; 0=415: ; 1=407: final 407`},
		{"503 is not ours to say", "INVITE", []int{1}, `start: begin 0; 0=503: final 500`},
		{"an answer of a branch that has ended", "INVITE", []int{2}, `start: begin 0 1; 0=486: ; 0=486: ; 0=180: ; 1=480: final 486`},

		{"a message", "MESSAGE", []int{2}, `start: begin 0 1; 0=200: relay; 1=200: `},
		{"is for one, and others fail", "MESSAGE", []int{2}, `start: begin 0 1; 0=480: ; 1=202: relay`},
		{"that nobody answers", "MESSAGE", []int{2}, `start: begin 0 1; 0=408: ; 1=408: silent`},
		{"is not cancelled", "MESSAGE", []int{2}, `start: begin 0 1; 0=603: ; 1=200: relay`},
	} {
		f := newFanout(tt.kind == "INVITE", tt.groups)
		var got []string
		for _, line := range strings.Split(tt.want, "; ") {
			what, _, _ := strings.Cut(line, ":")
			got = append(got, what+": "+happen(f, what).String())
		}
		if g := strings.Join(got, "; "); g != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, g, tt.want)
		}
	}
}

func happen(f *fanout, what string) step {
	switch what {
	case "start":
		return f.start()
	case "cancel":
		return f.cancel()
	case "overdue":
		return f.overdue()
	case "expire":
		return f.expire()
	}
	var branch, status int
	fmt.Sscanf(what, "%d=%d", &branch, &status)
	switch {
	case status < 200:
		return f.provisional(branch)
	case status < 300:
		return f.success(branch)
	}
	return f.failure(branch, answer{status: status})
}

// String writes a step as the tests do.
func (s step) String() string {
	var parts []string
	list := func(what string, numbers []int) {
		if len(numbers) > 0 {
			parts = append(parts, what+" "+strings.Trim(fmt.Sprint(numbers), "[]"))
		}
	}
	if s.relay {
		parts = append(parts, "relay")
	}
	list("cancel", s.cancel)
	var begun []int
	for i := range s.begin {
		begun = append(begun, s.first+i)
	}
	list("begin", begun)
	if s.final.status != 0 {
		parts = append(parts, fmt.Sprint("final ", s.final.status))
	}
	if s.silent {
		parts = append(parts, "silent")
	}
	return strings.Join(parts, ", ")
}

// RFC 3261 §16.7 step 7: the challenges of all branches go into one.
func TestChallengesAreGathered(t *testing.T) {
	f := newFanout(true, []int{3})
	f.start()
	read := func(text string) answer {
		res, err := transport.ParseResponse([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		return answer{status: res.Status(), res: res}
	}
	const rest = "Via: SIP/2.0/UDP a;branch=z9hG4bK1\nFrom: <sip:a@x>;tag=1\nTo: <sip:b@x>;tag=2\nCall-ID: 1\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
	f.failure(0, read("SIP/2.0 407 P\nProxy-Authenticate: Digest realm=\"a\"\n"+rest))
	f.failure(1, answer{status: 486})
	s := f.failure(2, read("SIP/2.0 401 U\nWWW-Authenticate: Digest realm=\"b\"\nWWW-Authenticate: Digest realm=\"c\"\n"+rest))
	if s.final.status != 407 || len(f.asks) != 3 || f.asks[0].Value != `Digest realm="a"` || f.asks[2].Name != "WWW-Authenticate" {
		t.Errorf("%+v %+v", s.final, f.asks)
	}
}
