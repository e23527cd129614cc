package entity

import (
	"crypto/sha256"
	"errors"
	"reflect"
	"strings"
	"testing"

	"rollcall/xmpp/stanza"
	"rollcall/xmpp/stream"
)

// answer is what somebody could send, or nil if it does not get through.
func answer(raw string) *stanza.Element {
	l := stream.Limits{Stanza: 1 << 18, Tag: 1 << 14, Depth: 64, Attrs: 32, Namespaces: 32}
	sc := stream.New(l)
	sc.Reset(l, stanza.NSClient, nil)
	st, err := sc.Whole([]byte("<iq type='result' id='1'>" + raw + "</iq>"))
	if err != nil {
		return nil
	}
	return st.Payload()
}

const head = "<query xmlns='http://jabber.org/protocol/disco#info'>"

func TestParse(t *testing.T) {
	i, err := Parse(answer(head + "<identity category='client' type='pc' xml:lang='el' name='Ψ'/><feature var='a'/><other xmlns='o'/>" +
		"<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>t</value></field><field var='v'><value>1</value><value>2</value></field></x>" +
		"<x xmlns='jabber:x:data' type='result'><field var='v'><value>of nothing</value></field></x></query>"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(i.Identities, []Identity{{"client", "pc", "el", "Ψ"}}) || !reflect.DeepEqual(i.Features, []string{"a"}) {
		t.Errorf("%+v", i)
	}
	if len(i.Forms) != 1 || i.Forms[0].Type != "t" || len(i.Forms[0].Fields) != 1 || len(i.Forms[0].Fields[0].Values) != 2 {
		t.Errorf("forms are %+v", i.Forms)
	}
}

// XEP-0115 §5.4, rule 3.
func TestParseRefuses(t *testing.T) {
	const typed = "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>t</value></field></x>"
	for _, c := range []struct {
		name, raw string
		want      error
	}{
		{"two identities", head + "<identity category='a' type='b'/><identity category='a' type='b'/></query>", ErrIllFormed},
		{"two features", head + "<feature var='a'/><feature var='a'/></query>", ErrIllFormed},
		{"two forms", head + typed + typed + "</query>", ErrIllFormed},
		{"two types", head + "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>t</value><value>u</value></field></x></query>", ErrIllFormed},
		{"too many features", head + strings.Repeat("<feature var='a'/>", MaxFeatures+1) + "</query>", ErrTooMuch},
		{"too many values", head + "<x xmlns='jabber:x:data'><field var='v'>" + strings.Repeat("<value/>", maxValues+1) + "</field></x></query>", ErrTooMuch},
	} {
		if _, err := Parse(answer(c.raw)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Parse(answer("<query xmlns='other'/>")); err == nil {
		t.Error("another query was taken")
	}
}

// FuzzParse: what is taken is known by a hash, and what is written of it is taken again
// and known by the same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		head + "<identity category='client' type='pc' xml:lang='en' name='&lt;'/><feature var='a'/></query>",
		head + "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'><value>t</value></field><field var='v'><value/></field></x></query>",
		head + "<x xmlns='jabber:x:data'><field var='FORM_TYPE'/><field/></x></query>", "<query/>", head + "<feature/></query>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e := answer(raw)
		if e == nil {
			return
		}
		i, err := Parse(e)
		if err != nil {
			return
		}
		if len(i.Verification()) != 28 || len(i.VerificationBy(sha256.New())) != 44 {
			t.Fatal("no hash")
		}
		again := answer(string(i.Append(nil, "n")))
		if again == nil {
			t.Fatal("what was written cannot be sent")
		}
		if _, err := Parse(again); err != nil && len(i.Forms) == 0 {
			t.Fatalf("what was written is not taken: %v", err)
		}
	})
}
