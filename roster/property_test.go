package roster

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"rollcall/xmpp/jid"
)

// regroupAll changes the groups at random, in one of the ways that there are.
func (c chance) regroupAll(ctx context.Context, g *Groups) {
	name := chanceGroups[c.IntN(len(chanceGroups))]
	yes, title := c.half(), []string{"One", "Two", "Three"}[c.IntN(3)]
	// What cannot be done is refused: that is fine here.
	switch c.IntN(8) {
	case 0, 1:
		x := c.group(name)
		g.Add(ctx, x)
	case 2:
		g.Remove(ctx, name)
	case 3:
		g.Join(ctx, name, Member{c.person(), []string{"", "Somebody"}[c.IntN(2)]})
	case 4:
		g.Leave(ctx, name, c.person())
	case 5:
		g.SetVisible(ctx, name, chanceGroups[c.IntN(len(chanceGroups))], c.half())
	case 6:
		g.Set(ctx, name, GroupChange{Title: &title})
	case 7:
		g.Set(ctx, name, GroupChange{Mutual: &yes})
	}
}

// act is something that an owner or a contact does.
type act struct {
	contact jid.Bare
	edit    *Edit // or
	remove  bool  // or
	sent    bool  // or received
	event   Event
}

func (c chance) act() act {
	a := act{contact: chancePeople[c.IntN(4)], sent: c.half(), event: allEvents[c.IntN(4)]}
	switch c.IntN(4) {
	case 0, 1:
		a.edit = &Edit{Contact: a.contact, Name: []string{"", "Mine", "Somebody"}[c.IntN(3)]}
		for _, g := range []string{"One", "Two", "Own"} {
			if c.half() {
				a.edit.Groups = append(a.edit.Groups, g)
			}
		}
	case 2:
		a.remove = c.half()
	}
	return a
}

func (a act) do(ctx context.Context, b *Book, owner jid.Bare) (res Result, err error) {
	ignore := func(r Result) {}
	switch {
	case a.edit != nil:
		return b.Set(ctx, owner, *a.edit, ignore)
	case a.remove:
		return b.Remove(ctx, owner, a.contact, ignore)
	case a.sent:
		return b.Outbound(ctx, owner, a.contact, a.event, ignore)
	}
	return b.Inbound(ctx, owner, a.contact, a.event, []byte("<presence/>"), ignore)
}

// plain is what an act comes to without groups, of what it was when there were
// some: r is the roster as it was seen then. It is nil for what a group had
// answered, or forbidden.
func (a act) plain(r, own *Roster) *act {
	shared := r.Shared(a.contact)
	mine, has := own.Lookup(a.contact)
	switch {
	case a.edit != nil && shared.Has(To):
		if !has || mine.Hidden {
			return nil // it is only noted
		}
		it, _ := r.Lookup(a.contact)
		e := *a.edit
		if e.Name == it.Name && mine.Name == "" {
			e.Name = ""
		}
		e.Groups = slices.DeleteFunc(slices.Clone(e.Groups), func(g string) bool {
			return slices.Contains(r.view.titles(r.person(a.contact)), g) && !slices.Contains(mine.Groups, g)
		})
		a.edit = &e
	case a.edit != nil:
	case a.remove:
		if shared.Has(To) {
			return nil
		}
	case a.sent && a.event == Subscribe && shared.Has(To),
		a.sent && a.event == Subscribed && shared.Has(From) && !mine.State.Has(PendingIn),
		!a.sent && a.event == Subscribe && shared.Has(From):
		return nil
	}
	return &a
}

