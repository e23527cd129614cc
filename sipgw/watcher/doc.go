// Package watcher learns from PBXs, and from phones that tell, what their lines do: it
// subscribes to their calls, their presence and their registrations (RFC 6665 as the
// subscriber; RFC 4235, 3856, 3680).
//
// There is one subscription for each device and package, a plain value in one heap, by
// the time when something is to be done about it. One goroutine works the heap off;
// what comes from the network is taken where it is read. What a device comes to is put
// together anew each time and told as a whole ([Learned]), so nothing can stick.
//
// PBXs are spared: requests to one of them leave at a certain pace, few at a time wait
// for an answer, and while it answers nobody only one asks on behalf of all. When it is
// back all the others follow. When it has forgotten one subscription, for it has been
// restarted, the others are looked after as well.
//
// What was told counts until the subscription runs out, or two refreshes in a row have
// failed. After that nothing is known, which is not the same as that all is well.
package watcher
