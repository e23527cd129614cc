package directory_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"rollcall/directory"
	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// small is a small directory, and the server whose accounts follow it.
type small struct {
	mu        sync.Mutex
	people    map[string]directory.Person
	passwords map[string]string
	groups    []directory.Group
	away      error
	asked     []string // what was asked of it: "check ada"

	added  []jid.Bare
	ended  []jid.Bare
	handed [][]directory.Group
	remove func(context.Context, jid.Bare) error
}

var errAway = errors.New("nobody at home")

func (s *small) note(what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, what)
	return s.away
}

func (s *small) Read(context.Context) (*directory.Snapshot, error) {
	if err := s.note("read"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := &directory.Snapshot{Groups: s.groups}
	for _, p := range s.people {
		found.People = append(found.People, p)
	}
	slices.SortFunc(found.People, func(a, b directory.Person) int { return strings.Compare(a.Local, b.Local) })
	return found, nil
}

func (s *small) Check(_ context.Context, local, password string) (directory.Person, error) {
	if err := s.note("check " + local); err != nil {
		return directory.Person{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.people[local]
	if !ok || s.passwords[local] != password {
		return directory.Person{}, directory.ErrWrong
	}
	return p, nil
}

func (s *small) Feign(_ context.Context, local string) error { return s.note("feign " + local) }

func (s *small) Added(_ context.Context, all ...jid.Bare) { s.added = append(s.added, all...) }

func (s *small) End(who jid.Bare) { s.ended = append(s.ended, who) }

func (s *small) Remove(ctx context.Context, who jid.Bare) error { return s.remove(ctx, who) }

func (s *small) SetGroups(_ context.Context, groups []directory.Group) error {
	s.handed = append(s.handed, groups)
	return nil
}

// add adds somebody whose password is "right".
func (s *small) add(p directory.Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.people == nil {
		s.people, s.passwords = map[string]directory.Person{}, map[string]string{}
	}
	s.people[p.Local], s.passwords[p.Local] = p, "right"
}

func (s *small) drop(local string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.people, local)
}

// questions returns what was asked since it was asked last.
func (s *small) questions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.asked
	s.asked = nil
	return out
}

// office is a directory with a database.
type office struct {
	*small
	*directory.Directory
	db *storage.DB
	t  *testing.T
}

func open(t *testing.T, cfg directory.Config) *office {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Config{Path: storage.Memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Domain, cfg.VanishPercent = "x", 20
	s := &small{remove: db.Accounts().Delete}
	return &office{s, directory.New(cfg, directory.Parts{
		Source: s, Store: db.Directory(), Server: s, Groups: s, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}), db, t}
}

// own makes an account that is ours.
func (o *office) own(who jid.Bare) {
	o.t.Helper()
	keys, err := sasl.NewKeys("right", sasl.MinIterations)
	if err == nil {
		_, err = o.db.Accounts().Create(o.t.Context(), who, keys)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) sync() directory.Report {
	o.t.Helper()
	r, err := o.Sync(o.t.Context(), false)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// logIn wants a login to have an outcome, nil or a kind of error, and questions to
// be asked of the directory for it.
func (o *office) logIn(who jid.Bare, password string, want error, questions ...string) {
	o.t.Helper()
	o.questions()
	err := o.CheckPassword(o.t.Context(), who, password)
	if want == nil && err != nil || !errors.Is(err, want) {
		o.t.Errorf("%s with %q: %v, want %v", who, password, err, want)
	}
	if diff := cmp.Diff(questions, o.questions(), cmpopts.EquateEmpty()); diff != "" {
		o.t.Errorf("%s with %q asked the directory (+), want (-):\n%s", who, password, diff)
	}
}

// Whoever must not come in costs the same questions, whatever the reason.
func TestCheckPassword(t *testing.T) {
	o := open(t, directory.Config{})
	o.add(directory.Person{Local: "ada", Name: "Ada"})
	o.add(directory.Person{Local: "bob"})
	o.add(directory.Person{Local: "carol"})
	o.add(directory.Person{Local: "dora"})
	o.own("bob@x") // whom the directory has too
	o.own("zoe@x")
	o.sync()
	o.logIn("ada@x", "right", nil, "check ada")
	o.logIn("ada@x", "wrong", sasl.ErrNotAuthorized, "check ada")
	o.logIn("ada@x", "", sasl.ErrNotAuthorized)
	o.logIn("ada@y", "right", sasl.ErrNotAuthorized)
	o.logIn("nobody@x", "right", sasl.ErrNotAuthorized, "check nobody")
	o.logIn("bob@x", "right", sasl.ErrNotAuthorized, "feign bob") // his password here was wrong, and nobody else's will do
	o.logIn("zoe@x", "wrong", sasl.ErrNotAuthorized, "feign zoe")
	if err := o.db.Accounts().Disable(t.Context(), "dora@x", true); err != nil {
		t.Fatal(err)
	}
	o.logIn("dora@x", "right", nil, "check dora") // the server does not admit her, and may say why
	o.drop("carol")
	o.sync()
	o.logIn("carol@x", "right", sasl.ErrNotAuthorized, "check carol")

	o.away = errAway
	for _, who := range []string{"ada", "nobody", "carol", "dora"} {
		o.logIn(jid.Bare(who+"@x"), "right", sasl.ErrAway, "check "+who)
	}
	o.logIn("zoe@x", "wrong", sasl.ErrAway, "feign zoe")
	o.away = nil
	o.logIn("ada@x", "right", nil, "check ada")
}

// Whoever is in the directory can log in before it was read, and when they are
// back.
func TestFirstLogin(t *testing.T) {
	o := open(t, directory.Config{})
	o.add(directory.Person{Local: "ada", Entry: "1", Name: "Ada"})
	o.logIn("ada@x", "wrong", sasl.ErrNotAuthorized, "check ada")
	o.want("ada@x", nil)
	o.logIn("ada@x", "right", nil, "check ada")
	o.want("ada@x", &directory.Account{JID: "ada@x", Theirs: true, Person: directory.Person{Local: "ada", Entry: "1", Name: "Ada"}})
	o.drop("ada")
	if _, err := o.Sync(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	o.logIn("ada@x", "right", sasl.ErrNotAuthorized, "check ada")
	o.add(directory.Person{Local: "ada", Entry: "2"}) // somebody else
	o.logIn("ada@x", "right", sasl.ErrNotAuthorized, "check ada")
	o.add(directory.Person{Local: "ada", Entry: "1", Phone: "1"})
	o.logIn("ada@x", "right", nil, "check ada")
	o.want("ada@x", &directory.Account{JID: "ada@x", Theirs: true, Person: directory.Person{Local: "ada", Entry: "1", Phone: "1"}})
}

// want wants an account to be kept like that, or not at all.
func (o *office) want(who jid.Bare, want *directory.Account) {
	o.t.Helper()
	a, found, err := o.db.Directory().Account(o.t.Context(), who)
	if err != nil || found != (want != nil) {
		o.t.Fatalf("%s: found %v, %v", who, found, err)
	}
	if want != nil {
		if diff := cmp.Diff(*want, a); diff != "" {
			o.t.Errorf("%s:\n%s", who, diff)
		}
	}
}

// A password that was right is not asked about again for a while, until the person
// is gone.
func TestRemember(t *testing.T) {
	o := open(t, directory.Config{RememberFor: time.Hour})
	o.add(directory.Person{Local: "ada"})
	o.sync()
	o.logIn("ada@x", "wrong", sasl.ErrNotAuthorized, "check ada")
	o.logIn("ada@x", "right", nil, "check ada")
	o.logIn("ada@x", "right", nil)
	o.logIn("ada@x", "wrong", sasl.ErrNotAuthorized, "check ada")
	o.away = errAway
	o.logIn("ada@x", "right", nil)
	o.logIn("ada@x", "wrong", sasl.ErrAway, "check ada")
	o.away = nil
	o.drop("ada")
	if _, err := o.Sync(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	o.logIn("ada@x", "right", sasl.ErrNotAuthorized, "check ada")
}

// The accounts follow the directory, and so does who is logged in.
func TestSync(t *testing.T) {
	o := open(t, directory.Config{RemoveAfter: time.Hour})
	o.add(directory.Person{Local: "ada", Name: "Ada", Mail: "ada@x"})
	o.add(directory.Person{Local: "bob"})
	o.own("bob@x")
	o.groups = []directory.Group{{ID: "1", Title: "Sales", Members: []directory.Member{{JID: "ada@x", Name: "Ada"}, {JID: "bob@x", Name: "bob"}}}}
	r := o.sync()
	if r.Created != 1 || r.People != 2 || len(r.Clashes) != 1 || r.Clashes[0] != "bob@x" || len(r.Grievances()) != 1 {
		t.Errorf("%+v", r)
	}
	if !slices.Equal(o.added, []jid.Bare{"ada@x"}) {
		t.Errorf("added %v", o.added)
	}
	// Nobody is in a group for somebody else of their name.
	want := [][]directory.Group{{{ID: "1", Title: "Sales", Members: []directory.Member{{JID: "ada@x", Name: "Ada"}}}}}
	if diff := cmp.Diff(want, o.handed); diff != "" {
		t.Error(diff)
	}
	o.card("ada@x", "<FN>Ada</FN>", "<USERID>ada@x</USERID>")
	o.add(directory.Person{Local: "ada", Name: "Ada L."})
	if r := o.sync(); r.Updated != 1 {
		t.Errorf("%+v", r)
	}
	o.card("ada@x", "<FN>Ada L.</FN>")
	if r := o.sync(); r.Created+r.Updated+r.Vanished+r.Removed != 0 || len(o.ended) != 0 {
		t.Errorf("nothing is new: %+v, %v", r, o.ended)
	}

	// A vCard of one's own stays.
	mine := []byte("<vCard xmlns='vcard-temp'><FN>me</FN></vCard>")
	if err := o.db.VCards().Set(t.Context(), "ada@x", mine); err != nil {
		t.Fatal(err)
	}
	o.add(directory.Person{Local: "ada", Name: "Ada K."})
	o.sync()
	o.card("ada@x", "<FN>me</FN>")

	o.add(directory.Person{Local: "zoe"})
	o.drop("ada")
	if r := o.sync(); r.Vanished != 1 || !slices.Equal(o.ended, []jid.Bare{"ada@x"}) {
		t.Errorf("%+v, ended %v", r, o.ended)
	}
	id, _, err := o.db.Accounts().ID(t.Context(), "ada@x")
	if err != nil {
		t.Fatal(err)
	}
	admitted := func(want bool) {
		t.Helper()
		if _, err := o.db.Accounts().Admit(t.Context(), id); (err == nil) != want {
			t.Errorf("admitted: %v, want %v", err, want)
		}
	}
	admitted(false)
	o.add(directory.Person{Local: "ada", Name: "Ada K."})
	o.sync()
	admitted(true)
	if len(o.ended) != 1 {
		t.Errorf("ended %v, though she is back", o.ended)
	}
	o.logIn("ada@x", "right", nil, "check ada")
}

func (o *office) card(who jid.Bare, words ...string) {
	o.t.Helper()
	xml, _, err := o.db.VCards().Get(o.t.Context(), who)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, w := range words {
		if !strings.Contains(string(xml), w) {
			o.t.Errorf("the vCard of %s is %s, without %s", who, xml, w)
		}
	}
}

// An account that was made here becomes the directory's where that is wanted: its
// password is of no use then.
func TestTakeOver(t *testing.T) {
	o := open(t, directory.Config{TakeOver: true})
	o.own("ada@x")
	o.add(directory.Person{Local: "ada"})
	if r := o.sync(); r.TakenOver != 1 {
		t.Errorf("%+v", r)
	}
	if _, found, err := o.db.Accounts().Keys(t.Context(), "ada@x", sasl.SHA256); found || err != nil {
		t.Errorf("it has keys: %v, %v", found, err)
	}
	o.logIn("ada@x", "right", nil, "check ada")
}

// Who has been gone for long enough is removed; so many at once are not.
func TestRemoveAndMistakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, directory.Config{RemoveAfter: time.Hour})
		for _, name := range strings.Fields("a b c d e f g h") {
			o.add(directory.Person{Local: name})
		}
		o.sync()
		o.drop("a")
		o.sync()
		for _, name := range strings.Fields("b c d e f g") {
			o.drop(name)
		}
		time.Sleep(time.Hour)
		r := o.sync()
		if r.Missed != 6 || r.Vanished+r.Removed != 0 || len(r.Grievances()) != 1 {
			t.Errorf("%+v", r)
		}
		r, err := o.Sync(t.Context(), true)
		if err != nil || r.Vanished != 6 || r.Removed != 1 {
			t.Errorf("%+v, %v", r, err)
		}
		o.want("a@x", nil)
	})
}

// The directory is read at the start, again after the interval, when it is told
// to, and sooner when it was away.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := open(t, directory.Config{Interval: time.Hour})
		o.add(directory.Person{Local: "ada"})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- o.Run(ctx) }()
		reads := func(n int) {
			t.Helper()
			synctest.Wait()
			if got := len(o.questions()); got != n {
				t.Errorf("read %d times, want %d", got, n)
			}
		}
		reads(1)
		time.Sleep(time.Hour - 1)
		reads(0)
		time.Sleep(time.Nanosecond)
		reads(1)
		o.Kick()
		reads(1)
		o.mu.Lock()
		o.away = errAway
		o.mu.Unlock()
		o.Kick()
		reads(1)
		time.Sleep(time.Minute)
		reads(1)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
