package presence

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestQuick(t *testing.T) {
	cs := []Contribution{
		{Source: "client/desk", Axis: Willingness, State: "available", Channels: Chat, Since: noon, Expires: noon.Add(time.Hour), Facets: Facets{Text: "back"}},
		{Source: "phone/2001", Axis: Engagement, State: "on_call", Since: noon, Expires: noon.Add(time.Hour)},
		{Source: "phone/2001", Axis: Reachability, State: "phone_only", Channels: Voice, Since: noon, Expires: noon.Add(time.Hour)},
	}
	e := Merge("a@x", Person, cs, DefaultCatalogue(), Terms{}, noon)
	if e.State != "on_call" || !e.Engaged || e.Channels != Chat|Voice {
		t.Errorf("%+v", e)
	}
}

func BenchmarkMerge(b *testing.B) {
	cs := []Contribution{
		{Source: "client/desk", Axis: Willingness, State: "available", Channels: Chat, Since: noon, Expires: noon.Add(time.Hour), Facets: Facets{Text: "back"}},
		{Source: "phone/2001", Axis: Engagement, State: "on_call", Since: noon, Expires: noon.Add(time.Hour)},
		{Source: "phone/2001", Axis: Reachability, State: "phone_only", Channels: Voice, Since: noon, Expires: noon.Add(time.Hour)},
	}
	cat := DefaultCatalogue()
	b.ReportAllocs()
	for b.Loop() {
		Merge("a@x", Person, cs, cat, Terms{}, noon)
	}
}
