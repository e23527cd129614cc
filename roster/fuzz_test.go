package roster

import (
	"slices"
	"testing"
)

// Whatever a client calls a version: it gets nothing, what changed, or all.
func FuzzSince(f *testing.F) {
	for _, ver := range []string{"", "1-0", "1-2", "1-5", "1-zzzzzzz", "-1-1", "1-+2", "a", "1-1-1"} {
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
		if ok != slices.Contains(known, ver) {
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
