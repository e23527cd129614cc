package pidf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// dump writes a document down in a line for each part, without what is empty.
func dump(d *Document) string {
	var b strings.Builder
	part := func(name, id string, fields ...any) {
		fmt.Fprintf(&b, "%s %s:", name, id)
		for i := 0; i < len(fields); i += 2 {
			if v := strings.TrimSpace(fmt.Sprint(fields[i+1])); v != "" {
				fmt.Fprintf(&b, " %s=%s", fields[i], v)
			}
		}
		b.WriteByte('\n')
	}
	part("presence", d.Entity, "notes", notes(d.Notes))
	for _, t := range d.Tuples {
		prio := ""
		if n, ok := t.Priority.Thousandths(); ok {
			prio = fmt.Sprint(n)
		}
		part("tuple", t.ID, "basic", basics[t.Basic], "show", t.Show, "does", t.Activities, "other", t.Other,
			"extended", t.Extended, "online", yes(t.Online), "digium", t.Digium.Type+" "+t.Digium.Subtype+" "+t.Digium.Message,
			"input", inputs[t.Input.State], "last", stamp(t.Input.Last), "contact", t.Contact, "priority", prio,
			"notes", notes(t.Notes), "device", t.DeviceID, "at", stamp(t.Timestamp))
	}
	people := func(name string, all []Person) {
		for _, p := range all {
			part(name, p.ID, "basic", basics[p.Basic], "does", p.Activities, "other", p.Other, "until", stamp(p.Until),
				"input", inputs[p.Input.State], "last", stamp(p.Input.Last), "notes", notes(p.Notes), "device", p.DeviceID, "at", stamp(p.Timestamp))
		}
	}
	people("person", d.Persons)
	people("device", d.Devices)
	return b.String()
}

var (
	basics = []string{"", "open", "closed"}
	inputs = []string{"", "active", "idle"}
)

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("0102T150405")
}

func notes(all []Note) string {
	var out []string
	for _, n := range all {
		if n.Lang != "" {
			n.Lang += "|"
		}
		out = append(out, n.Lang+n.Text)
	}
	return strings.Join(out, "/")
}

// parseFile reads a file of the corpus by the type that its name says.
func parseFile(t testing.TB, name string) *Document {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	contentType := ContentType + "; charset=utf-8"
	if filepath.Ext(name) == ".xpidf" {
		contentType = "Application/XPIDF+xml"
	}
	d, err := ParseAs(contentType, b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}
