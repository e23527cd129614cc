// Package privacy knows whom an account lets in: the privacy lists of XEP-0016,
// and the blocklist of XEP-0191 that is a part of one of them.
//
// The rules are pure. A [List] is what its owner wrote; [List.Read] goes through
// it item by item, as XEP-0016 §2.2 says, and [List.Decide] comes to the same
// result by a few lookups that make no garbage, since it is asked twice for each
// message. A [Filter] is a list in force: with the roster that its items about
// groups and subscriptions look at. [Lists] is an immutable picture of all lists
// of one account. A [Book] keeps such pictures, changes them one change at a time
// for each owner, and has a [Store] write every change before anybody sees it.
//
// Who is never kept out, one's own resources and one's own server, is for
// whoever asks: a list says nothing of that.
package privacy
