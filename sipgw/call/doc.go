// Package call carries the calls of the devices that are registered here, and knows
// from that which calls they are in: a stateful proxy that forks (RFC 3261 §16, RFC
// 6026, RFC 5393), and the table of its dialogs.
//
// # The life of a call
//
// An INVITE is looked at before anything is spent on it (its size, its hops, whether
// it has been here), then its sender proves who they are, and is not believed to be
// anybody else (caller.go). A [Router] says where it goes, and a fork sends it there,
// all at once that are alike and one after the other that are not; what comes back is
// weighed by one pure function (fanout.go). Everything later in the dialog comes back
// here by Record-Route, and goes on by the flow that the route names (within.go), or
// if that is gone, by the one that the device has registered with since.
//
// # Who is in a call
//
// The table (table.go) holds one leg for each device in each dialog that is not
// over, and is the only owner of it. A leg is begun, turned and ended by what passes
// here; each change is told with all the calls that the device is then in, so that
// whoever hears of it replaces what they knew and nothing can stick.
//
// A call whose end nobody told is found (audit.go): by its session timer (RFC 4028);
// or if it has none by asking both ends every two minutes, with OPTIONS in the dialog
// that has the CSeq of the other end's last request, so that what that end sends next
// is in order; by the sign that a device has been restarted; and by its length.
//
// Calls that are up are stored within some 50 ms, and are known again after a
// restart (stored.go). Until they have been asked for, which is done at once, they
// are shown as they were. Calls that nobody has answered yet are not stored: what was
// known of their transactions is gone, and they come to nothing by themselves.
package call
