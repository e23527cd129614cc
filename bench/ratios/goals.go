package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// null is the load tool's sham server: what a relay costs that does nothing.
const null = "null"

// A goal is a bound on one figure of a scenario.
type goal struct {
	what     string
	scenario string // the end of the label
	figure   string // path in the result
	unit     string
	archive  bool // measured with archives on

	// Bounds; zero is none.
	ofBest float64 // as a part of the best other server's figure
	ofNull float64 // as a multiple of the null relay's
	of     string  // with ofBest: this server's figure instead of the best one's
	most   float64 // in the unit

	ofOwn float64 // as a multiple of this server's own figure in the scenario base
	base  string

	right bool // it has only to be right in the end; runs that are not are not counted
}

const (
	perDelivery = "server_cpu_us_per_delivery"
	perLogin    = "server_cpu_ms_per_login"
	perConn     = "rss_kib_per_connection"
)

// goals are those that the project set itself; ratios, since machines differ.
var goals = []goal{
	{what: "chat, saturated", scenario: "chat-saturated", figure: perDelivery, unit: "µs CPU/message", ofBest: 1. / 10, ofNull: 2.5},
	{what: "chat, saturated, archive on", scenario: "chat-saturated", figure: perDelivery, unit: "µs CPU/message", archive: true, ofBest: 1. / 5},
	{what: "presence 20×200", scenario: "presence-20x200-saturated", figure: perDelivery, unit: "µs CPU/delivery", ofBest: 1. / 10},
	{what: "presence 1×2000", scenario: "presence-1x2000-saturated", figure: perDelivery, unit: "µs CPU/delivery", ofBest: 1. / 10},
	{what: "login, no roster", scenario: "login-auto", figure: perLogin, unit: "ms CPU/login", ofBest: 1. / 4},
	{what: "login, roster of 50", scenario: "login-roster50", figure: perLogin, unit: "ms CPU/login", ofBest: 1. / 4},
	{what: "login with TLS (RSA key)", scenario: "login-auto-tls", figure: perLogin, unit: "ms CPU/login", ofBest: 1. / 2},
	{what: "login with TLS (P-256 key)", scenario: "login-tls-p256", figure: perLogin, unit: "ms CPU/login", ofBest: 1. / 2},
	{what: "login storm 1000×50", scenario: "storm-1000x50", figure: "server_cpu_s", unit: "s CPU", ofBest: 1. / 5},
	{what: "idle connection", scenario: "idle", figure: perConn, unit: "KiB", most: 8},
	{what: "idle connection with TLS", scenario: "idle-tls", figure: perConn, unit: "KiB", most: 20},
	{what: "chat, lists of 50 items", scenario: "chat-lists", figure: perDelivery, unit: "µs CPU/message", ofOwn: 1.3, base: "chat-no-lists"},
	{what: "login, 200 shared contacts", scenario: "login-shared200", figure: perLogin, unit: "ms CPU/login", ofOwn: 2, base: "login-own200"},
	{what: "p99 at 2,000 messages/s", scenario: "chat-2000ps", figure: "latency_ms.p99", unit: "ms", ofBest: 1, of: "ejabberd"},
}

