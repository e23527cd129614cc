package presence

import "slices"

// Same reports whether two states of a subject are the same to whoever watches it:
// all but the version, the reason and until when sources vouch. nil is the same as
// nil.
func Same(a, b *Effective) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.State == b.State && a.Engaged == b.Engaged && a.Channels == b.Channels && a.Stale == b.Stale &&
		a.Critical == b.Critical && a.Since.Equal(b.Since) && a.Until.Equal(b.Until) &&
		slices.Equal(a.Secondary, b.Secondary) && sameSaid(&a.Winner, &b.Winner) &&
		slices.EqualFunc(a.All, b.All, func(x, y Contribution) bool { return sameSaid(&x, &y) })
}

// sameSaid reports whether two contributions say the same, for however long.
func sameSaid(a, b *Contribution) bool {
	return a.Source == b.Source && a.Axis == b.Axis && a.State == b.State && a.Channels == b.Channels &&
		a.Stale == b.Stale && a.Since.Equal(b.Since) && compareFacets(&a.Facets, &b.Facets) == 0
}
