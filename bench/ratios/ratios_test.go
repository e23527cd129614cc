package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const runs = `
{"label":"rollcall/pinned/chat-saturated","server_cpu_us_per_delivery":6,"ok":true}
{"label":"rollcall/pinned/chat-saturated","server_cpu_us_per_delivery":4,"ok":true}
{"label":"rollcall/pinned/chat-saturated","server_cpu_us_per_delivery":1,"ok":false}
{"label":"prosody/pinned/chat-saturated","server_cpu_us_per_delivery":50,"ok":true}
{"label":"ejabberd/pinned/chat-saturated","server_cpu_us_per_delivery":100,"ok":true}
{"label":"null/pinned/chat-saturated","server_cpu_us_per_delivery":2.5,"ok":true}
xmppload: chat: not JSON
{"label":"rollcall/pinned/chat-2000ps","latency_ms":{"p99":3}}
{"label":"prosody/pinned/chat-2000ps","latency_ms":{"p99":1}}
{"label":"ejabberd/pinned/chat-2000ps","latency_ms":{"p99":4}}
{"label":"rollcall/pinned/chat-lists","server_cpu_us_per_delivery":6,"ok":true}
{"label":"rollcall/pinned/chat-no-lists","server_cpu_us_per_delivery":5,"ok":true}
{"label":"rollcall/free/idle","rss_kib_per_connection":9}
`

func load(t *testing.T) results {
	t.Helper()
	name := filepath.Join(t.TempDir(), "runs.jsonl")
	if err := os.WriteFile(name, []byte(runs), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func TestTable(t *testing.T) {
	var b strings.Builder
	rs := load(t)
	if err := table(&b, goals, "rollcall", rs, results{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| goal | unit | rollcall | ejabberd | prosody | null | ratio | at most | met |",
		// The median of the exact runs is 5, a tenth of the best and twice the relay.
		"| chat, saturated | µs CPU/message | 5 | 100 | 50 | 2.5 | 1/10, 2× null | 1/10 of best, 2.5× null | yes |",
		"| chat, saturated, archive on | µs CPU/message | – | – | – | – | – | 1/5 of best | not measured |",
		"| chat, lists of 50 items | µs CPU/message | 6 | – | – | – | 1.2× chat-no-lists | 1.3× chat-no-lists | yes |",
		"| login, 200 shared contacts | ms CPU/login | – | – | – | – | –× login-own200 | 2× login-own200 | not measured |",
		"| idle connection | KiB | 9 | – | – | – | 9 | 8 | no |",
		"| p99 at 2,000 messages/s | ms | 3 | 4 | 1 | – | 0.75× | 1× of ejabberd | yes |",
	} {
		if !slices.Contains(strings.Split(b.String(), "\n"), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
	if got := inexact(rs); len(got) != 1 || got[0] != "rollcall/pinned/chat-saturated: 1 of 3" {
		t.Errorf("inexact: %q", got)
	}
}

func TestSIPTable(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sip.jsonl")
	if err := os.WriteFile(name, []byte(`
{"label":"rollcall/pinned/register","saturated":{"server_cpu_us":20},"paced":{"server_cpu_us":50},"ok":true}
{"label":"kamailio/pinned/register","saturated":{"server_cpu_us":25},"paced":{"server_cpu_us":40},"ok":true}
{"label":"rollcall/pinned/dialog-new-20x200","saturated":{"server_cpu_us_per_delivery":15},"ok":true}
{"label":"rollcall/pinned/dialog-new-1x1000","saturated":{"server_cpu_us_per_delivery":15},"ok":false}
{"label":"rollcall/pinned/latency-5000","latency_ms":{"p99":21},"ok":true}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := table(&b, sipGoals, "rollcall", rs, results{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| goal | unit | rollcall | kamailio | null | ratio | at most | met |",
		"| REGISTER refresh, MD5 | µs CPU/refresh | 20 | 25 | – | 0.8× | 1× of best | yes |",
		"| 2,000 REGISTER refreshes/s | µs CPU/refresh | 50 | 40 | – | 1.25× | – | – |",
		"| a publication a call, 20×200 | µs CPU/NOTIFY | 15 | – | – |  | right in the end | yes |",
		"| a publication a call, 1×1000 | µs CPU/NOTIFY | – | – | – |  | right in the end | not measured |",
		"| p99 PUBLISH to chat, 5,000 devices | ms | 21 | – | – | 21 | 20 | no |",
	} {
		if !slices.Contains(strings.Split(b.String(), "\n"), want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}

func TestJudge(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name              string
		g                 goal
		ours, best, relay float64
		want              string
	}{
		{"kept", goal{ofBest: 0.1}, 1, 10, nan, "yes"},
		{"just missed", goal{ofBest: 0.1}, 1.01, 10, nan, "no"},
		{"best kept, null missed", goal{ofBest: 0.1, ofNull: 2.5}, 1, 20, 0.3, "no"},
		{"no relay", goal{ofBest: 0.1, ofNull: 2.5}, 1, 20, nan, "not measured"},
		{"nothing of ours", goal{most: 8}, nan, nan, nan, "not measured"},
		{"no others", goal{ofBest: 0.1}, 1, nan, 1, "not measured"},
	} {
		if got := tt.g.judge(tt.ours, tt.best, tt.relay, nan)[2]; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestReadNothing(t *testing.T) {
	if _, err := read(); err == nil {
		t.Error("no files, no error")
	}
	if _, err := read(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing file, no error")
	}
}
