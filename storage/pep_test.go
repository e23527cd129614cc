package storage

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/server/features/pep"
	"rollcall/xmpp/jid"
)

// pepStage is a store with an account that publishes.
type pepStage struct {
	*testing.T
	*PEP
	ada int64
}

func newPEPStage(t *testing.T, db *DB) *pepStage {
	return &pepStage{t, db.PEP(), int64(newAccount(t, db, "ada@x"))}
}

func (s *pepStage) change(c pep.Change) error {
	s.Helper()
	if c.Limits == (pep.Limits{}) {
		c.Limits = pep.Limits{Nodes: 10, Items: 10, Bytes: 1000 + 10*pep.Overhead}
	}
	return s.Change(s.Context(), s.ada, c)
}

func (s *pepStage) must(c pep.Change) {
	s.Helper()
	if err := s.change(c); err != nil {
		s.Fatal(err)
	}
}

func (s *pepStage) node(name string) *pep.Node {
	s.Helper()
	all, err := s.Nodes(s.Context(), s.ada)
	if err != nil {
		s.Fatal(err)
	}
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// ids returns the items of a node, in order.
func (s *pepStage) ids(name string, p pep.Page) string {
	s.Helper()
	all, _, err := s.Items(s.Context(), s.node(name).ID, p)
	if err != nil {
		s.Fatal(err)
	}
	var ids []string
	for _, it := range all {
		ids = append(ids, it.ID+"="+string(it.Payload))
	}
	return strings.Join(ids, " ")
}

var pepEpoch = time.UnixMicro(1_700_000_000_000_000)

func published(node, id, payload string) pep.Change {
	return pep.Change{Node: pep.Node{Name: node}, Put: &pep.Item{ID: id, Payload: []byte(payload), At: pepEpoch}}
}

func TestPEPNodes(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := newPEPStage(t, db)
		if got, err := s.Nodes(t.Context(), s.ada); err != nil || got != nil {
			t.Errorf("at first: %v, %v", got, err)
		}
		want := pep.Options{
			Title: "T", Type: "urn:t", Access: pep.Roster, Groups: []string{"a", "b c"}, Persist: true, MaxItems: 3, SendLast: pep.SendOnSub,
			Payloads: true, NotifyRetract: true,
		}
		s.must(pep.Change{Node: pep.Node{Name: "n", Options: want}, Options: true})
		s.must(pep.Change{Node: pep.Node{Name: "a", Options: pep.Options{Access: pep.Open, SendLast: pep.SendNever, Notify: true, NotifyDelete: true}}, Options: true})
		n := s.node("n")
		if n == nil || !slices.Equal(n.Groups, want.Groups) || n.Title != "T" || n.Type != "urn:t" || n.Access != pep.Roster || !n.Persist ||
			n.MaxItems != 3 || n.SendLast != pep.SendOnSub || !n.Payloads || !n.NotifyRetract || n.Notify || n.NotifyDelete {
			t.Errorf("made as %+v, kept as %+v", want, n)
		}
		if a := s.node("a"); a == nil || a.Groups != nil || a.Persist || a.Payloads || !a.Notify || !a.NotifyDelete || a.MaxItems != 0 {
			t.Errorf("kept as %+v", a)
		}
		// Written again it is the same node.
		want.Title, want.Groups = "U", nil
		s.must(pep.Change{Node: pep.Node{Name: "n", Options: want}, Options: true})
		if again := s.node("n"); again.ID != n.ID || again.Title != "U" || again.Groups != nil {
			t.Errorf("changed to %+v", again)
		}
		limits := pep.Limits{Nodes: 2, Items: 1, Bytes: 100}
		if err := s.change(pep.Change{Node: pep.Node{Name: "third"}, Options: true, Limits: limits}); !errors.Is(err, pep.ErrTooManyNodes) {
			t.Errorf("a third node: %v", err)
		}
		if err := s.change(pep.Change{Node: pep.Node{Name: "n", Options: want}, Options: true, Limits: limits}); err != nil {
			t.Errorf("one that is there: %v", err)
		}
		if err := s.change(published("nowhere", "i", "<a/>")); !errors.Is(err, pep.ErrNoNode) {
			t.Errorf("published nowhere: %v", err)
		}
		if err := s.Change(t.Context(), 4711, pep.Change{Node: pep.Node{Name: "n"}, Options: true, Limits: limits}); !errors.Is(err, ErrNoAccount) {
			t.Errorf("of nobody: %v", err)
		}
		s.must(pep.Change{Node: pep.Node{Name: "n"}, Delete: true})
		if s.node("n") != nil || s.node("a") == nil {
			t.Error("the wrong node is gone")
		}
	})
}

