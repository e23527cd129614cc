// Package notifier tells phones what they have subscribed to: the notifier of RFC
// 6665 for presence (RFC 3856), dialog (RFC 4235), reg (RFC 3680), message-summary
// (RFC 3842), and lists of resources (RFC 4662).
//
// # What is told
//
// A topic is a subject in an event package, as far as somebody watches it. It has the
// facts, which come from the sources in [Parts], and views of them: what those see
// who watch by the same address, at the same level, with the same make of phone. A
// document is made once for each change and view, however many watch.
//
// A watcher is never sent what it has been told already, and of several changes only
// what they have come to. There is one NOTIFY on its way to a watcher at a time; what
// changes meanwhile is told after the answer, or when the pace of the package allows.
// Only the loss of a critical device waits for neither.
//
// # Who may see it
//
// Whoever subscribes has proved who they are. The level says what they see
// ([presence.Rules]). Who is to see nothing of a presence gets a subscription that is
// in force and says closed, as for somebody who is not there or does not exist; of
// calls, registrations and messages they hear that it is forbidden.
//
// # What lasts
//
// A NOTIFY that is lost suspends the subscription and does not end it
// ([event.Notifier.Silent]). Subscriptions are stored behind the back of who
// subscribes. CSeq and versions are stored ahead of their time, so that they go on
// and never back, whenever the program was killed.
package notifier