// sipGoals are those for SIP.
var sipGoals = []goal{
	{what: "REGISTER refresh, MD5", scenario: "register", figure: "saturated.server_cpu_us", unit: "µs CPU/refresh", ofBest: 1},
	{what: "REGISTER refresh, SHA-256", scenario: "register-sha256", figure: "saturated.server_cpu_us", unit: "µs CPU/refresh", ofBest: 1},
	{what: "2,000 REGISTER refreshes/s", scenario: "register", figure: "paced.server_cpu_us", unit: "µs CPU/refresh"},
	{what: "first REGISTER", scenario: "register", figure: "initial.server_cpu_us", unit: "µs CPU/device"},
	{what: "PUBLISH modify", scenario: "publish", figure: "modify.server_cpu_us", unit: "µs CPU/change", ofBest: 1},
	{what: "PUBLISH refresh", scenario: "publish", figure: "refresh.server_cpu_us", unit: "µs CPU/refresh"},
	{what: "1,000 PUBLISHes/s", scenario: "publish", figure: "paced.server_cpu_us", unit: "µs CPU/change"},
	{what: "NOTIFY presence 20×200", scenario: "presence-20x200", figure: "saturated." + perDelivery, unit: "µs CPU/NOTIFY", ofBest: 1},
	{what: "NOTIFY dialog 20×200", scenario: "dialog-20x200", figure: "saturated." + perDelivery, unit: "µs CPU/NOTIFY", ofBest: 1},
	{what: "NOTIFY presence 1×1000", scenario: "presence-1x1000", figure: "saturated." + perDelivery, unit: "µs CPU/NOTIFY", ofBest: 1},
	{what: "NOTIFY dialog 1×1000", scenario: "dialog-1x1000", figure: "saturated." + perDelivery, unit: "µs CPU/NOTIFY", ofBest: 1},
	{what: "a publication a call, 20×200", scenario: "dialog-new-20x200", figure: "saturated." + perDelivery, unit: "µs CPU/NOTIFY", right: true},
	{what: "a publication a call, 1×1000", scenario: "dialog-new-1x1000", figure: "saturated." + perDelivery, unit: "µs CPU/NOTIFY", right: true},
	{what: "call", scenario: "call", figure: "saturated.server_cpu_us", unit: "µs CPU/call"},
	{what: "p99 PUBLISH to chat, 5,000 devices", scenario: "latency-5000", figure: "latency_ms.p99", unit: "ms", most: 20},
	{what: "p99 PUBLISH to chat, 200 see 50", scenario: "latency-50x200", figure: "latency_ms.p99", unit: "ms", most: 50},
	{what: "10,000 devices with a subscription", scenario: "hold-10000", figure: "pss_more_mib", unit: "MiB", most: 60},
}

// table prints a row for each goal.
func table(w io.Writer, goals []goal, server string, plain, archived results) error {
	others := slices.DeleteFunc(plain.servers(), func(s string) bool { return s == server || s == null })
	head := []string{"goal", "unit", server}
	head = append(append(head, others...), null, "ratio", "at most", "met")
	var b strings.Builder
	row(&b, head)
	row(&b, slices.Repeat([]string{"---"}, len(head)))
	for _, g := range goals {
		from := plain
		if g.archive {
			from = archived
		}
		ours := from.median(server, g)
		cells := []string{g.what, g.unit, number(ours)}
		best := math.NaN()
		for _, o := range others {
			v := from.median(o, g)
			cells = append(cells, number(v))
			if g.of == "" || g.of == o {
				best = least(best, v)
			}
		}
		relay := from.median(null, g)
		cells = append(cells, number(relay))
		own := from.median(server, goal{scenario: g.base, figure: g.figure})
		row(&b, append(cells, g.judge(ours, best, relay, own)...))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// judge says how a figure stands to the bounds: the ratio, the bound in words,
// and whether it is kept.
func (g goal) judge(ours, best, relay, own float64) []string {
	var ratio, bound []string
	met := true
	check := func(value, limit float64, how, words string) {
		ratio = append(ratio, how)
		bound = append(bound, words)
		met = met && value <= limit // NaN keeps no bound
	}
	if g.ofBest > 0 {
		name := g.of
		if name == "" {
			name = "best"
		}
		check(ours/best, g.ofBest, fraction(ours/best), fraction(g.ofBest)+" of "+name)
	}
	if g.ofNull > 0 {
		check(ours/relay, g.ofNull, number(ours/relay)+"× null", number(g.ofNull)+"× null")
	}
	if g.ofOwn > 0 {
		check(ours/own, g.ofOwn, number(ours/own)+"× "+g.base, number(g.ofOwn)+"× "+g.base)
	}
	if g.most > 0 {
		check(ours, g.most, number(ours), number(g.most))
	}
	if g.right {
		bound = append(bound, "right in the end")
	}
	if len(bound) == 0 && !math.IsNaN(ours) { // there is nothing to be met
		return []string{fraction(ours / best), "–", "–"}
	}
	verdict := "no"
	switch {
	case math.IsNaN(ours) || g.ofBest > 0 && math.IsNaN(best) || g.ofNull > 0 && math.IsNaN(relay),
		g.ofOwn > 0 && math.IsNaN(own):
		verdict = "not measured"
	case met:
		verdict = "yes"
	}
	return []string{strings.Join(ratio, ", "), strings.Join(bound, ", "), verdict}
}

func row(b *strings.Builder, cells []string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// least is the smaller of two numbers, either of which may be missing.
func least(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

// fraction writes a ratio as people say it: "1/12" below one half.
func fraction(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v > 0 && v <= 0.5:
		return "1/" + number(1/v)
	}
	return number(v) + "×"
}

func number(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3g", v)
}
