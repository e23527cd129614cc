// Package privacy is whom people let through to them, and to whom they show
// themselves: privacy lists (XEP-0016) and the blocklist that is a part of the
// default one (XEP-0191 §5).
//
// A [List] is what its owner wrote. [List.Allows] reads it as XEP-0016 §2.2
// says, item by item; a [Rules] is the same made ready for every stanza. The
// [Book] keeps everybody's lists in memory as far as they are needed.
package privacy
