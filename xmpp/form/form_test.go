package form

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/sent"
	"rollcall/xmpp/stanza"
)

func x(inner string) *stanza.Element {
	e := sent.Payload("<x xmlns='jabber:x:data' type='submit'>" + inner + "</x>")
	if e == nil {
		panic("not well-formed: " + inner)
	}
	return e
}

// bot is the form of XEP-0004 §5.1, in parts.
var bot = Form{
	Type: "jabber:bot", Title: "Bot <Configuration>", Instructions: []string{"Fill out this form", "to configure your new bot!"},
	Fields: []Field{
		{Kind: Fixed, Values: []string{"Section 1: Bot Info"}},
		{Var: "botname", Kind: TextSingle, Label: "The name of your bot", Required: true},
		{Var: "description", Kind: TextMulti, Label: "Helpful description", Values: Lines("one\r\ntwo")},
		{Var: "public", Kind: Boolean, Label: "Public bot?", Required: true, Values: []string{"0"}},
		{Var: "password", Kind: TextPrivate, Desc: "for special access"},
		{Var: "features", Kind: ListMulti, Values: []string{"news"}, Options: []Option{{"Contests", "contests"}, {"News", "news"}}},
		{Var: "maxsubs", Kind: ListSingle, Options: []Option{{"20", "20"}, {"None", "none"}}},
		{Var: "invitelist", Kind: JIDMulti},
		{Var: "owner", Kind: JIDSingle},
		{Var: "topics", Kind: ListMulti, Open: true},
	},
}

