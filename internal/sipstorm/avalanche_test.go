package sipstorm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/sipgw/siptest"
)

// perPhone is how many bytes a registered phone may cost, with all that is known of it
// and with what is kept of its last requests for a while in case they come again.
const perPhone = 6 << 10

// TestAvalanche is a power cut: thousands of phones register at once. All get in, they
// do not come back all at once, and everybody sees them.
func TestAvalanche(t *testing.T) {
	n := 5000
	if testing.Short() {
		n = 500
	}
	viewers := []string{"ada", "bob"}
	tn := newTown(t, map[string]string{"sip.qualify": `"0s"`}, viewers...) // the phones do not stay
	names := tn.devices(true, "p", n)
	for _, name := range viewers {
		tn.watch(name)
	}
	before := heap()
	began := time.Now()
	expires := tn.avalanche(names)
	t.Logf("%d phones are registered after %v", n, time.Since(began))
	spread(t, expires)
	within(t, func() error {
		for _, name := range viewers {
			if free, _ := tn.sight.count(name, "free"); free != n {
				return fmt.Errorf("%s sees %d", name, free)
			}
		}
		return nil
	})
	t.Logf("all see all after %v", time.Since(began))
	tn.stored(n)

	// And once more, before anybody has noticed that they were gone.
	spread(t, tn.avalanche(names))
	tn.stored(n)
	if got := tn.Gateway().Registrar.Count(); got != n {
		t.Errorf("%d registrations", got)
	}
	for _, name := range viewers {
		if free, most := tn.sight.count(name, "free"); free != n || most > 2 {
			t.Errorf("%s sees %d, and is told up to %d times of one", name, free, most)
		}
	}
	within(t, func() error {
		if grown := heap() - before; grown > int64(n)*perPhone+leftover {
			return fmt.Errorf("%d KiB are in use more than before", grown>>10)
		}
		return nil
	})
	t.Logf("%d KiB before, %d KiB after", before>>10, heap()>>10)
}

// leftover is what may be left of anything, in bytes.
const leftover = 8 << 20

// avalanche has all register at once, and returns for how long they may. Nothing is
// left of the phones, who have not said that they go.
func (tn *town) avalanche(names []string) (expires []int) {
	tn.t.Helper()
	tn.phones, tn.wave = 0, tn.wave+1
	all := make([]*siptest.Phone, len(names))
	for i, name := range names {
		all[i] = tn.plugIn(name, nil)
		defer all[i].Close()
	}
	expires = make([]int, len(all))
	each(tn.t, all, func(ctx context.Context, i int, p *siptest.Phone) error {
		res, err := register(ctx, p)
		if err == nil {
			_, err = fmt.Sscanf(res.Header("Contact")[strings.LastIndex(res.Header("Contact"), ";expires=")+1:], "expires=%d", &expires[i])
		}
		return err
	})
	return expires
}

// spread wants times that differ, within a tenth of what is granted over UDP.
func spread(t *testing.T, all []int) {
	t.Helper()
	slices.Sort(all)
	least, most := all[0], all[len(all)-1]
	different := len(slices.Compact(slices.Clone(all)))
	if least < 270 || most > 330 || most-least < 50 || different < 40 {
		t.Errorf("they may be registered for %d to %d seconds, %d different times", least, most, different)
	}
	// Of ten equal parts none has many more than a tenth of them.
	parts := map[int]int{}
	for _, e := range all {
		parts[(e-270)/6]++
	}
	for part, n := range parts {
		if n > len(all)/5 {
			t.Errorf("%d of %d come back within six seconds, after %d", n, len(all), 270+6*part)
		}
	}
}

// stored wants all registrations to be in the database, and no others.
func (tn *town) stored(n int) {
	tn.t.Helper()
	within(tn.t, func() error {
		all, err := tn.Bindings()
		if err != nil {
			return err
		}
		different := map[string]bool{}
		for _, b := range all {
			different[b.AOR] = true
		}
		if len(all) != n || len(different) != n {
			return fmt.Errorf("%d registrations are stored, of %d phones", len(all), len(different))
		}
		return nil
	})
}
