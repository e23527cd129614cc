package caps

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall/xmpp/entity"
)

func TestAbilities(t *testing.T) {
	a := newAbilities(entity.Info{
		Identities: []entity.Identity{{Category: "client", Type: "phone", Name: "P"}},
		Features:   []string{"urn:b+notify", "urn:x", "urn:a+notify", "+notify"},
	})
	if !slices.Equal(a.interests, []string{"urn:a", "urn:b"}) {
		t.Errorf("interests are %v", a.interests)
	}
	if !a.Has("urn:x") || a.Has("urn:y") || !a.Is("client", "phone") || a.Is("client", "pc") {
		t.Errorf("%+v", a)
	}
	var nobody *Abilities
	if nobody.Has("urn:x") || nobody.Is("client", "phone") {
		t.Error("something is known of nobody")
	}
}

func TestAbilitiesAreBounded(t *testing.T) {
	var i entity.Info
	for n := range entity.MaxFeatures {
		i.Features = append(i.Features, fmt.Sprintf("%s%d+notify", strings.Repeat("x", 100), n))
	}
	for n := range entity.MaxIdentities {
		i.Identities = append(i.Identities, entity.Identity{Category: "client", Type: fmt.Sprintf("%s%d", strings.Repeat("x", 1000), n)})
	}
	a, size := newAbilities(i), 0
	for _, x := range a.identities {
		size += len(x.Category) + len(x.Type) + len(x.Lang)
	}
	for _, x := range a.features {
		size += len(x)
	}
	if size > maxBytes || len(a.interests) > maxInterests {
		t.Errorf("%d bytes, %d interests", size, len(a.interests))
	}
}

func TestCache(t *testing.T) {
	c := cache{most: 2}
	x, y, z := new(Abilities), new(Abilities), new(Abilities)
	c.put(sum{"sha-1", "x"}, x)
	c.put(sum{"sha-1", "y"}, y)
	c.put(sum{"sha-1", "x"}, z) // the first stays
	if c.get(sum{"sha-1", "x"}) != x {
		t.Error("x is another")
	}
	c.put(sum{"sha-1", "z"}, z)
	if c.get(sum{"sha-1", "y"}) != nil || c.get(sum{"sha-1", "x"}) != x || c.get(sum{"sha-1", "z"}) != z {
		t.Error("not the one that was not asked for longest is forgotten")
	}
	if c.get(sum{"sha-256", "x"}) != nil {
		t.Error("the hash function does not count")
	}
}
