package entitytime

import (
	"testing"
	"time"
)

func TestTell(t *testing.T) {
	at := time.Date(2006, 12, 19, 17, 58, 35, 999_999_999, time.UTC)
	for offset, tzo := range map[int]string{
		0:                 "+00:00",
		-6 * 3600:         "-06:00", // the example of XEP-0202 §3
		5*3600 + 30*60:    "+05:30",
		-(3*3600 + 30*60): "-03:30",
		14 * 3600:         "+14:00",
		-1800:             "-00:30",
		-(4*3600 + 46):    "-04:00",
		59:                "+00:00",
	} {
		got := string(tell(at.In(time.FixedZone("", offset))))
		want := "<time xmlns='urn:xmpp:time'><tzo>" + tzo + "</tzo><utc>2006-12-19T17:58:35Z</utc></time>"
		if got != want {
			t.Errorf("offset %d:\n got %s\nwant %s", offset, got, want)
		}
	}
}
