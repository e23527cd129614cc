package directory

import (
	"time"

	"rollcall/xmpp/jid"
)

// Person is somebody in the directory. Two are the same when == says so.
type Person struct {
	Local string // the localpart of the address, prepared

	// Entry names the entry for good, whatever becomes of the person's name, and is
	// never given to another: entryUUID, objectGUID. "" if the directory has nothing
	// of the kind.
	Entry string

	// What the directory tells about them; each may be "".
	Name, Given, Family string
	Mail, Phone         string
	Title, Org, Unit    string
}

// DisplayName is what to call them in the lists of others.
func (p Person) DisplayName() string {
	if p.Name != "" {
		return p.Name
	}
	return p.Local
}

// Group is a group of people.
type Group struct {
	ID      string   // names it for good, as [Person.Entry] does, or else its place in the directory
	Title   string   // for people
	Members []Member // in the order of their addresses, each once
}

// Member is somebody in a group.
type Member struct {
	JID  jid.Bare
	Name string // to be displayed
}

// Snapshot is all that was in the directory when it was read.
type Snapshot struct {
	People []Person // in the order of Local, each once
	Groups []Group  // in the order of ID

	// Doubtful are the localparts that several entries lay claim to: nobody has
	// them.
	Doubtful []string

	// Unnamed counts the entries without a name that an address can be made of.
	Unnamed int
}

// Account is what is kept here of one account.
type Account struct {
	JID      jid.Bare
	Disabled bool // by an operator
	Theirs   bool // it comes from the directory

	// Person is what the directory said last, and Gone when the person was first
	// missed in there: the zero time if they are there. Both only if Theirs.
	Person Person
	Gone   time.Time
}
