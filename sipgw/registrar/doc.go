// Package registrar knows where devices can be reached: the location service of RFC
// 3261 §10, with Path (RFC 3327), instances and flows (RFC 5626), and the events
// that RFC 3680 tells of.
//
// What a REGISTER does to the bindings of an address is one pure function, all or
// nothing (plan.go). The [Registrar] holds the bindings, has them expire, and tells
// its listeners of each change, in order for each address. Bindings are never
// changed once they are made: a refresh makes a new one.
//
// Bindings are stored behind the back of who registers. A change that matters (a
// binding that is new, moved or gone) is stored within some 50 ms, a mere refresh
// within 5 s, once for all that came in that time. So after kill -9:
//
//   - no binding lasts longer than it was granted: what is stored is at most what
//     was granted last, and is loaded as it is;
//   - a binding is as it was at most 5 s before. Of a refresh in that time it is
//     not known that it was granted, so the binding ends when the grant before it
//     does, unless the device refreshes before; a device that registered for the
//     first time, or that unregistered, less than 50 ms before may have to do it again.
//
// A flow does not survive a restart. Bindings over connections are kept for as long
// as a binding may be late, and are gone then if the device has not come back.
//
// A [Qualifier] finds out by OPTIONS whether devices still answer.
package registrar
