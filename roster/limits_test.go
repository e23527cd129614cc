package roster

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// RFC 6121 §2.3.3.
func TestCheck(t *testing.T) {
	cfg := Config{MaxGroups: 3, MaxNameBytes: 10, MaxGroupBytes: 5}
	for _, c := range []struct {
		what string
		edit Edit
		want error
	}{
		{"all is well", Edit{Contact: "bob@x", Name: "Bob", Groups: []string{"a", "b"}}, nil},
		{"a domain", Edit{Contact: "y"}, nil},
		{"tab and newline", Edit{Contact: "bob@x", Name: "a\tb\nc"}, nil},
		{"a name at the limit", Edit{Contact: "bob@x", Name: strings.Repeat("n", 10)}, nil},
		{"groups at the limit", Edit{Contact: "bob@x", Groups: []string{"a", "b", "ccccc"}}, nil},
		{"groups that differ in case", Edit{Contact: "bob@x", Groups: []string{"tea", "Tea"}}, nil},
		{"no address", Edit{}, stanza.ErrBadRequest},
		{"oneself", Edit{Contact: "ada@x"}, stanza.ErrNotAllowed},
		{"a long name", Edit{Contact: "bob@x", Name: strings.Repeat("n", 11)}, stanza.ErrNotAcceptable},
		{"an empty group", Edit{Contact: "bob@x", Groups: []string{""}}, stanza.ErrNotAcceptable},
		{"a long group", Edit{Contact: "bob@x", Groups: []string{"gggggg"}}, stanza.ErrNotAcceptable},
		{"many groups", Edit{Contact: "bob@x", Groups: []string{"a", "b", "c", "d"}}, stanza.ErrNotAcceptable},
		{"a group twice", Edit{Contact: "bob@x", Groups: []string{"a", "b", "a"}}, stanza.ErrBadRequest},
		{"a group twice, composed otherwise", Edit{Contact: "bob@x", Groups: []string{"\u00e9", "e\u0301"}}, stanza.ErrBadRequest},
		{"control characters in the name", Edit{Contact: "bob@x", Name: "a\x1fb"}, stanza.ErrBadRequest},
		{"control characters in a group", Edit{Contact: "bob@x", Groups: []string{"a\x1e"}}, stanza.ErrBadRequest},
		{"no UTF-8", Edit{Contact: "bob@x", Name: "a\xff"}, stanza.ErrBadRequest},
	} {
		if err := cfg.Check("ada@x", c.edit); !errors.Is(err, c.want) || (err != nil) != (c.want != nil) {
			t.Errorf("%s: %v, not %v", c.what, err, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := Config{MaxItems: 1 << 20, MaxNameBytes: 1 << 20, MaxGroups: 7}.WithDefaults()
	if c.MaxItems != maxItems || c.MaxNameBytes != maxNameBytes || c.MaxGroups != 7 || c.MaxRequests == 0 {
		t.Errorf("got %+v", c)
	}
}

func TestTooMany(t *testing.T) {
	ctx := t.Context()
	b := NewBook(newStore("ada@x"), Config{MaxItems: 3, MaxRequests: 1, MaxRequestBytes: 8})
	for i := range 2 {
		if _, err := b.Set(ctx, "ada@x", Edit{Contact: jid.Bare(fmt.Sprintf("c%d@x", i))}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Inbound(ctx, "ada@x", "c0@x", Subscribe, []byte("123456789"), nil); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("a large request: %v", err)
	}
	if _, err := b.Inbound(ctx, "ada@x", "c0@x", Subscribe, []byte("12345678"), nil); err != nil {
		t.Errorf("a request: %v", err)
	}
	if _, err := b.Inbound(ctx, "ada@x", "c1@x", Subscribe, []byte("1"), nil); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("one request too many: %v", err)
	}
	if _, err := b.Outbound(ctx, "ada@x", "c2@x", Subscribe, nil); err != nil {
		t.Errorf("the last item: %v", err)
	}
	if _, err := b.Outbound(ctx, "ada@x", "c3@x", Subscribe, nil); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("a subscription too many: %v", err)
	}
	if _, err := b.Set(ctx, "ada@x", Edit{Contact: "c4@x"}, nil); !errors.Is(err, stanza.ErrPolicyViolation) {
		t.Errorf("an item too many: %v", err)
	}
	if _, err := b.Set(ctx, "ada@x", Edit{Contact: "c1@x", Name: "still"}, nil); err != nil {
		t.Errorf("changing an item of a full roster: %v", err)
	}
	if _, err := b.Remove(ctx, "ada@x", "c1@x", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Set(ctx, "ada@x", Edit{Contact: "c4@x"}, nil); err != nil {
		t.Errorf("after one was removed: %v", err)
	}
}
