package operator_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/operator"
	"rollcall/presence/device"
)

// fact returns the values of one fact of an answer.
func fact(a operator.Answer, name string) string {
	for _, f := range a.Facts {
		if f.Name == name {
			return strings.Join(f.Values, "|")
		}
	}
	return "(none)"
}

// members returns who is in a group, with their names.
func (p *place) members(t *testing.T, group string) (out []string) {
	t.Helper()
	for _, row := range p.do(t, "group.members", "group", group).Rows {
		out = append(out, row[0]+"="+row[1])
	}
	return out
}

func TestDevices(t *testing.T) {
	p := open(t, "")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "p")
	p.do(t, "group.add", "group", "staff")
	a := p.do(t, "device.add", "device", "2001", "name", "Desk Ada", "site", "HQ", "group", "desks", "group", "all", "visible_to", "staff",
		"numbers", "+49-30-1", "numbers", "2001", "owner", "ada", "critical", "true")
	secret := fact(a, "secret")
	want := "added the device 2001, which is 2001@phones.x\nmade the group all\nmade the group desks"
	if a.Note != want || fact(a, "user") != "2001" || fact(a, "domain") != "phones.x" {
		t.Errorf("%+v", a)
	}
	d := p.Devices.Picture().ByID("2001")
	if key, err := device.NewKey("2001", "phones.x", secret); err != nil || d.Key != key || d.Owner != "ada@x" || !d.Critical || d.Class != device.Phone ||
		!slices.Equal(d.Numbers, []string{"+49301", "2001"}) {
		t.Errorf("%+v, %v", d, err)
	}
	if got := p.members(t, "desks"); !slices.Equal(got, []string{"2001@phones.x=Desk Ada"}) {
		t.Errorf("the desks are %q", got)
	}
	a = p.do(t, "device.add", "device", "Door-12", "class", "intercom", "group", "doors", "secret", "a-good-secret")
	if fact(a, "secret") != "(none)" || !strings.Contains(a.Note, "nobody sees the members of doors yet") || !strings.Contains(a.Note, "rollcall group visible doors --to staff") {
		t.Errorf("%+v", a)
	}
	if a = p.do(t, "device.add", "device", "pbx-1", "upstream", "pbx.example.org"); fact(a, "secret") != "(none)" {
		t.Errorf("it needs no secret here: %+v", a)
	}
	var rows []string
	for _, r := range p.do(t, "device.list").Rows {
		rows = append(rows, strings.Join(r, "|"))
	}
	if want := []string{
		"2001|Desk Ada|phone|HQ|ada@x|+49301, 2001|here|critical", "door-12|door-12|intercom||||here|", "pbx-1|pbx-1|phone||||at pbx.example.org|",
	}; !slices.Equal(rows, want) {
		t.Errorf("listed are %q", rows)
	}
	for _, row := range []struct {
		pairs []string
		want  int
	}{
		{[]string{"class", "intercom"}, 1}, {[]string{"site", "HQ"}, 1}, {[]string{"owner", "ada"}, 1}, {[]string{"owner", "-"}, 2}, {[]string{"after", "2001"}, 2},
	} {
		if got := len(p.do(t, "device.list", row.pairs...).Rows); got != row.want {
			t.Errorf("%q lists %d", row.pairs, got)
		}
	}
	if page := p.do(t, "device.list", "max_items", "2"); len(page.Rows) != 2 || page.Next != "door-12" {
		t.Errorf("a page of two: %+v", page)
	}
	a = p.do(t, "device.show", "device", "2001@phones.x")
	if got := fact(a, "address") + " " + fact(a, "groups") + " " + fact(a, "seen") + " " + fact(a, "state"); got != "2001@phones.x/sip all|desks staff critical" {
		t.Errorf("shown is %q", got)
	}
	p.do(t, "device.remove", "device", "2001", "device", "door-12")
	if p.Devices.Picture().Len() != 1 || len(p.members(t, "desks"))+len(p.members(t, "doors")) > 0 {
		t.Error("what was removed is there")
	}
	acts := fmt.Sprint(p.acts(t), p.log)
	if !strings.Contains(acts, "device.remove|2001 door-12|done") || strings.Contains(acts, secret) || strings.Contains(acts, "a-good-secret") {
		t.Errorf("the audit log has %s", acts)
	}
}

