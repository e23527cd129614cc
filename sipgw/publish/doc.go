// Package publish takes what phones publish of themselves: the event state compositor
// of RFC 3903.
//
// Several publications about one resource live side by side, each under an entity-tag
// of its own, and each is a source of its own for whoever puts the state of the
// resource together: the listeners. A publication is replaced as a whole. What it
// says is none of the compositor's business; a parser for each event package is
// given to it.
//
// Publications are stored behind the back of who publishes, within some 50 ms, and a
// mere refresh within 5 s. After kill -9 a publication is as it was at most that long
// ago, and never lasts longer than was granted. Who comes with an entity-tag that was
// lost is told so (412) and publishes anew.
package publish