// Whatever is done while groups come and go: when they are all gone, everybody's
// roster is as if they had never been there.
func TestAsIfTheyHadNeverBeenThere(t *testing.T) {
	ctx := t.Context()
	for seed := range uint64(600) {
		c := chance{rand.New(rand.NewPCG(5, seed))}
		v := newVillage(GroupConfig{}, chancePeople[:5]...)
		plain := NewBook(newStore(chancePeople[:5]...), Config{})
		var story []string
		for range 100 {
			if c.IntN(4) == 0 {
				c.regroupAll(ctx, v.Groups)
				continue
			}
			owner, a := chancePeople[c.IntN(2)], c.act()
			before := mustOf(t, v.book, owner)
			same := a.plain(before, mustOf(t, plain, owner))
			_, err1 := a.do(ctx, v.book, owner)
			var err2 error
			if same != nil {
				_, err2 = same.do(ctx, plain, owner)
			}
			story = append(story, fmt.Sprintf("%s: %+v %+v with %q shared: %v, %v", owner, a, a.edit, before.Shared(a.contact), err1, err2))
			if was, _ := before.lookup(a.contact); was.Noted {
				// What he called a contact stays when he adds it himself.
				it, _ := mustOf(t, v.book, owner).lookup(a.contact)
				if e := (Edit{a.contact, was.Name, was.Groups}); !it.Noted && a.edit == nil {
					if _, err := plain.Set(ctx, owner, e, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			if same != nil && (err1 == nil) != (err2 == nil) {
				t.Fatalf("%d: %v", seed, story)
			}
		}
		for _, name := range chanceGroups {
			v.Remove(ctx, name)
		}
		for _, owner := range chancePeople[:5] {
			got, want := describe(mustOf(t, v.book, owner)), describe(mustOf(t, plain, owner))
			if got != want {
				t.Fatalf("%d: %s has\n%s\nand should have\n%s\nafter %v", seed, owner, got, want, story)
			}
		}
	}
}

// cache is what a client keeps of a roster (RFC 6121 §2.6).
type cache struct {
	ver   string
	items map[jid.Bare]string
}

func (k *cache) take(c Change) {
	k.ver = c.Version
	if delete(k.items, c.Item.Contact); !c.Removed {
		k.items[c.Item.Contact] = picture(c.Item)
	}
}

func (k *cache) all(r *Roster) {
	k.ver, k.items = r.Version(), map[jid.Bare]string{}
	for it := range r.Items() {
		k.items[it.Contact] = picture(it)
	}
}

func picture(it Item) string {
	return fmt.Sprintf("%q %v %s", it.Name, it.Groups, it.State.visible())
}

// A client that goes away and comes back, in the middle of anything, has the
// roster as it is once it has been told what changed since the version that it
// had.
func TestVersionsAreTrue(t *testing.T) {
	ctx := t.Context()
	whole, partly := 0, 0
	for seed := range uint64(300) {
		c := chance{rand.New(rand.NewPCG(7, seed))}
		v := newVillage(GroupConfig{}, chancePeople[:5]...)
		k := &cache{}
		k.all(mustOf(t, v.book, "ada@x"))
		online := true
		push := func(ch Change) {
			online = online && c.IntN(8) > 0
			if online {
				k.take(ch)
			}
		}
		v.book.OnDifference(func(owner jid.Bare, before, now *Roster) {
			if owner != "ada@x" {
				return
			}
			lists, _ := now.Differs(before)
			all := slices.Concat(lists...)
			for i, contact := range all {
				ver := now.Partly(before)
				if i == len(all)-1 {
					ver = now.Version()
				}
				push(now.Change(contact, ver))
			}
		})
		for range 80 {
			if c.half() {
				c.regroupAll(ctx, v.Groups)
			} else if res, err := c.act().do(ctx, v.book, "ada@x"); err == nil && res.Push != nil {
				push(*res.Push)
			}
			r := mustOf(t, v.book, "ada@x")
			if !online && c.IntN(1+int(seed%30)) == 0 {
				online = true
				changes, ok := r.Since(k.ver, v.book.Past()...)
				if !ok {
					whole++
					k.all(r)
				}
				partly += min(len(changes), 1)
				once := map[jid.Bare]bool{}
				for _, ch := range changes {
					if once[ch.Item.Contact] {
						t.Errorf("%d: %s is told of twice", seed, ch.Item.Contact)
					}
					once[ch.Item.Contact] = true
					push(ch)
				}
			}
			if online {
				want := &cache{}
				want.all(r)
				if !maps.Equal(k.items, want.items) {
					t.Fatalf("%d: the client has %q\n%v\nand the roster is %q\n%v", seed, k.ver, k.items, want.ver, want.items)
				}
			}
		}
	}
	if whole == 0 || partly == 0 {
		t.Errorf("%d times all and %d times what changed was told", whole, partly)
	}
}

// An owner who puts a contact into a group by hand that he took it out of before
// finds it there.
func TestLeftIsTakenBack(t *testing.T) {
	v := newVillage(GroupConfig{}, "ada@x", "bob@x")
	ctx := t.Context()
	set := func(groups ...string) {
		t.Helper()
		if _, err := v.book.Set(ctx, "ada@x", Edit{Contact: "bob@x", Groups: groups}, nil); err != nil {
			t.Fatal(err)
		}
	}
	staff := func(on bool, lines ...string) {
		t.Helper()
		err := v.Remove(ctx, "staff")
		if on {
			err = v.Add(ctx, Group{Name: "staff", Mutual: true, Members: members("ada@x", "bob@x")})
		}
		if err != nil {
			t.Fatal(err)
		}
		wantRoster(t, mustOf(t, v.book, "ada@x"), lines...)
	}
	staff(true, `bob@x "Bob" [staff] Both`)
	set()
	staff(false)
	set("Tea")
	staff(true, `bob@x "Bob" [Tea] Both`)
	staff(false, `bob@x "" [Tea] None`)
	set("staff")
	set("Tea")
	staff(true, `bob@x "Bob" [Tea staff] Both`)
}

func TestRegroup(t *testing.T) {
	for _, c := range []struct {
		what                    string
		sent, titles, own, left []string
		groups, leftNow         []string
	}{
		{"sent back as it is shown", []string{"Staff"}, []string{"Staff"}, nil, nil, nil, nil},
		{"a group of one's own", []string{"Staff", "Tea"}, []string{"Staff"}, nil, nil, []string{"Tea"}, nil},
		{"out of the shared group", []string{"Tea"}, []string{"Staff"}, nil, nil, []string{"Tea"}, []string{"Staff"}},
		{"and back into it", []string{"Staff"}, []string{"Staff"}, []string{"Tea"}, []string{"Staff"}, nil, nil},
		{"out of both", nil, []string{"A", "B"}, []string{"Tea"}, nil, nil, []string{"A", "B"}},
		{"one's own of that name stays", []string{"Staff"}, []string{"Staff"}, []string{"Staff"}, nil, []string{"Staff"}, nil},
		{"and goes when it is left", nil, []string{"Staff"}, []string{"Staff"}, nil, nil, []string{"Staff"}},
		{"what is not there now stays left", []string{"A"}, []string{"A"}, nil, []string{"B"}, nil, []string{"B"}},
		{"unless it is one's own now", []string{"A", "B"}, []string{"A"}, nil, []string{"B"}, []string{"B"}, nil},
	} {
		groups, left := regroup(c.sent, c.titles, c.own, c.left)
		if !slices.Equal(groups, c.groups) || !slices.Equal(left, c.leftNow) {
			t.Errorf("%s: %v, out of %v; not %v, out of %v", c.what, groups, left, c.groups, c.leftNow)
		}
	}
}
