package portable_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/portable"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// now is when the tests read what was written in the past.
var now = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// got is an account as it was read, with its messages.
type got struct {
	storage.Parcel
	Password string
	Line     int
}

// reading is all that came of a file.
type reading struct {
	accounts map[jid.Bare]got
	order    []jid.Bare
	problems []string
	left     map[string]int
	err      error
}

func readFile(file, in string, o portable.Options) reading {
	if o.Now.IsZero() {
		o.Now = now
	}
	r := reading{accounts: map[jid.Bare]got{}, left: map[string]int{}}
	notes := portable.Notes{Say: func(p portable.Problem) { r.problems = append(r.problems, p.String()) }}
	r.err = portable.Read(context.Background(), file, strings.NewReader(in), o, &notes, func(a *portable.Account) error {
		g := got{Parcel: a.Parcel, Password: a.Password, Line: a.Where.Line}
		for m, err := range a.Offline.All() {
			if err != nil {
				return err
			}
			g.Offline = append(g.Offline, m)
		}
		for m, err := range a.Archive.All() {
			if err != nil {
				return err
			}
			g.Archive = append(g.Archive, m)
		}
		r.accounts[a.Parcel.Account] = g
		r.order = append(r.order, a.Parcel.Account)
		return nil
	})
	for _, l := range notes.Left() {
		r.left[l.What] = l.Count
	}
	return r
}

// readText reads a document that is written down in a test.
func readText(in string, o portable.Options) reading { return readFile("-", in, o) }

// user is a document with one account, ada@x, in which something stands.
func user(inner string) string {
	return "<server-data xmlns='" + portable.NS + "'><host jid='x'><user name='ada'>" + inner + "</user></host></server-data>"
}

// read is a document that has to be read whole and without problems.
func (r reading) clean(t *testing.T) reading {
	t.Helper()
	if r.err != nil || len(r.problems) > 0 {
		t.Fatalf("%v; problems: %q", r.err, r.problems)
	}
	return r
}

// files writes files into a directory.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// bodies are what messages say.
func bodies(all []storage.Letter) (out []string) {
	for _, m := range all {
		_, text, _ := strings.Cut(string(m.Stanza), "<body>")
		text, _, _ = strings.Cut(text, "</body>")
		out = append(out, text)
	}
	return out
}

// contacts are the items of a roster in short.
func contacts(p storage.Parcel) (out []string) {
	for _, it := range p.Roster {
		hidden := ""
		slices.Sort(it.Groups) // some servers keep no order
		if it.Hidden {
			hidden = " hidden"
		}
		out = append(out, fmt.Sprintf("%s %q %q %s%s", it.Contact, it.Name, it.Groups, it.State, hidden))
	}
	return out
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}
