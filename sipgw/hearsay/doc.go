// Package hearsay makes of what PBXs and phones have told the watcher what the presence
// engine is told of devices, and of the people whom they belong to.
//
// A PBX is one source of a device, "pbx/" and its name, and says all that it knows of it
// at once. What it says counts until its subscription runs out; then the device is
// unknown, and its owner has no share in it. Nothing is said of a device before each
// package has had its answer, so that no line is shown as free for the moment that it
// takes to hear of its call.
package hearsay