func TestPEPItems(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := newPEPStage(t, db)
		first := published("n", "1", "<a/>")
		first.Options = true // makes the node
		s.must(first)
		s.must(published("n", "2", "<b/>"))
		s.must(published("n", "3", "<c/>"))
		s.must(published("n", "1", "<d/>")) // the clock stands still; order is kept all the same
		if got := s.ids("n", pep.Page{}); got != "2=<b/> 3=<c/> 1=<d/>" {
			t.Errorf("items are %s", got)
		}
		if got := s.ids("n", pep.Page{Most: 2}); got != "3=<c/> 1=<d/>" {
			t.Errorf("the last two are %s", got)
		}
		if got := s.ids("n", pep.Page{IDs: []string{"1", "no", "2"}}); got != "1=<d/> 2=<b/>" {
			t.Errorf("by id they are %s", got)
		}
		if _, total, err := s.Items(t.Context(), s.node("n").ID, pep.Page{Most: 1}); err != nil || total != 3 {
			t.Errorf("%d in all, %v", total, err)
		}
		n := s.node("n")
		if n.Items != 3 || n.Last.ID != "1" || string(n.Last.Payload) != "<d/>" || !n.Last.At.Equal(pepEpoch) {
			t.Errorf("the node has %d, the last is %+v", n.Items, n.Last)
		}
		trim := published("n", "4", "<e/>")
		trim.Limits = pep.Limits{Nodes: 1, Items: 2, Bytes: 1000 + 2*pep.Overhead}
		s.must(trim)
		if got := s.ids("n", pep.Page{}); got != "1=<d/> 4=<e/>" {
			t.Errorf("with room for two: %s", got)
		}
		if err := s.change(pep.Change{Node: *n, Retract: []string{"1", "2"}}); err != nil {
			t.Errorf("one of two is there: %v", err)
		}
		if err := s.change(pep.Change{Node: *n, Retract: []string{"1"}}); !errors.Is(err, pep.ErrNoItem) {
			t.Errorf("none is there: %v", err)
		}
		if err := s.change(published("n", "big", strings.Repeat("x", 4000))); !errors.Is(err, pep.ErrFull) {
			t.Errorf("over the limit: %v", err)
		}
		if got := s.ids("n", pep.Page{}); got != "4=<e/>" {
			t.Errorf("after that: %s", got)
		}
		s.must(pep.Change{Node: *n, Purge: true})
		if n := s.node("n"); n.Items != 0 || n.Last.ID != "" {
			t.Errorf("purged, it has %d", n.Items)
		}
	})
}

// However small things are, an account has room for so many.
func TestPEPOverhead(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := newPEPStage(t, db)
		limits := pep.Limits{Nodes: 1, Items: 10, Bytes: 3*pep.Overhead + 20}
		put := func(id string) error {
			c := published("n", id, "<a/>")
			c.Limits = limits
			return s.change(c)
		}
		affiliate := func(kind pep.Standing, all ...jid.Bare) error {
			c := pep.Change{Node: pep.Node{Name: "n"}, Limits: limits}
			for _, j := range all {
				c.Affiliate = append(c.Affiliate, pep.Affiliation{JID: j, Kind: kind})
			}
			return s.change(c)
		}
		s.must(pep.Change{Node: pep.Node{Name: "n"}, Options: true})
		if err := errors.Join(put("1"), put("2"), affiliate(pep.Member, "bob@x")); err != nil {
			t.Fatal(err)
		}
		if err := put("3"); !errors.Is(err, pep.ErrFull) {
			t.Errorf("one item more: %v", err)
		}
		if err := affiliate(pep.Outcast, "eve@x"); !errors.Is(err, pep.ErrFull) {
			t.Errorf("one outcast more: %v", err)
		}
		limits.Bytes = 1
		if err := affiliate("", "bob@x"); err != nil {
			t.Errorf("one less is too many: %v", err)
		}
	})
}

