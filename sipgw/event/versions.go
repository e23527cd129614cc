package event

// Versions follows the version numbers of the documents of one subscription; the
// packages dialog, reg and the lists of resources have the same rules (RFC 4235
// §4.3, RFC 3680 §5.2, RFC 4662 §5.6). The zero value has seen none.
type Versions struct {
	Last uint32
	Any  bool
}

// Next takes the version of a document. One that is old is to be ignored; so that
// notifiers that never count are understood, the same again is not old. Where
// documents are missing before a partial one it is used all the same, and a full one
// must be asked for.
//
// COMPAT(Asterisk, for good): it keeps subscriptions over a restart and counts their
// documents from 0 again. So a full document of that number is never old; CSeq keeps
// those away that come too late.
func (v *Versions) Next(version uint32, partial bool) (ignore, refresh bool) {
	restart := version == 0 && !partial
	if v.Any && version < v.Last && !restart {
		return true, false
	}
	refresh = partial && (!v.Any || version-v.Last > 1)
	v.Last, v.Any = version, true
	return false, refresh
}
