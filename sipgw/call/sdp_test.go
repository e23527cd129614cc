package call

import (
	"strings"
	"testing"
)

func TestPlays(t *testing.T) {
	const head = "v=0\no=- 1 1 IN IP4 192.0.2.7\ns=-\n"
	for _, tt := range []struct {
		name, sdp string
		want      string
	}{
		{"a call", head + "c=IN IP4 192.0.2.7\nt=0 0\nm=audio 4000 RTP/AVP 0\n", "plays"},
		{"said", "c=IN IP4 192.0.2.7\nm=audio 4000 RTP/AVP 0\na=sendrecv\n", "plays"},
		{"held", "c=IN IP4 192.0.2.7\nm=audio 4000 RTP/AVP 0\na=sendonly\n", "mute"},
		{"held by both", "c=IN IP4 192.0.2.7\nm=audio 4000 RTP/AVP 0\na=inactive\n", "mute"},
		{"the other end of hold", "c=IN IP4 192.0.2.7\nm=audio 4000 RTP/AVP 0\na=recvonly\n", "plays"},
		{"for the whole session", "c=IN IP4 192.0.2.7\na=sendonly\nm=audio 4000 RTP/AVP 0\n", "mute"},
		{"but not for this", "c=IN IP4 192.0.2.7\na=inactive\nm=audio 4000 RTP/AVP 0\na=sendrecv\n", "plays"},
		{"as before RFC 3264", "c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\n", "mute"},
		{"in the medium", "c=IN IP4 192.0.2.7\nm=audio 4000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", "mute"},
		{"not in the medium", "c=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\nc=IN IP4 192.0.2.7\n", "plays"},
		{"one of several addresses", "m=audio 4000/2 RTP/AVP 0\nc=IN IP4 0.0.0.0\nc=IN IP4 192.0.2.7/127\n", "plays"},
		{"by IPv6", "c=IN IP6 ::\nm=audio 4000 RTP/AVP 0\n", "mute"},
		{"sound counts, pictures do not", "m=audio 4000 RTP/AVP 0\na=sendonly\nm=video 4002 RTP/AVP 96\n", "mute"},
		{"pictures alone do", "m=video 4002 RTP/AVP 96\na=inactive\n", "mute"},
		{"and when sound is off", "m=audio 0 RTP/AVP 0\na=sendrecv\nm=video 4002 RTP/AVP 96\na=sendonly\n", "mute"},
		{"one of two", "m=audio 4000 RTP/AVP 0\na=inactive\nm=audio 4002 RTP/AVP 0\n", "plays"},
		{"carriage returns", "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", "mute"},
		{"what is off says nothing", "m=audio 0 RTP/AVP 0\n", ""},
		{"nothing", "", ""},
		{"no medium", head + "a=sendonly\n", ""},
		{"nonsense", "sendonly", ""},
		{"lines without a value", "m\n=\n\n", ""},
		{"too long", "m=audio 4000 RTP/AVP 0\n" + strings.Repeat("a=x\n", maxSDPLines), ""},
		{"too large", "m=audio 4000 RTP/AVP 0\na=" + strings.Repeat("x", maxSDP), ""},
	} {
		playing, known := plays([]byte(tt.sdp))
		got := map[[2]bool]string{{true, true}: "plays", {false, true}: "mute", {false, false}: ""}[[2]bool{playing, known}]
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A description that is read twice says the same, and what stands behind it does not
// undo that it could be read.
func FuzzPlays(f *testing.F) {
	f.Add([]byte("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 1 RTP/AVP 0\r\na=sendonly\r\n"))
	f.Add([]byte("m=video 1 x\nm=audio 0 x\nc=IN IP6 ::\na=inactive"))
	f.Fuzz(func(t *testing.T, sdp []byte) {
		playing, known := plays(sdp)
		if playing && !known {
			t.Error("it plays, and nobody knows")
		}
		lines := strings.Count(string(sdp), "\n") + 1
		if !known || len(sdp) > maxSDP-64 || lines > maxSDPLines-4 {
			return
		}
		// Another medium of sound that plays makes it play.
		if p, k := plays([]byte(string(sdp) + "\r\nm=audio 9 x\r\nc=IN IP4 192.0.2.1\r\na=sendrecv\r\n")); !p || !k {
			t.Errorf("%v %v with one that plays", p, k)
		}
	})
}
