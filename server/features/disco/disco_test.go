package disco

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"rollcall/server"
	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

func TestTellCollectsAllFeatures(t *testing.T) {
	got := tell([]server.Info{
		{Host: []string{"h2", "both"}, Account: []string{"a"}},
		{Host: []string{"h1", "both"}, Account: []string{"both"}},
	}, nil)
	if want := []string{"both", "h1", "h2"}; !slices.Equal(got.host.Features, want) {
		t.Errorf("the server has %v, want %v", got.host.Features, want)
	}
	if want := []string{"a", "both"}; !slices.Equal(got.registered.Features, want) || !slices.Equal(got.anonymous.Features, want) {
		t.Errorf("accounts have %v and %v, want %v", got.registered.Features, got.anonymous.Features, want)
	}
	if got.ver != got.host.Verification() {
		t.Errorf("ver is %s, not that of the server's information", got.ver)
	}
}

// What has changed is told, and what was told before too, to those who ask for
// it by its name.
func TestRefresh(t *testing.T) {
	value := "1"
	f := New(nil, func() []form.Form {
		return []form.Form{{Type: "t", Fields: []form.Field{{Var: "v", Values: []string{value}}}}}
	})
	server.New(t.Context(), server.Options{Features: []server.Feature{f}})
	asks := func(node string) string {
		b, err := f.hostInfo(t.Context(), &server.Request{Payload: &stanza.Element{Attrs: []stanza.Attr{{Local: "node", Value: node}}}})
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	first := f.told()[0].ver
	f.Refresh()
	if len(f.told()) != 1 {
		t.Error("something is remembered though nothing has changed")
	}
	value = "2"
	f.Refresh()
	if second := f.told()[0].ver; second == first || !strings.Contains(string(f.told()[0].caps), second) {
		t.Errorf("known as %s and then as %s", first, second)
	}
	if got := asks(""); !strings.Contains(got, "<value>2</value>") {
		t.Errorf("now it says %s", got)
	}
	if got := asks(Node + "#" + first); !strings.Contains(got, "<value>1</value>") {
		t.Errorf("to those who know the first it says %s", got)
	}
	for n := range maxSaid {
		value = strconv.Itoa(n + 10)
		f.Refresh()
	}
	if got := asks(Node + "#" + first); got != "item-not-found" || len(f.told()) != maxSaid {
		t.Errorf("after many changes: %s, %d are remembered", got, len(f.told()))
	}
}