// What is large is not read with the nodes.
func TestPEPLargeItem(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := newPEPStage(t, db)
		for _, size := range []int{8192, 8193} {
			c := published("n", "i", strings.Repeat("x", size))
			c.Options, c.Limits = true, pep.Limits{Nodes: 1, Items: 1, Bytes: 1 << 20}
			s.must(c)
			if n := s.node("n"); (n.Last.Payload == nil) != (size > 8192) || n.Last.ID != "i" {
				t.Errorf("of %d bytes %d are read", size, len(n.Last.Payload))
			}
		}
	})
}

func TestPEPPeople(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s := newPEPStage(t, db)
		c := published("n", "i", "<a/>")
		c.Options = true
		c.Affiliate = []pep.Affiliation{{JID: "bob@x", Kind: pep.Member}, {JID: "eve@x", Kind: pep.Outcast}}
		c.Subscribe = []jid.JID{jid.MustParse("bob@x"), jid.MustParse("eve@x/lair")}
		s.must(c)
		s.must(pep.Change{Node: pep.Node{Name: "n"}, Subscribe: c.Subscribe, Affiliate: []pep.Affiliation{{JID: "bob@x", Kind: pep.Outcast}}})
		n := s.node("n")
		if !slices.Equal(n.Affiliations, []pep.Affiliation{{JID: "bob@x", Kind: pep.Outcast}, {JID: "eve@x", Kind: pep.Outcast}}) {
			t.Errorf("affiliations are %v", n.Affiliations)
		}
		if !slices.Equal(n.Subscribers, c.Subscribe) {
			t.Errorf("subscribers are %v", n.Subscribers)
		}
		s.must(pep.Change{Node: *n, Affiliate: []pep.Affiliation{{JID: "bob@x"}, {JID: "cat@x"}}, Leave: c.Subscribe[:1]})
		if n = s.node("n"); len(n.Affiliations) != 1 || len(n.Subscribers) != 1 {
			t.Errorf("left are %v and %v", n.Affiliations, n.Subscribers)
		}
		// Whoever gets the address of somebody who is no more is somebody else.
		s.must(pep.Change{
			Node: *n, Affiliate: []pep.Affiliation{{JID: "dan@x", Kind: pep.Member}, {JID: "danny@x", Kind: pep.Member}},
			Subscribe: []jid.JID{jid.MustParse("dan@x"), jid.MustParse("dan@x/home"), jid.MustParse("dan@x0"), jid.MustParse("danny@x/a")},
		})
		newAccount(t, db, "dan@x")
		var owners []jid.Bare
		if err := db.PEP().Owners(t.Context(), func(j jid.Bare) { owners = append(owners, j) }); err != nil || !slices.Equal(owners, []jid.Bare{"ada@x"}) {
			t.Errorf("who has nodes: %v, %v", owners, err)
		}
		if err := db.Accounts().Delete(t.Context(), "dan@x"); err != nil {
			t.Fatal(err)
		}
		if n = s.node("n"); n.Affiliations[0].JID == "dan@x" || len(n.Affiliations) != 2 || len(n.Subscribers) != 3 {
			t.Errorf("without dan there are %v and %v", n.Affiliations, n.Subscribers)
		}
		if err := db.Accounts().Delete(t.Context(), "ada@x"); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"pep_node", "pep_item", "pep_affiliation", "pep_subscription"} {
			var left int
			if err := db.read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&left); err != nil || left != 0 {
				t.Errorf("of a removed account %d rows of %s are left, %v", left, table, err)
			}
		}
	})
}