// A device has one name, in all its groups.
func TestSetDevice(t *testing.T) {
	p := open(t, "")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "p")
	p.do(t, "device.add", "device", "2001", "name", "Desk", "site", "HQ", "group", "a", "group", "b", "numbers", "11", "owner", "ada@x")
	key := p.Devices.Picture().ByID("2001").Key
	a := p.do(t, "device.set", "device", "2001", "name", "Ada's desk", "group", "c", "leave", "b", "site", "-", "numbers", "-", "shared", "true")
	d := p.Devices.Picture().ByID("2001")
	if fact(a, "secret") != "(none)" || d.Key != key || d.Name != "Ada's desk" || d.Site != "" || len(d.Numbers) > 0 || !d.Shared || d.Owner != "ada@x" {
		t.Errorf("%+v\n%+v", a, d)
	}
	for group, want := range map[string]string{"a": "[2001@phones.x=Ada's desk]", "b": "[]", "c": "[2001@phones.x=Ada's desk]"} {
		if got := fmt.Sprint(p.members(t, group)); got != want {
			t.Errorf("%s has %s", group, got)
		}
	}
	if a = p.do(t, "device.set", "device", "2001", "user", "desk-1"); fact(a, "secret") == "(none)" || fact(a, "user") != "desk-1" {
		t.Errorf("another SIP user needs another secret: %+v", a)
	}
	if p.do(t, "device.set", "device", "2001", "upstream", "pbx"); p.Devices.Picture().ByID("2001").Key.Set() {
		t.Error("it has a secret, though it registers elsewhere")
	}
	if a = p.do(t, "device.set", "device", "2001", "upstream", "-", "user", "-", "owner", "-"); fact(a, "secret") == "(none)" || fact(a, "user") != "2001" {
		t.Errorf("it registers here now: %+v", a)
	}
	if d := p.Devices.Picture().ByID("2001"); d.Owner != "" {
		t.Errorf("it is %s's", d.Owner)
	}
	key = p.Devices.Picture().ByID("2001").Key
	if a = p.do(t, "device.secret", "device", "2001"); fact(a, "secret") == "(none)" || p.Devices.Picture().ByID("2001").Key == key {
		t.Errorf("%+v", a)
	}
}

func TestAssignDevice(t *testing.T) {
	p := open(t, "")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "p")
	p.do(t, "device.add", "device", "2001")
	for _, row := range []struct{ order, owner, note string }{
		{"device.unassign", "", "2001 was nobody's"},
		{"device.assign", "ada", "2001 is ada@x's"},
		{"device.assign", "ada@x", "2001 is ada@x's"},
		{"device.unassign", "", "2001 is not ada@x's any more"},
		{"device.assign", "Ada@x/desk", "2001 is ada@x's"},
	} {
		pairs := []string{"device", "2001"}
		if row.owner != "" {
			pairs = append(pairs, "owner", row.owner)
		}
		if a := p.do(t, row.order, pairs...); a.Note != row.note {
			t.Errorf("%s %s: %q", row.order, row.owner, a.Note)
		}
	}
	p.do(t, "account.remove", "accountjids", "ada@x") // and its devices are nobody's
	if d := p.Devices.Picture().ByID("2001"); d.Owner != "" || p.Devices.Picture().OwnedBy("ada@x") != nil {
		t.Errorf("it is %s's, who is no more", d.Owner)
	}
}

