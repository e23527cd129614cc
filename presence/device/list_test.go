package device

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is written makes devices what they were, whatever they are meanwhile.
func TestListIsWhole(t *testing.T) {
	k, err := NewKey("2001", testDomain, "a-good-secret")
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{
			ID: "2001", Name: `Alice "Desk" \ 🐝`, Class: Phone, Site: "HQ", Critical: true, Shared: true, Disabled: true, User: "2001",
			Key: k, Owner: "alice@x", Numbers: []string{"+493012345", "2001"},
		},
		{ID: "door-12", Name: "door-12", Class: Intercom, Upstream: "sip:pbx.x", User: "d12"},
	}
	groups := [][]string{{"staff phones", "b"}, {}}
	var text []byte
	for i := range want {
		text = AppendList(text, &want[i], groups[i])
	}
	list, problems := ReadList(text)
	if len(problems) > 0 || len(list) != 2 {
		t.Fatalf("%v\n%s", problems, text)
	}
	for i := range list {
		got := Device{
			Name: "other", Class: Gateway, Site: "other", Critical: !want[i].Critical, Shared: !want[i].Shared, Disabled: !want[i].Disabled,
			Upstream: "other", User: "other", Numbers: []string{"1"}, Owner: "bob@x",
		}
		if list[i].Apply(&got); list[i].Owner != string(want[i].Owner) || !list[i].Says("owner") || !slices.Equal(list[i].Groups, groups[i]) || list[i].Groups == nil {
			t.Errorf("%+v", list[i])
		}
		got.Owner = want[i].Owner
		if len(got.Numbers) == 0 {
			got.Numbers = nil
		}
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("written (-) and read (+):\n%s", diff)
		}
	}
}

// What a list leaves out stays as it is.
func TestListLeavesOut(t *testing.T) {
	list, problems := ReadList([]byte("# phones\n[[device]]\nid = 'Door-12'\nsite = \"\"\nha1_md5 = 'f'\n\n[[device]]\nid = 'b'\nsecret = 'a-good-secret'\n"))
	if len(problems) > 0 || len(list) != 2 {
		t.Fatal(problems)
	}
	d := Device{ID: "door-12", Name: "Door", Site: "HQ", Numbers: []string{"1"}, Key: Key{"r", "m", "s"}}
	list[0].Apply(&d)
	if want := (Device{ID: "door-12", Name: "Door", Numbers: []string{"1"}, Key: Key{"r", "f", ""}}); !d.equal(&want) {
		t.Errorf("%+v", d)
	}
	if e := &list[0]; e.Groups != nil || e.Says("owner") || e.Line("site") != 4 || e.Line("name") != 2 {
		t.Errorf("%+v", e)
	}
	if e := &list[1]; e.Secret != "a-good-secret" || e.Line("") != 7 {
		t.Errorf("%+v", e)
	}
}

func TestListProblems(t *testing.T) {
	for _, row := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"# nothing\n", nil},
		{"[[device]\n", []string{"line 1: "}},
		{"[[device]]\nid = 'a'\nid = 'b'\n", []string{"line 3: "}},
		{"[[device]]\nname = 'a'\n", []string{"line 1: the device has no id"}},
		{"[[device]]\nid = 2001\n", []string{"line 2: id is a string"}},
		{"[[device]]\nid = 'a b'\n", []string{`line 2: "a b" cannot be the id`}},
		{"[[device]]\nid = 'a'\n[[device]]\nid = 'A'\n", []string{"line 4: a is in line 2 already"}},
		{"[[device]]\nid = 'a'\nshared = 'yes'\nnumbers = [1]\n\ngroups = 'a'\nnmae = 'x'\n", []string{
			"line 3: shared is a true or false", "line 4: numbers is a list of strings", "line 6: groups is a list of strings", "line 7: a device has no nmae; it has class, ",
		}},
		{"[[device]]\nid = 'a'\nsecret = 'a-good-secret'\nha1_md5 = 'x'\n", []string{"line 3: a has a secret and what is made of one"}},
		{"x = 1\n[[device]]\nid = 'a'\n[y]\nid = 'b'\n", []string{"line 1: x is no device", "line 4: y is no device", "line 5: id is no device"}},
		{"device = [{id = 'a'}]\n", []string{"line 1: device is no device", "line 1: each device is a table of its own"}},
		{"[device]\nid = 'a'\n", []string{"line 1: device is no device", "line 2: id is no device"}},
		{"[[device]]\nid = 'a'\n[device.key]\nx = 1\n", []string{"line 3: device is no device", "line 4: x is no device", "line 1: a device has no key"}},
		{"[[device]]\nid = 'a'\nname.x = 1\n", []string{"line 3: name is a string"}},
		{strings.Repeat("#", MaxList+1), []string{"line 1: the list has more than"}},
	} {
		_, problems := ReadList([]byte(row.text))
		var got []string
		for _, p := range problems {
			got = append(got, p.String())
		}
		missing := slices.DeleteFunc(slices.Clone(row.want), func(w string) bool {
			return slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) })
		})
		if len(missing) > 0 || len(got) != len(row.want) {
			t.Errorf("%.100q: problems are\n%s\nwant\n%s", row.text, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
		}
	}
}

// All devices that there may be are a list that can be read.
func TestLongList(t *testing.T) {
	var text []byte
	for _, d := range many(10_000) {
		d, faults := canonical(d, testDomain)
		if faults != nil {
			t.Fatal(faults)
		}
		d.Key = Key{testDomain, strings.Repeat("0", 32), strings.Repeat("0", 64)}
		text = AppendList(text, &d, []string{"staff-phones"})
	}
	list, problems := ReadList(text)
	if len(list) != 10_000 || len(problems) > 0 {
		t.Errorf("%d devices of %d bytes; %v", len(list), len(text), problems)
	}
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte("[[device]]\nid = 'a'\nnumbers = ['1']\n"))
	f.Add([]byte("x = 1\n[[device]]\nid = 1\n[device.x]\n[[device]]\n[[device.y]]\n"))
	f.Add(AppendList(nil, &Device{ID: "a", Name: "\"\\"}, []string{"b"}))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, problems := ReadList(text)
		lines := strings.Count(string(text), "\n") + 1
		for _, p := range problems {
			if p.Line < 1 || p.Line > lines || p.Text == "" {
				t.Errorf("a problem without a place or a reason: %+v", p)
			}
		}
		for i := range list {
			var d Device
			list[i].Apply(&d)
			if _, faults := canonical(d, testDomain); faults != nil {
				_ = faults.Error()
				continue
			}
			again, problems := ReadList(AppendList(nil, &d, list[i].Groups))
			if len(problems) > 0 || len(again) != 1 {
				t.Fatalf("what is written of %+v cannot be read: %v", d, problems)
			}
			var e Device
			if again[0].Apply(&e); !d.equal(&e) {
				t.Errorf("written %+v and read %+v", d, e)
			}
		}
	})
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"+49 30 1", "2001", "tel:*21#", "+0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseNumber(s)
		if err != nil {
			return
		}
		if again, err := ParseNumber(n); err != nil || again != n || len(n) > 16 {
			t.Errorf("%q is %q, and that is %q, %v", s, n, again, err)
		}
	})
}
