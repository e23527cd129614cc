// Package device knows the devices: the phones, door intercoms, help points and
// the like that an operator has entered.
//
// A [Device] is an address at the device domain with exactly one resource,
// [Resource], and a SIP user that it logs in as. What it is, where it is, whose it
// is and by which numbers it is called is here; whether it can be reached is a
// matter of package presence, and who has it for a contact one of shared groups.
//
// The [Register] owns all of them. Readers take a [Picture], which never changes,
// and look devices up in it without a lock. A change is stored, then put in
// force, then told to those who listen, before the next one begins.
//
// Devices move between files and the register as lists in TOML: see [ReadList].
package device