func TestDeviceReasons(t *testing.T) {
	p := open(t, "")
	p.do(t, "device.add", "device", "2001", "group", "desks")
	p.do(t, "device.add", "device", "far", "upstream", "pbx")
	for _, row := range []struct {
		want  operator.Reason
		order []string
	}{
		{operator.DeviceExists, []string{"device.add", "device", "2001"}},
		{operator.NoAccount, []string{"device.add", "device", "2002", "owner", "eve"}},
		{operator.Wrong, []string{"device.add", "device", "a@elsewhere"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "class", "door"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "secret", "short"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "upstream", "pbx", "secret", "a-good-secret"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "user", "2001"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "visible_to", "desks"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "group", "desks", "visible_to", "desks"}},
		{operator.Wrong, []string{"device.add", "device", "2002", "group", " x"}},
		{operator.NoGroup, []string{"device.add", "device", "2002", "group", "desks", "visible_to", "none"}},
		{operator.NoGroup, []string{"device.set", "device", "2001", "leave", "none"}},
		{operator.NoDevice, []string{"device.set", "device", "none"}},
		{operator.Wrong, []string{"device.set", "device", "2001", "numbers", "x"}},
		{operator.NoDevice, []string{"device.show", "device", "none"}},
		{operator.NoDevice, []string{"device.remove", "device", "2001", "device", "none"}},
		{operator.NoDevice, []string{"device.assign", "device", "none", "owner", "ada"}},
		{operator.NoAccount, []string{"device.assign", "device", "2001", "owner", "ada"}},
		{operator.Wrong, []string{"device.assign", "device", "2001", "owner", "@"}},
		{operator.Wrong, []string{"device.assign", "device", "2001", "owner", "-"}},
		{operator.Wrong, []string{"device.secret", "device", "far"}},
		{operator.Wrong, []string{"device.secret", "device", "2001", "secret", "with blank"}},
		{operator.NoDevice, []string{"device.secret", "device", "none"}},
		{operator.Wrong, []string{"device.import", "devices", "[[device]]"}},
	} {
		if got := p.reason(t, row.order[0], row.order[1:]...); got != row.want {
			t.Errorf("%q: %q, want %q", row.order, got, row.want)
		}
	}
	if n := p.Devices.Picture().Len(); n != 2 {
		t.Errorf("there are %d devices", n)
	}
	if got := p.members(t, "desks"); !slices.Equal(got, []string{"2001@phones.x=2001"}) {
		t.Errorf("the desks are %q", got)
	}
}

// take imports a list.
func (p *place) take(t *testing.T, text string, pairs ...string) (operator.Answer, error) {
	t.Helper()
	o := operator.NewOrder("device.import", pairs...)
	o.Values["devices"] = strings.Split(text, "\n")
	return p.Desk.Do(t.Context(), by, o)
}

// list exports all devices.
func (p *place) list(t *testing.T) string {
	t.Helper()
	return strings.ReplaceAll(fact(p.do(t, "device.export"), "devices"), "|", "\n")
}

