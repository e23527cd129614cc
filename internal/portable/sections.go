package portable

import (
	"encoding/xml"
	"slices"

	"rollcall/roster/privacy"
)

// section is something that a file says of an account: a child of <user/>.
type section struct {
	name  string     // as it can be left out
	names []xml.Name // of the elements
	read  func(*reader, xml.StartElement) error
	write func(*exporting) error // nil: it is written by another
}

func (s *section) is(n xml.Name) bool { return slices.Contains(s.names, n) }

// sections are all of them, in the order in which they are written.
var sections = []section{
	{"account", one(nsAccount, "account"), (*reader).properties, (*exporting).properties},
	{"passwords", one(nsSCRAM, "scram-credentials"), (*reader).credentials, (*exporting).credentials},
	{"roster", one("jabber:iq:roster", "query"), (*reader).roster, (*exporting).roster},
	{"roster", one("jabber:client", "presence", NS, "presence"), (*reader).request, nil},
	{"vcard", one("vcard-temp", "vCard"), (*reader).vcard, (*exporting).vcard},
	{"private", one(nsPrivate, "query"), (*reader).private, (*exporting).private},
	{"privacy", one(privacy.Namespace, "query"), (*reader).privacy, (*exporting).privacy},
	{"pep", one(nsPubsub, "pubsub"), (*reader).pep, (*exporting).pep},
	{"pep", one(nsPubsubOwner, "pubsub"), (*reader).pepNodes, nil},
	{"preferences", one(nsMAM, "prefs"), (*reader).preferences, (*exporting).preferences},
	{"offline", one(NS, "offline-messages", nsOld, "offline-messages"), (*reader).offline, (*exporting).offline},
	{"archive", one(nsArchive, "archive"), (*reader).archive, (*exporting).archive},
}

// one makes names of pairs.
func one(pairs ...string) (names []xml.Name) {
	for i := 0; i+1 < len(pairs); i += 2 {
		names = append(names, xml.Name{Space: pairs[i], Local: pairs[i+1]})
	}
	return names
}

// Sections are the names of what a file may say of an account, to be left out.
func Sections() (names []string) {
	for i := range sections {
		if n := sections[i].name; n != "account" && !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}
