package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
)

// A result is what the load tool prints after a scenario.
type result map[string]any

// results are those of a run, by label: server/mode/scenario.
type results map[string][]result

// read reads files of results, one JSON object a line. Lines that are none,
// such as what a scenario said before it failed, are passed over.
func read(files ...string) (results, error) {
	if len(files) == 0 {
		return nil, errors.New("no file of results is named")
	}
	all := results{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r result
			if json.Unmarshal(lines.Bytes(), &r) != nil {
				continue
			}
			if label, _ := r["label"].(string); strings.Count(label, "/") == 2 {
				all[label] = append(all[label], r)
			}
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// servers lists whose results these are.
func (rs results) servers() []string {
	names := map[string]bool{}
	for label := range rs {
		name, _, _ := strings.Cut(label, "/")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// median is the middle of a server's figures for a goal; NaN without any. Runs
// in which a delivery was missing or wrong do not count.
func (rs results) median(server string, g goal) float64 {
	var v []float64
	for label, runs := range rs {
		parts := strings.SplitN(label, "/", 3)
		if parts[0] != server || parts[2] != g.scenario {
			continue
		}
		for _, r := range runs {
			if f, is := r.figure(g.figure); is && r.exact() {
				v = append(v, f)
			}
		}
	}
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// figure finds a number by its path: "latency_ms.p99".
func (r result) figure(path string) (float64, bool) {
	var at any = map[string]any(r)
	for key := range strings.SplitSeq(path, ".") {
		m, _ := at.(map[string]any)
		at = m[key]
	}
	f, is := at.(float64)
	return f, is
}

// exact reports whether all that was sent arrived, once, in order and from the
// right sender, as far as the scenario checks that.
func (r result) exact() bool {
	ok, checked := r["ok"].(bool)
	return ok || !checked
}

// inexact lists the runs that do not count.
func inexact(rs results) []string {
	var out []string
	for _, label := range slices.Sorted(maps.Keys(rs)) {
		bad := 0
		for _, r := range rs[label] {
			if !r.exact() {
				bad++
			}
		}
		if bad > 0 {
			out = append(out, fmt.Sprintf("%s: %d of %d", label, bad, len(rs[label])))
		}
	}
	return out
}