func TestImportDevices(t *testing.T) {
	p := open(t, "")
	p.do(t, "account.add", "accountjid", "ada@x", "password", "p")
	p.do(t, "group.add", "group", "staff")
	p.do(t, "device.add", "device", "2001", "name", "Desk", "site", "HQ", "group", "desks", "visible_to", "staff", "owner", "ada")
	p.do(t, "device.add", "device", "2002", "group", "desks")
	const text = `
[[device]]
id = "2001"
name = "Ada's desk"

[[device]]
id = "2002"
groups = ["phones"]

[[device]]
id = "door-12"
class = "intercom"
groups = ["phones"]
secret = "a-good-secret"
owner = "ada"

[[device]]
id = "door-13"
class = "intercom"
`
	was := p.list(t)
	a, err := p.take(t, text, "dry_run", "true")
	if err != nil || a.Note != "would import 4 devices, 2 of them new" || p.list(t) != was {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err = p.take(t, text); err != nil || !strings.HasPrefix(a.Note, "imported 4 devices, 2 of them new\nmade the group phones\nnobody sees the members of phones yet") ||
		!strings.Contains(a.Note, "1 of them have no secret") {
		t.Errorf("%+v, %v", a, err)
	}
	d, key := p.Devices.Picture().ByID("2001"), device.Key{}
	if d.Site != "HQ" || d.Owner != "ada@x" || !d.Key.Set() || d.Name != "Ada's desk" {
		t.Errorf("what the list leaves out did not stay: %+v", d)
	}
	if key, err = device.NewKey("door-12", "phones.x", "a-good-secret"); err != nil || p.Devices.Picture().ByID("door-12").Key != key {
		t.Errorf("%+v, %v", p.Devices.Picture().ByID("door-12"), err)
	}
	if a, b := fmt.Sprint(p.members(t, "desks")), fmt.Sprint(p.members(t, "phones")); a != "[2001@phones.x=Ada's desk]" || b != "[2002@phones.x=2002 door-12@phones.x=door-12]" {
		t.Errorf("desks are %s and phones %s", a, b)
	}
	// What is exported brings everything back.
	now := p.list(t)
	p.do(t, "device.set", "device", "door-12", "name", "other", "owner", "-", "leave", "phones", "critical", "true")
	p.do(t, "device.remove", "device", "2001")
	if _, err := p.take(t, now); err != nil || p.list(t) != now {
		t.Errorf("%v; after coming back it is\n%s\nand was\n%s", err, p.list(t), now)
	}
}

// All problems are told, each with its line, and nothing is changed.
func TestImportIsWhole(t *testing.T) {
	p := open(t, "devices.max_devices = 5\n")
	p.do(t, "device.add", "device", "2001", "user", "desk")
	was := p.list(t)
	const text = `[[device]]
id = "2002"
owner = "eve"
[[device]]
id = "2003"
user = "desk"
groups = ["fine"]
[[device]]
id = "2004"
secret = "short"
groups = [" not fine"]
class = "door"
[[device]]
id = "2005"
realm = "elsewhere"
ha1_md5 = "00000000000000000000000000000000"
numbers = ["desk"]
`
	_, err := p.take(t, text)
	var said *operator.Error
	if !errors.As(err, &said) || said.Reason != operator.Wrong {
		t.Fatal(err)
	}
	lines := strings.Split(said.Text, "\n")
	for i, want := range []string{
		"the list has 7 problems, and nothing was changed",
		"  line 3: there is no account eve@x",
		"  line 6: 2001 has the SIP user desk already",
		"  line 10: a device's secret has at least 8 characters",
		"  line 11: a group's name is what can be printed on one line",
		`  line 12: there is no class "door"`,
		`  line 15: the secret of 2005 is for the realm "elsewhere"`,
		`  line 17: "desk" is no number`,
	} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
			t.Errorf("no %q in\n%s", want, said.Text)
		}
	}
	if p.list(t) != was || len(p.do(t, "group.list").Rows) > 0 {
		t.Error("something was changed")
	}
	if acts := p.acts(t); !strings.HasSuffix(acts[1], "device.import||the list has 7 problems, and nothing was changed") || !strings.Contains(acts[0], "device.export") {
		t.Errorf("the audit log has %q", acts[:2])
	}
	var many strings.Builder
	for i := range 5 {
		fmt.Fprintf(&many, "[[device]]\nid = 'n%d'\n", i)
	}
	if _, err := p.take(t, many.String()); err == nil || !strings.Contains(err.Error(), "6 devices, and there are at most 5") {
		t.Error(err)
	}
	if _, err := p.take(t, "[[device]]\nid = 1\n"); err == nil || !strings.Contains(err.Error(), "line 2: id is a string") {
		t.Error(err)
	}
}

// A long list is exported in pages and comes back whole.
func TestLongExport(t *testing.T) {
	p := open(t, "")
	var text strings.Builder
	for i := range 1203 {
		fmt.Fprintf(&text, "[[device]]\nid = 'd%05d'\ngroups = ['all']\nsecret = 'a-good-secret'\nnumbers = ['%d']\n", i, i)
	}
	if _, err := p.take(t, text.String()); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for after := ""; ; {
		a := p.do(t, "device.export", "after", after)
		lines = append(lines, a.Facts[0].Values...)
		if after = a.Next; after == "" {
			break
		}
	}
	q := open(t, "")
	if _, err := q.take(t, strings.Join(lines, "\n")); err != nil || q.Devices.Picture().Len() != 1203 || len(q.members(t, "all")) != 500 {
		t.Errorf("%d devices, %v", q.Devices.Picture().Len(), err)
	}
}
