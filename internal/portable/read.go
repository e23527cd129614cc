package portable

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall/roster"
	"rollcall/roster/privacy"
	"rollcall/server/features/pep"
	"rollcall/server/features/privatexml"
	"rollcall/xmpp/jid"
)

// Namespaces of the format. The first one had another before it was given its
// own; files of that time are still about.
const (
	NS        = "urn:xmpp:pie:0"
	nsOld     = "http://www.xmpp.org/extensions/xep-0227.html#ns"
	nsSCRAM   = NS + "#scram"
	nsArchive = NS + "#mam"
	nsProsody = "http://prosody.im/protocol/extended-xep0227" // COMPAT(Prosody): properties of an account as attributes
	nsInclude = "http://www.w3.org/2001/XInclude"
)

// Options say how files are read.
type Options struct {
	Ours    []string          // the domains that have accounts here; nil accepts all
	Domains map[string]string // what a domain in the files is called here
	Without []string          // names of sections to leave out
	Roster  roster.Config     // what names and groups may be
	Private privatexml.Config // how much of that there may be
	Privacy privacy.Config    // and of that
	PEP     pep.Config        // and of that
	MaxCard int               // bytes of a vCard; 0 is no bound
	Now     time.Time

	// How long messages are kept here, so that older ones need not come; 0 is for
	// ever. NoArchive says that there are no archives here.
	Archive, Offline time.Duration
	NoArchive        bool
}

// Read reads the document in a file, or on in if the file is "-", and what it
// includes. each gets every account; the messages of an account are gone when it
// returns. An error of each, and XML that is broken, ends it.
func Read(ctx context.Context, file string, in io.Reader, o Options, notes *Notes, each func(*Account) error) error {
	o.Roster, o.Private, o.Privacy = o.Roster.WithDefaults(), o.Private.WithDefaults(), o.Privacy.WithDefaults()
	o.PEP = o.PEP.WithDefaults()
	r := &reader{ctx: ctx, o: o, notes: notes, each: each}
	if file == "-" {
		r.doc = newDocument("standard input", in, o.Now)
		return r.top()
	}
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer root.Close()
	r.root, r.dir = root, filepath.Dir(file)
	return r.open(filepath.Base(file), r.top)
}

// reader reads a document and what it includes.
type reader struct {
	ctx   context.Context
	o     Options
	notes *Notes
	each  func(*Account) error

	root *os.Root // the directory that nothing leads out of; nil on standard input
	dir  string   // what people call it
	doc  *document
	path []string // names of the open documents

	host string   // the domain, as it is called here
	a    *Account // nil outside of <user/>
}

// open reads another file of the directory, and then goes on in this one.
func (r *reader) open(name string, read func() error) error {
	f, err := r.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return &fs.PathError{Op: "read", Path: filepath.Join(r.dir, name), Err: errors.New("this is no ordinary file")}
	}
	outer := r.doc
	r.doc, r.path = newDocument(filepath.Join(r.dir, name), f, info.ModTime()), append(r.path, name)
	defer func() { r.doc, r.path = outer, r.path[:len(r.path)-1] }()
	return read()
}

// tell tells of a problem at a place.
func (r *reader) tell(where Place, format string, args ...any) {
	p := Problem{Where: where, What: fmt.Sprintf(format, args...)}
	if r.a != nil {
		p.Account = r.a.Parcel.Account
	}
	r.notes.problem(p)
}

// leave counts an element that nothing here is for, and skips it.
func (r *reader) leave(start xml.StartElement) error {
	r.notes.leave("elements "+brace(start.Name), r.doc.place(), 1)
	return r.doc.skip()
}

// brace writes a name of a file for people, and so not all of a long one.
func brace(n xml.Name) string {
	s := "{" + n.Space + "}" + n.Local
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "…"
	}
	return s
}

// isOurs reports whether a name of the format is meant.
func isOurs(n xml.Name, local string) bool {
	return n.Local == local && (n.Space == NS || n.Space == nsOld)
}

// top reads the outermost element.
func (r *reader) top() error {
	start, err := r.doc.root()
	switch {
	case err != nil:
		return err
	case isOurs(start.Name, "server-data"):
		return r.children(r.hostOr)
	case isOurs(start.Name, "host"): // the part of a document for one host
		return r.hostElement(start)
	}
	return fmt.Errorf("%s: this is no file of accounts: it begins with %s and not with {%s}server-data", r.doc.place(), brace(start.Name), NS)
}

// children reads the children of an element, and those of documents that are
// included in their place.
func (r *reader) children(read func(xml.StartElement) error) error {
	for {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		start, found, err := r.doc.child()
		switch {
		case err != nil || !found:
			return err
		case start.Name == xml.Name{Space: nsInclude, Local: "include"}:
			err = r.include(start, read)
		default:
			err = read(start)
		}
		if err != nil {
			return err
		}
	}
}

// include reads the element of another document in place of an <include/>
// (XEP-0227 §5): a file of the same directory or below it. One that cannot be
// read is a problem, and the rest is read nevertheless.
func (r *reader) include(start xml.StartElement, read func(xml.StartElement) error) error {
	where := r.doc.place()
	if err := r.doc.skip(); err != nil {
		return err
	}
	name, why := r.target(start)
	if why != "" {
		r.tell(where, "the include of %q is left out: %s", attr(start, "href"), why)
		return nil
	}
	mine := false
	err := r.open(name, func() error {
		start, err := r.doc.root()
		if err != nil {
			return err
		}
		err = read(start)
		var stop *stopped
		mine = errors.As(err, &stop)
		return err
	})
	if err != nil && !mine && r.ctx.Err() == nil {
		r.tell(where, "the include of %q is left out: %v", attr(start, "href"), err)
		return nil
	}
	return err
}

