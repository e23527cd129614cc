package device

import (
	"slices"

	"rollcall/xmpp/jid"
)

// Resource is the only one that a device's address has.
const Resource = "sip"

// Device is one thing that speaks SIP. One that is in a [Picture] never changes.
type Device struct {
	// ID names it for good: what stands before the @ of its address.
	ID string

	Name  string // that people see
	Class Class
	Site  string // where it is, in words for people; or ""

	// Critical says that it stays in sight when it is lost.
	Critical bool

	// Shared says that nobody in particular uses it: that it is in a call says
	// nothing about its owner.
	Shared bool

	// Disabled says that it may not register, and cannot be reached.
	Disabled bool

	// Upstream is the PBX that it is registered at, by a name or a SIP URI; "" is
	// that it registers here.
	Upstream string

	// User is the SIP user that it registers as, or that the PBX has it under.
	User string

	// Key is what its secret is checked against; the zero value is that there is
	// none, so that it cannot register here.
	Key Key

	// Owner is the account of the person that it is assigned to, or "".
	Owner jid.Bare

	// Numbers are those that it is called by: "+493012345" in the world, "2001" in
	// the house. See [ParseNumber].
	Numbers []string

	// JID is its address. The register fills it in.
	JID jid.Bare
}

// Full returns the address with the resource.
func (d *Device) Full() jid.JID { return d.JID.With(Resource) }

// Here reports whether it registers here, and not at a PBX.
func (d *Device) Here() bool { return d.Upstream == "" }

// equal reports whether two are the same in every respect.
func (d *Device) equal(e *Device) bool {
	a, b := *d, *e
	a.Numbers, b.Numbers = nil, nil
	return slices.Equal(d.Numbers, e.Numbers) && a.same(&b)
}

// same compares all but the numbers.
func (d *Device) same(e *Device) bool {
	return d.ID == e.ID && d.Name == e.Name && d.Class == e.Class && d.Site == e.Site &&
		d.Critical == e.Critical && d.Shared == e.Shared && d.Disabled == e.Disabled &&
		d.Upstream == e.Upstream && d.User == e.User && d.Key == e.Key && d.Owner == e.Owner && d.JID == e.JID
}

// Class is what kind of thing a device is.
type Class string

// The classes of devices.
const (
	Phone     Class = "phone"
	Intercom  Class = "intercom"
	HelpPoint Class = "helppoint"
	Paging    Class = "paging"
	Console   Class = "console"
	Gateway   Class = "gateway"
)

// Classes returns all classes, in the order in which they are listed.
func Classes() []Class { return []Class{Phone, Intercom, HelpPoint, Paging, Console, Gateway} }

// labels are what people call the classes.
var labels = map[Class]string{
	Phone: "Phone", Intercom: "Door intercom", HelpPoint: "Help point",
	Paging: "Paging microphone", Console: "Console", Gateway: "Gateway",
}

// Label returns what people call the class.
func (c Class) Label() string { return labels[c] }

// Valid reports whether there is such a class.
func (c Class) Valid() bool { return labels[c] != "" }
