package operator

import (
	"reflect"
	"strings"
	"testing"
)

// What an order says is checked by the kinds of the fields, before anything is
// done.
func TestCheck(t *testing.T) {
	op := &Operation{Name: "test", Fields: []Field{
		{Name: "who", Label: "Who", Kind: Person, Required: true},
		{Name: "whom", Label: "Whom", Kind: People},
		{Name: "n", Label: "How many", Kind: Number},
		{Name: "sure", Label: "Sure", Kind: Yes},
		{Name: "how", Label: "How", Kind: Choice, Options: []Option{{"fast", "quickly"}, {"slow", "slowly"}}},
		{Name: "said", Label: "What", Kind: Lines},
		{Name: "most", Label: "Most", Kind: Number, Options: []Option{{"25", "25"}, {"none", "all"}}},
		{Name: "at", Also: "ats", Label: "At", Kind: Person},
		{Name: "on", Label: "On", Kind: Clients},
		{Name: "key", Label: "Key", Kind: Secret},
	}}
	for _, row := range []struct {
		pairs []string
		want  values
		err   string
	}{
		{[]string{"who", "Ada@X"}, values{"who": {"ada@x"}}, ""},
		{[]string{"who", "ada@x", "whom", "b@x", "whom", "C@x"}, values{"who": {"ada@x"}, "whom": {"b@x", "c@x"}}, ""},
		{[]string{"who", "ada@x", "n", "12", "sure", "1", "how", "slow"}, values{"who": {"ada@x"}, "n": {"12"}, "sure": {"true"}, "how": {"slow"}}, ""},
		{[]string{"who", "ada@x", "said", "a", "said", "", "said", "b"}, values{"who": {"ada@x"}, "said": {"a", "", "b"}}, ""},
		{[]string{"who", "ada@x", "n", ""}, values{"who": {"ada@x"}}, ""},
		{nil, nil, "Who is missing"},
		{[]string{"who", ""}, nil, "Who is missing"},
		{[]string{"who", "x"}, nil, "not the address of an account"},
		// XEP-0133 §4.2: a resource should not be there, and does no harm.
		{[]string{"who", "ada@x/desk"}, values{"who": {"ada@x"}}, ""},
		{[]string{"who", "ada@x", "whom", "b@x/1", "whom", "b@x/2"}, values{"who": {"ada@x"}, "whom": {"b@x"}}, ""},
		{[]string{"who", "ada@x", "on", "b@x/1", "on", "c@x"}, values{"who": {"ada@x"}, "on": {"b@x/1", "c@x"}}, ""},
		{[]string{"who", "ada@x", "on", "x/1"}, nil, "not the address of an account"},
		{[]string{"who", "ada@x", "most", "none"}, values{"who": {"ada@x"}, "most": {"none"}}, ""},
		{[]string{"who", "ada@x", "most", "7"}, values{"who": {"ada@x"}, "most": {"7"}}, ""},
		{[]string{"who", "ada@x", "most", "all"}, nil, "is no count"},
		{[]string{"who", "ada@x", "ats", "b@x"}, values{"who": {"ada@x"}, "at": {"b@x"}}, ""},
		{[]string{"who", "ada@x", "ats", "b@x", "at", "c@x"}, nil, "has one value"},
		{[]string{"who", "ada@x", "said", " ", "said", ""}, values{"who": {"ada@x"}}, ""},
		{[]string{"who", "ada@x", "said", "ring\u0007"}, nil, "nobody can see"},
		{[]string{"who", "ada@x", "key", "ring\u0007"}, values{"who": {"ada@x"}, "key": {"ring\u0007"}}, ""},
		{[]string{"who", "ada@x", "who", "bob@x"}, nil, "has one value"},
		{[]string{"who", "ada@x", "why", "because"}, nil, `knows no field "why"`},
		{[]string{"who", "ada@x", "n", "-1"}, nil, "is no count"},
		{[]string{"who", "ada@x", "n", "1x"}, nil, "is no count"},
		{[]string{"who", "ada@x", "sure", "yes"}, nil, "true or false"},
		{[]string{"who", "ada@x", "how", "soon"}, nil, "is none of"},
		{[]string{"who", "ada@x", "said", strings.Repeat("x", maxValueBytes+1)}, nil, "too long"},
	} {
		got, err := op.check(NewOrder("test", row.pairs...))
		switch {
		case row.err == "" && err != nil, row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%q: %v, want %q", row.pairs, err, row.err)
		case row.err == "" && !reflect.DeepEqual(got, row.want):
			t.Errorf("%q: %v, want %v", row.pairs, got, row.want)
		}
	}
}

// Names are unique, and whoever is told of an operation is told what it is.
func TestOperations(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range Operations() {
		for _, name := range []string{op.Name, op.Node} {
			if name != "" && seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		if op.Name == "" || op.Title == "" || op.run == nil {
			t.Errorf("%+v is not whole", op)
		}
		for _, f := range op.Fields {
			if f.Name == "" || f.Label == "" || f.Kind == "" || f.Kind == Choice && f.Options == nil {
				t.Errorf("%s: the field %+v is not whole", op.Name, f)
			}
		}
	}
}
