package status

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/presence"
	"rollcall/presence/device"
	"rollcall/sipgw/dialoginfo"
	"rollcall/sipgw/registrar"
	"rollcall/sipgw/rich"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }

func here(id uint64, params string) *registrar.Binding {
	return &registrar.Binding{ID: id, AOR: "2001@phones.x", Params: params, Created: at(-int(id)), Expires: at(int(id))}
}

func failing(all ...registrar.Report) map[uint64]registrar.Report {
	m := map[uint64]registrar.Report{}
	for _, r := range all {
		m[r.Binding.ID] = r
	}
	return m
}

func report(id uint64, h registrar.Health, heard int) registrar.Report {
	return registrar.Report{Binding: here(id, ""), Health: h, Heard: at(heard)}
}

func call(s dialoginfo.State) []dialoginfo.Live {
	return []dialoginfo.Live{{Dialog: dialoginfo.Dialog{State: s, Direction: dialoginfo.Initiator}, Since: at(-3), Answered: at(-3)}}
}

// words writes what is said: source, axis, state, channels, minutes since noon, minutes
// until the end, cause.
func words(c presence.Contribution) string {
	since := "-"
	if !c.Since.IsZero() {
		since = fmt.Sprintf("%.0f", c.Since.Sub(noon).Minutes())
	}
	return strings.TrimSpace(fmt.Sprintf("%s %v %s [%v] %s..%.1f %s", c.Source, c.Axis, c.State, c.Channels, since, c.Expires.Sub(noon).Minutes(), c.Facets.Cause))
}

var foldTests = []struct {
	name   string
	facts  facts
	device []string
	direct []string
}{
	{"never seen", facts{lost: lost{cause: neverSeen}}, []string{
		"registrar reachability offline [none] -..43200.0 not registered",
	}, nil},
	{"gone", facts{lost: lost{at(-7), "registration expired"}}, []string{
		"registrar reachability offline [none] -7..43200.0 registration expired",
	}, nil},
	{"registered", facts{bindings: []*registrar.Binding{here(1, "")}}, []string{
		"registrar reachability idle [voice] -1..1.5",
	}, nil},
	{"registered twice, since the first, until the last", facts{bindings: []*registrar.Binding{here(5, ""), here(3, `;methods="INVITE, message"`)}}, []string{
		"registrar reachability idle [voice, text] -5..5.5",
	}, nil},
	{"slow", facts{bindings: []*registrar.Binding{here(1, "")}, failing: failing(report(1, registrar.Degraded, -1))}, []string{
		"registrar reachability idle [voice] -1..1.5",
		"qualifier health degraded [none] -..1.5 no answer",
	}, nil},
	{"slow, but another is well", facts{bindings: []*registrar.Binding{here(1, ""), here(2, "")}, failing: failing(report(1, registrar.Degraded, -1))}, []string{
		"registrar reachability idle [voice] -2..2.5",
	}, nil},
	{"silent", facts{bindings: []*registrar.Binding{here(1, "")}, failing: failing(report(1, registrar.Unreachable, -2))}, []string{
		"registrar reachability offline [none] -2..43200.0 does not answer",
	}, nil},
	{"one silent, one slow", facts{bindings: []*registrar.Binding{here(1, ""), here(2, "")}, failing: failing(report(1, registrar.Unreachable, -2), report(2, registrar.Degraded, -1))}, []string{
		"registrar reachability idle [voice] -2..2.5",
		"qualifier health degraded [none] -..2.5 no answer",
	}, nil},
	{"what is said of a binding that is no more", facts{lost: lost{at(-1), "unregistered"}, failing: failing(report(1, registrar.Unreachable, -2))}, []string{
		"registrar reachability offline [none] -1..43200.0 unregistered",
	}, nil},
	{"disabled", facts{device: &device.Device{Disabled: true}, lost: lost{at(-1), "removed by an operator"}}, []string{
		"registrar reachability offline [none] -1..43200.0 disabled",
	}, nil},
	{"elsewhere: others say whether it is there", facts{device: &device.Device{Upstream: "pbx"}, calls: call(dialoginfo.Confirmed)}, []string{
		"calls engagement on_call [none] -3..720.0",
	}, nil},
	{"calls of several sources", facts{
		bindings: []*registrar.Binding{here(1, "")}, calls: call(dialoginfo.Confirmed),
		papers: []paper{{source: "publish/1", expires: at(9), calls: call(dialoginfo.Early)}, {source: "publish/2", expires: at(9)}},
	}, []string{
		"registrar reachability idle [voice] -1..1.5",
		"publish/1 engagement dialing [none] -3..9.0",
		"calls engagement on_call [none] -3..720.0",
	}, nil},
	{"set at the phone", facts{bindings: []*registrar.Binding{here(1, "")}, papers: []paper{
		{source: "publish/1", expires: at(9), heard: &rich.Heard{State: "dnd", Show: "dnd", Rule: rich.ByActivity}},
	}}, []string{
		"registrar reachability idle [voice] -1..1.5",
	}, []string{"publish/1 willingness dnd [none] -..9.0"}},
	{"on the phone, says the phone", facts{bindings: []*registrar.Binding{here(1, "")}, papers: []paper{
		{source: "publish/1", expires: at(9), heard: &rich.Heard{State: "on_call", Show: "dnd", Rule: rich.ByActivity}},
	}}, []string{
		"registrar reachability idle [voice] -1..1.5",
		"publish/1 engagement on_call [none] -..9.0",
	}, nil},
	{"nothing set", facts{bindings: []*registrar.Binding{here(1, "")}, papers: []paper{
		{source: "publish/1", expires: at(9), heard: &rich.Heard{State: "available", Rule: rich.ByBasic}},
		{source: "publish/2", expires: at(9), heard: &rich.Heard{State: "offline", Show: "unavailable", Rule: rich.ByClosed}},
		{source: "publish/3", expires: at(9), heard: &rich.Heard{State: "available", Rule: rich.ByShow}},
	}}, []string{
		"registrar reachability idle [voice] -1..1.5",
	}, nil},
}

func TestFold(t *testing.T) {
	for _, test := range foldTests {
		f := test.facts
		if f.device == nil {
			f.device = &device.Device{}
		}
		out := fold(&f, noon)
		var got, direct []string
		for _, s := range out.device {
			for _, c := range s.all {
				if c.Source != s.source {
					t.Errorf("%s: %s is reported by %s", test.name, c.Source, s.source)
				}
				got = append(got, words(c))
			}
		}
		for _, c := range out.direct {
			direct = append(direct, words(c))
		}
		if !slices.Equal(got, test.device) || !slices.Equal(direct, test.direct) {
			t.Errorf("%s: the device\n\t%q, and its owner %q, and not\n\t%q, and %q", test.name, got, direct, test.device, test.direct)
		}
		if len(out.owner) != len(out.device) {
			t.Errorf("%s: %d of %d go on to the owner", test.name, len(out.owner), len(out.device))
		}
	}
}
