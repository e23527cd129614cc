package transcript

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// Domain is the domain that the world serves.
	Domain = "x"
	// Password is the password of every account.
	Password = "secret"
	// Grace is how long, by the bubble's clock, an expectation waits for what
	// has not come at once: the time in which a server groups its work.
	Grace = 100 * time.Millisecond
)

// A Directory makes the accounts of a conversation and fills their rosters.
type Directory interface {
	// AddAccount makes an account, by its localpart.
	AddAccount(name, password string) error
	// AddContact puts contact into owner's roster with a subscription of to,
	// from or both. The owner is a localpart, and so is the contact unless it
	// is an address with an @.
	AddContact(owner, contact, subscription string) error
}

// Groups makes and changes the shared groups of a conversation, in worlds that
// have them.
type Groups interface {
	ChangeGroup(GroupChange) error
}

// GroupChange is a change of one shared group.
type GroupChange struct {
	Do        string            // make, remove, title, set, join, leave, show or hide
	Group     string            // its name
	Title     string            // to make, title
	Everybody bool              // to make: all accounts belong to it
	Mutual    bool              // to make: its members see one another
	Members   []string          // to make, set, join, leave: localparts, or addresses with an @
	Names     map[string]string // what people call members
	To        string            // to show, hide: the group whose members see those of this one
}

// Sources is implemented by worlds in which others than clients know something of
// people.
type Sources interface {
	// Say has a source say something of somebody, in place of what it said before.
	Say(Saying) error
}

// Saying is what a source says of somebody.
type Saying struct {
	Source      string // "phone/2001"
	Who         string // a name, or an address
	State       string // "" is nothing
	Counterpart string // the other end of a call
}

// A World is the server that a conversation is played against.
type World interface {
	Directory
	// Dial returns a client's end of a new connection.
	Dial() net.Conn
	// Close stops the server and returns when nothing of it runs any more.
	Close()
}

// A Restarter is a World whose server can be stopped and started anew with all
// that it has stored. Restart returns when the new one takes connections.
type Restarter interface{ Restart() }

// Beyond is a World whose SIP gateway is a program of its own, at the end of a link.
type Beyond interface {
	// RestartGateway stops it in good order and starts it with all that it has stored.
	RestartGateway()
	// BreakLink cuts the link, and lets nobody connect until MendLink.
	BreakLink()
	MendLink()
}

// Run plays every conversation whose file matches glob, each as a subtest in a
// bubble of its own against the world that build makes for its config lines.
func Run(t *testing.T, glob string, build func(t *testing.T, options map[string]string) World) {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no conversation matches %s", glob)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parse(file, string(text))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				err := s.play(func(options map[string]string) World { return build(t, options) })
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
