package roster

import (
	"slices"
	"strings"
	"testing"
)

// Whatever a client calls a version: it gets nothing, what changed, or all.
func FuzzSince(f *testing.F) {
	for _, ver := range []string{"", "1-0", "1-2", "1-5", "1-zzzzzzz", "-1-1", "1-+2", "a", "1-1-1", "1-1-0-0", "1-0-0-0"} {
		f.Add(ver)
	}
	b := NewBook(newStore("ada@x"), Config{})
	for _, c := range []Edit{{Contact: "a@x"}, {Contact: "b@x"}, {Contact: "a@x", Name: "A"}} {
		if _, err := b.Set(f.Context(), "ada@x", c, nil); err != nil {
			f.Fatal(err)
		}
	}
	r, err := b.Of(f.Context(), "ada@x")
	if err != nil {
		f.Fatal(err)
	}
	known := []string{"1-0", "1-1", "1-2", "1-3"}
	f.Fuzz(func(t *testing.T, ver string) {
		changes, ok := r.Since(ver)
		if ok != slices.Contains(known, strings.TrimSuffix(ver, "-0-0")) { // there are no groups
			t.Errorf("%q is known: %v", ver, ok)
		}
		if (!ok || ver == r.Version()) && len(changes) > 0 {
			t.Errorf("%q gets %d changes", ver, len(changes))
		}
		if len(changes) > r.Len() {
			t.Errorf("%d changes of %d items", len(changes), r.Len())
		}
	})
}

// A version is read as it was written, and nothing else is read.
func FuzzVersion(f *testing.F) {
	for _, ver := range []string{"", NoVersion, "1-0", "1-2-3", "1-2-0", "1-2-3-4", "1-2-0-0", "1-2-3-4-5", "-1-1", "1-zzzzzzz-3w5e11264sgsf", "1--", "1-1-1zzzzzzzzzzzzz", "1-01", "A-1"} {
		f.Add(ver)
	}
	f.Fuzz(func(t *testing.T, ver string) {
		v, ok := parseVersion(ver)
		if ok && v.String() != ver || !ok && v != (version{}) {
			t.Errorf("%q is %+v", ver, v)
		}
		if again, ok := parseVersion(v.String()); !ok || again != v {
			t.Errorf("%+v becomes %+v, %v", v, again, ok)
		}
	})
}