// stopped is an error of whoever gets the accounts.
type stopped struct{ err error }

// Error implements error.
func (s *stopped) Error() string { return s.err.Error() }

// Unwrap gives the error.
func (s *stopped) Unwrap() error { return s.err }

// target is the file that an <include/> names, relative to the directory; or why
// it is not read.
func (r *reader) target(start xml.StartElement) (name, why string) {
	for _, a := range start.Attr {
		if a.Name.Space == "" && (a.Name.Local == "xpointer" || a.Name.Local == "parse" && a.Value != "xml") {
			return "", "only whole documents are read"
		}
	}
	u, err := url.Parse(attr(start, "href"))
	switch {
	case r.root == nil:
		return "", "standard input has no directory"
	case err != nil || u.IsAbs() || u.Host != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path == "":
		return "", "it is no file beside this one"
	case len(r.path) >= maxOpen:
		return "", "documents include one another too deep"
	}
	name = path.Join(path.Dir(filepath.ToSlash(r.path[len(r.path)-1])), u.Path)
	switch {
	case strings.HasPrefix(u.Path, "/") || name == ".." || strings.HasPrefix(name, "../"):
		return "", "it is outside of the directory of the file that was named"
	case slices.Contains(r.path, filepath.FromSlash(name)):
		return "", "the document includes itself"
	}
	return filepath.FromSlash(name), ""
}

// hostOr reads a child of <server-data/>.
func (r *reader) hostOr(start xml.StartElement) error {
	if !isOurs(start.Name, "host") {
		return r.leave(start)
	}
	return r.hostElement(start)
}

// hostElement reads the accounts of a domain, if it is one of ours.
func (r *reader) hostElement(start xml.StartElement) error {
	where := r.doc.place()
	domain, err := jid.Domain(attr(start, "jid"))
	if err != nil {
		r.tell(where, "%q is no domain; its accounts are left out", attr(start, "jid"))
		return r.doc.skip()
	}
	was := domain
	domain = r.here(domain)
	if r.o.Ours != nil && !slices.Contains(r.o.Ours, domain) {
		r.tell(where, "%s is not a domain with accounts here, which %s; its accounts are left out. To move them say --domain %s=%s",
			domain, isOrAre(r.o.Ours), was, append(r.o.Ours, "NEW")[0])
		return r.doc.skip()
	}
	outer := r.host
	r.host = domain
	defer func() { r.host = outer }()
	return r.children(r.userOr)
}

func isOrAre(domains []string) string {
	switch len(domains) {
	case 0:
		return "has none"
	case 1:
		return "is " + domains[0]
	}
	return "are " + strings.Join(domains, ", ")
}

// here is what a domain is called here.
func (r *reader) here(domain string) string {
	if to, moved := r.o.Domains[domain]; moved {
		return to
	}
	return domain
}

// address reads an address, at the domain that it has here.
func (r *reader) address(s string) (jid.JID, error) {
	j, err := jid.Parse(s)
	if err != nil || len(r.o.Domains) == 0 {
		return j, err
	}
	to := r.here(j.Domain())
	if to == j.Domain() {
		return j, nil
	}
	bare := jid.Bare(to)
	if j.Local() != "" {
		bare = jid.Bare(j.Local() + "@" + to)
	}
	return bare.With(j.Resource()), nil
}

// userOr reads a child of <host/>.
func (r *reader) userOr(start xml.StartElement) error {
	if !isOurs(start.Name, "user") {
		return r.leave(start)
	}
	where := r.doc.place()
	name := attr(start, "name")
	who, err := jid.Parse(name + "@" + r.host)
	if err != nil || who.Local() == "" || !who.IsBare() {
		r.tell(where, "%q can be nobody's name; the account is left out", name)
		return r.doc.skip()
	}
	r.a = newAccount(who.Bare(), where)
	if who.Local() != name {
		r.tell(where, "the name was %q", name)
	}
	defer func() { r.a.close(); r.a = nil }()
	r.attributes(start)
	if err := r.children(r.section); err != nil {
		return err
	}
	r.finish()
	if err := r.each(r.a); err != nil {
		return &stopped{err}
	}
	return nil
}

// attributes reads those of <user/>. Other servers put properties of their own
// there.
func (r *reader) attributes(start xml.StartElement) {
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == "xmlns", a.Name.Local == "xmlns" && a.Name.Space == "", a.Name == xml.Name{Local: "name"}:
		case a.Name == xml.Name{Local: "password"}:
			r.password(a.Value)
		case a.Name == xml.Name{Space: nsProsody, Local: "disabled"}:
			r.a.Parcel.Disabled = a.Value == "true"
		default:
			r.notes.leave("attributes "+brace(a.Name), r.doc.place(), 1)
		}
	}
}

// section reads a child of <user/>.
func (r *reader) section(start xml.StartElement) error {
	for i := range sections {
		s := &sections[i]
		if !s.is(start.Name) {
			continue
		}
		if slices.Contains(r.o.Without, s.name) {
			return r.doc.skip()
		}
		return s.read(r, start)
	}
	return r.leave(start)
}