func TestAppendForm(t *testing.T) {
	want := "<x xmlns='jabber:x:data' type='form'><title>Bot &lt;Configuration&gt;</title>" +
		"<instructions>Fill out this form</instructions><instructions>to configure your new bot!</instructions>" +
		"<field var='FORM_TYPE' type='hidden'><value>jabber:bot</value></field>" +
		"<field type='fixed'><value>Section 1: Bot Info</value></field>" +
		"<field var='botname' type='text-single' label='The name of your bot'><required/></field>" +
		"<field var='description' type='text-multi' label='Helpful description'><value>one</value><value>two</value></field>" +
		"<field var='public' type='boolean' label='Public bot?'><required/><value>0</value></field>" +
		"<field var='password' type='text-private'><desc>for special access</desc></field>" +
		"<field var='features' type='list-multi'><value>news</value>" +
		"<option label='Contests'><value>contests</value></option><option label='News'><value>news</value></option></field>" +
		"<field var='maxsubs' type='list-single'><option label='20'><value>20</value></option><option label='None'><value>none</value></option></field>" +
		"<field var='invitelist' type='jid-multi'></field><field var='owner' type='jid-single'></field>" +
		"<field var='topics' type='list-multi'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate></field></x>"
	if got := string(bot.AppendForm(nil)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestAppendResult(t *testing.T) {
	f := Form{Type: "t", Fields: []Field{
		{Var: "a", Kind: ListSingle, Label: "A", Desc: "no", Required: true, Values: []string{"1"}, Options: []Option{{"1", "1"}}},
		{Var: "b", Values: []string{"", "<"}},
	}}
	want := "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>t</value></field>" +
		"<field var='a' type='list-single' label='A'><value>1</value></field><field var='b'><value/><value>&lt;</value></field></x>"
	if got := string(f.AppendResult(nil)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestTable(t *testing.T) {
	table := Table{
		Type: "jabber:iq:search", Title: "Found",
		Columns: []Field{{Var: "jid", Kind: JIDSingle, Label: "Address", Values: []string{"not here"}}, {Var: "nick"}},
		Rows:    [][]string{{"a@x", "Ada"}, {"b@x"}},
	}
	want := "<x xmlns='jabber:x:data' type='result'><title>Found</title>" +
		"<field var='FORM_TYPE' type='hidden'><value>jabber:iq:search</value></field>" +
		"<reported><field var='jid' type='jid-single' label='Address'></field><field var='nick'></field></reported>" +
		"<item><field var='jid'><value>a@x</value></field><field var='nick'><value>Ada</value></field></item>" +
		"<item><field var='jid'><value>b@x</value></field><field var='nick'><value/></field></item></x>"
	if got := string(table.AppendResult(nil)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestParse(t *testing.T) {
	a, err := Parse(x("<title>ignored</title><field type='hidden' var='FORM_TYPE'><value>jabber:bot</value></field>" +
		"<field type='fixed'><value>Section 1</value></field>" +
		"<field var='description'><value>one</value><other xmlns='urn:o'/><value>two</value></field>" +
		"<field var='public'><value> true </value></field><field var='empty'/><field var='none' xmlns='urn:o'><value>x</value></field>" +
		"<field var='list'><value>a@x</value><value>A@X</value><value/><value>b@x/r</value></field>"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Type != "jabber:bot" || a.Cancelled || len(a.Fields) != 4 {
		t.Errorf("read as %+v", a)
	}
	if got := a.Text("description"); got != "one\ntwo" {
		t.Errorf("the lines are %q", got)
	}
	if !a.Bool("public") || a.Bool("description") || a.Bool("nothing") {
		t.Error("not what is true")
	}
	if !a.Has("empty") || len(a.Values("empty")) != 0 || a.Has("none") || a.Values("none") != nil {
		t.Error("not what is there")
	}
	if all, err := a.JIDs("list"); err != nil || fmt.Sprint(all) != "[a@x b@x/r]" {
		t.Errorf("the addresses are %v, %v", all, err)
	}
	if _, err := a.JIDs("description"); err != nil {
		t.Errorf("one and two are domains: %v", err)
	}
}

func TestParseCancelled(t *testing.T) {
	a, err := Parse(sent.Payload("<x xmlns='jabber:x:data' type='cancel'><field/></x>"))
	if err != nil || !a.Cancelled || len(a.Fields) != 0 {
		t.Errorf("read as %+v, %v", a, err)
	}
}

func TestParseRefuses(t *testing.T) {
	many := strings.Builder{}
	for i := range MaxFields + 1 {
		fmt.Fprintf(&many, "<field var='f%d'/>", i)
	}
	for inner, want := range map[string]error{
		"<field><value>x</value></field>":                      stanza.ErrBadRequest,
		"<field var='a'/><field var='a'/>":                     stanza.ErrBadRequest,
		"<field var='" + strings.Repeat("a", maxVar+1) + "'/>": stanza.ErrBadRequest,
		many.String(): stanza.ErrPolicyViolation,
		"<field var='a'>" + strings.Repeat("<value/>", MaxValues+1) + "</field>": stanza.ErrPolicyViolation,
	} {
		if a, err := Parse(x(inner)); !errors.Is(err, want) {
			t.Errorf("%.60s: %+v, %v, want %v", inner, a, err, want)
		}
	}
	for _, typ := range []string{"", " type='form'", " type='result'"} {
		if a, err := Parse(sent.Payload("<x xmlns='jabber:x:data'" + typ + "/>")); !errors.Is(err, stanza.ErrBadRequest) {
			t.Errorf("%s: %+v, %v", typ, a, err)
		}
	}
}

func TestOf(t *testing.T) {
	if Of(sent.Payload("<query xmlns='q'><x/></query>")) != nil || Of(sent.Payload("<query xmlns='q'><x xmlns='jabber:x:data'/></query>")) == nil {
		t.Error("not the form")
	}
}

func TestCheck(t *testing.T) {
	const whole = "<field var='botname'><value>Joogle</value></field><field var='public'><value>1</value></field>"
	field := func(name string, values ...string) string {
		return whole + "<field var='" + name + "'><value>" + strings.Join(values, "</value><value>") + "</value></field>"
	}
	for inner, want := range map[string]error{
		whole: nil,
		whole + "<field var='FORM_TYPE'><value>jabber:bot</value></field>":                            nil,
		whole + "<field var='FORM_TYPE'><value>jabber:cat</value></field>":                            stanza.ErrBadRequest,
		whole + "<field var='unknown'><value>x</value></field>":                                       nil,
		"<field var='public'><value>1</value></field>":                                                stanza.ErrNotAcceptable,
		"<field var='botname'><value/></field>":                                                       stanza.ErrNotAcceptable,
		"<field var='botname'/>":                                                                      stanza.ErrNotAcceptable,
		"<field var='botname'><value>a</value></field><field var='public'><value>yes</value></field>": stanza.ErrNotAcceptable,
		field("description", "one", "two"):                                                            nil,
		field("password", "one", "two"):                                                               stanza.ErrNotAcceptable,
		field("features", "news", "contests"):                                                         nil,
		field("features", "news", "sports"):                                                           stanza.ErrNotAcceptable,
		field("maxsubs", "20"):                                                                        nil,
		field("maxsubs", "20", "none"):                                                                stanza.ErrNotAcceptable,
		field("maxsubs", "21"):                                                                        stanza.ErrNotAcceptable,
		field("maxsubs", ""):                                                                          nil,
		field("topics", "whatever"):                                                                   nil,
		field("invitelist", "juliet@capulet.com", "a"):                                                nil,
		field("invitelist", " ", ""):                                                                  nil,
		field("invitelist", "@"):                                                                      stanza.ErrNotAcceptable,
		field("owner", "a@x"):                                                                         nil,
		field("owner", "a@x", "b@x"):                                                                  stanza.ErrNotAcceptable,
	} {
		a, err := Parse(x(inner))
		if err != nil {
			t.Fatal(err)
		}
		if err := bot.Check(a); err != want && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", inner, err, want)
		}
	}
	only := Form{Fields: []Field{{Var: "who", Kind: JIDMulti, Required: true}}}
	a, err := Parse(x("<field var='who'><value> </value></field>"))
	if err != nil {
		t.Fatal(err)
	}
	if err := only.Check(a); !errors.Is(err, stanza.ErrNotAcceptable) {
		t.Errorf("an address of blanks: %v", err)
	}
}

func TestLines(t *testing.T) {
	if got := Lines("a\nb\r\n\rc"); !slices.Equal(got, []string{"a", "b", "", "c"}) {
		t.Errorf("%q", got)
	}
}

// FuzzParse: whatever comes, it is refused or read within the limits, and reads
// the same when it is written again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>t</value></field><field var='a'><value>1</value><value/></field></x>",
		"<x xmlns='jabber:x:data' type='cancel'/>", "<x xmlns='jabber:x:data' type='submit'><field type='fixed'/><field var='&lt;&#10;'/></x>",
		string(bot.AppendForm(nil)), string(bot.AppendSubmit(nil)),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e := sent.Payload(raw)
		if e == nil || !e.Is(Namespace, "x") {
			return
		}
		var refusal *stanza.Error
		a, err := Parse(e)
		if err != nil {
			if !errors.As(err, &refusal) {
				t.Fatalf("no refusal: %v", err)
			}
			return
		}
		again := Form{Type: a.Type}
		for _, x := range a.Fields {
			again.Fields = append(again.Fields, Field{Var: x.Var, Values: x.Values})
			if _, err := a.JIDs(x.Var); err != nil && !errors.As(err, &refusal) {
				t.Fatalf("no refusal: %v", err)
			}
		}
		if err := bot.Check(a); err != nil && !errors.As(err, &refusal) {
			t.Fatalf("no refusal: %v", err)
		}
		if a.Cancelled {
			return
		}
		b, err := Parse(sent.Payload(string(again.AppendSubmit(nil))))
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%+v is read as %+v, %v", a, b, err)
		}
	})
}
