package layering

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHouse reads the module and fails on whatever is not as planned.
func TestHouse(t *testing.T) {
	files, err := Load(moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(files, func(f *File) bool { return f.Name == "internal/layering/layering_test.go" }) {
		t.Fatal("this file is not among those read: the root is wrong")
	}
	for _, check := range []func([]*File) []Problem{Arrows, Habits, Budgets, Documented} {
		for _, p := range check(files) {
			t.Error(p)
		}
	}
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
}

func TestArrows(t *testing.T) {
	const ok = ""
	tests := []struct {
		file, imports string
		want          string // how the complaint goes on after "A imports B: "
	}{
		{"cmd/rollcall/serve.go", "storage", ok},
		{"cmd/rollcall/features.go", "server/features/archive", ok},
		{"config/config.go", "storage", ok},
		{"config/config.go", "server/c2s", ok},
		{"config/config.go", "cmd/rollcall", "nothing imports a program"},
		{"storage/archive.go", "server/features/archive", ok},
		{"storage/storage.go", "migrations", ok},
		{"storage/writer.go", "server", ok},
		{"storage/storage.go", "server/c2s", "storage adapts the domain"},
		{"storage/storage.go", "config", "storage adapts the domain"},
		{"migrations/migrations.go", "xmpp/jid", "migrations are SQL"},
		{"server/features/archive/archive.go", "storage", "features never import storage (adapters know the domain, never the reverse)"},
		{"server/features/archive/archive.go", "server/features/offline", "features never import one another"},
		{"server/features/muc/room/room.go", "server/features/muc", ok},
		{"server/features/archive/archive.go", "server", ok},
		{"server/features/archive/archive.go", "server/c2s", "a feature stands alone"},
		{"server/features/archive/archive.go", "sipgw", "a feature stands alone"},
		{"server/features/contacts/contacts.go", "roster", ok},
		{"server/features/contacts/contacts.go", "xmpp/stanza", ok},
		{"server/features/contacts/contacts.go", "internal/transcript", "internal holds test tools"},
		{"server/features/contacts/contacts_test.go", "internal/transcript", ok},
		{"server/features/contacts/contacts_test.go", "storage", ok},
		{"server/features/contacts/contacts_test.go", "server/features/archive", "features never import one another"},
		{"server/c2s/listen.go", "server", ok},
		{"server/c2s/listen.go", "server/account", ok},
		{"server/c2s/listen.go", "server/c2s/tls", ok},
		{"server/c2s/listen.go", "server/s2s", "c2s, s2s and component do not know one another"},
		{"server/c2s/listen.go", "roster", "streams know the server"},
		{"server/session.go", "xmpp/stream", ok},
		{"server/session.go", "server/c2s", "the server declares the small interface"},
		{"server/session.go", "server/features/archive", "the server never imports a feature"},
		{"server/session.go", "roster", "the server declares the small interface"},
		{"server/session.go", "sipgw", "server and sipgw do not know each other"},
		{"sipgw/line.go", "server", "server and sipgw do not know each other"},
		{"sipgw/line.go", "presence", ok},
		{"web/board.go", "presence", ok},
		{"web/board.go", "storage", "the web shows the domain"},
		{"roster/item.go", "xmpp/jid", ok},
		{"roster/item.go", "presence", "the domain knows the language"},
		{"presence/calendar/poll.go", "presence", ok},
		{"presence/engine.go", "storage", "the domain never imports storage"},
		{"cluster/nats.go", "xmpp/jid", "the bus knows nothing of ours"},
		{"xmpp/sasl/scram.go", "xmpp/jid", ok},
		{"xmpp/jid/jid.go", "roster", "the language knows nothing of ours"},
		{"attic/attic.go", "xmpp/jid", "the plan of the house has no room attic"},
		{"roster/item.go", "attic", "the plan of the house has no room attic"},
	}
	for _, tt := range tests {
		t.Run(tt.file+" imports "+tt.imports, func(t *testing.T) {
			f := parse(t, tt.file, fmt.Sprintf("package p\n\nimport %q\n", module+"/"+tt.imports))
			expect(t, Arrows([]*File{f}), tt.want)
		})
	}
}

func TestArrowMessage(t *testing.T) {
	f := parse(t, "server/features/archive/archive.go", "package archive\n\nimport (\n\t\"fmt\"\n\t\"rollcall/storage\"\n)\n")
	const want = "server/features/archive/archive.go:5: server/features/archive imports storage: " +
		"features never import storage (adapters know the domain, never the reverse)"
	if got := fmt.Sprint(Arrows([]*File{f})); got != "["+want+"]" {
		t.Errorf("have %s\nwant [%s]", got, want)
	}
}

func TestLibrariesThatOneDirectoryKnows(t *testing.T) {
	for file, want := range map[string]string{
		"sipgw/transport/parse.go": "", "sipgw/line.go": "sipgw/line.go:2: sipgw imports github.com/emiago/sipgo/sip: only sipgw/transport does",
	} {
		expect(t, Arrows([]*File{parse(t, file, "package p\nimport \"github.com/emiago/sipgo/sip\"\n")}), want)
	}
	expect(t, Arrows([]*File{parse(t, "sipgw/line.go", "package p\nimport \"github.com/emiago/sipgoose\"\n")}), "")
}

func TestHabits(t *testing.T) {
	tests := []struct{ name, file, src, want string }{
		{"clean", "roster/item.go", "package roster\nfunc prepare() {}\n", ""},
		{"init", "roster/item.go", "package roster\nfunc init() {}\n", "roster/item.go:2: func init"},
		{"method called init", "roster/item.go", "package roster\nfunc (i item) init() {}\n", ""},
		{"blank import", "roster/item.go", "package roster\nimport _ \"time/tzdata\"\n", "roster/item.go:2: blank import of time/tzdata"},
		{"embed", "config/default.go", "package config\nimport _ \"embed\"\n", ""},
		{"driver in storage", "storage/open.go", "package storage\nimport _ \"modernc.org/sqlite\"\n", ""},
		{"driver in cmd", "cmd/rollcall/main.go", "package main\nimport _ \"modernc.org/sqlite\"\n", ""},
		{"util", "server/util/strings.go", "package util\n", "package util: name it"},
		{"named apart from its directory", "server/common/strings.go", "package strs\n", "package common: name it"},
		{"types", "xmpp/kinds/kinds.go", "package types\n", "package types: name it"},
		{"a test of types", "xmpp/kinds/kinds_test.go", "package types_test\n", "package types: name it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, Habits([]*File{parse(t, tt.file, tt.src)}), tt.want)
		})
	}
}

func TestBudgets(t *testing.T) {
	statements := func(n int) string { return strings.Repeat("\t_ = 0\n", n) }
	short := strings.Repeat("func g() {}\n", 40)
	tests := []struct{ name, src, want string }{
		{"80 lines", "package p\nfunc f() {\n" + statements(78) + "}\n" + short, ""},
		{"81 lines", "package p\nfunc f() {\n" + statements(79) + "}\n" + short, "p/p.go:2: func f has 81 lines, at most 80"},
		{"a table", "package p\nfunc f() {\n_ = []int{\n" + strings.Repeat("1,\n", 200) + "}\n}\n" + short, ""},
		{"not a table", "package p\nfunc f() {\n_ = T{\n" + strings.Repeat("g(),\n", 90) + "}\n}\n" + short, "func f has 94 lines"},
		{"601 lines", "package p\n" + strings.Repeat("\n", 600), "p/p.go: 601 lines, at most 600"},
		{"long files", "package p\n" + strings.Repeat("\n", 400), "1 of 1 files have more than 350 lines"},
		{"long functions", "package p\nfunc f() {\n" + statements(60) + "}\n" + strings.Repeat("func g() {}\n", 8), "1 of 9 functions have more than 40 lines"},
		{"one in ten", "package p\nfunc f() {\n" + statements(60) + "}\n" + strings.Repeat("func g() {}\n", 9), ""},
		{"interface", "package p\ntype I interface { A(); B(); C(); D() }\n", "interface I has 4 methods, at most 3"},
		{"small interface", "package p\ntype I interface { A(); B(); C() }\n", ""},
		{"constraint", "package p\ntype I interface { ~int | ~int8 }\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Budgets([]*File{parse(t, "p/p.go", tt.src)})
			if tt.want != "" && len(got) > 1 { // a file over the most is over the usual too
				got = got[:1]
			}
			expect(t, got, tt.want)
		})
	}
}

func TestDocumented(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"whole", "// Package p is.\npackage p\n// F does.\nfunc F() {}\n", ""},
		{"no package comment", "package p\n", "package p has no package comment"},
		{"odd package comment", "// This package is.\npackage p\n", "the package comment starts with \"Package p …\""},
		{"function", "// Package p is.\npackage p\nfunc F() {}\n", "p/p.go:3: F is exported"},
		{"unexported", "// Package p is.\npackage p\nfunc f() {}\ntype t int\nfunc (t) F() {}\n", ""},
		{"method", "// Package p is.\npackage p\n// T is.\ntype T[K any] int\nfunc (t *T[K]) F() {}\n", "p/p.go:5: F is exported"},
		{"well-known method", "// Package p is.\npackage p\n// T is.\ntype T int\nfunc (t T) String() string { return \"\" }\n", ""},
		{"type", "// Package p is.\npackage p\ntype T int\n", "p/p.go:3: T is exported"},
		{"constants in a group", "// Package p is.\npackage p\n// Some.\nconst (\n\tA = 1\n\tB = 2\n)\n", ""},
		{"variable", "// Package p is.\npackage p\nvar (\n\ta = 1\n\tB = 2\n)\n", "p/p.go:5: B is exported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			expect(t, Documented([]*File{parse(t, "p/p.go", tt.src)}), tt.want)
		})
	}
}

func TestLoadPassesOver(t *testing.T) {
	root := t.TempDir()
	for name, src := range map[string]string{
		"a/a.go":              "package a\n",
		"a/testdata/x.go":     "not go at all",
		"a/_old/x.go":         "not go at all",
		".hidden/x.go":        "not go at all",
		"other/go.mod":        "module other\n",
		"other/x.go":          "not go at all",
		"a/a_string.go":       "// Code generated by stringer. DO NOT EDIT.\n\npackage a\n",
		"vendor/example/x.go": "not go at all",
	} {
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 || files[0].Name != "a/a.go" {
		t.Errorf("read %v, want a/a.go alone", files)
	}
	if err := os.WriteFile(filepath.Join(root, "a/b.go"), []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(root); err == nil {
		t.Error("a file that is not Go was read without complaint")
	}
}

func parse(t *testing.T, name, src string) *File {
	t.Helper()
	f, err := Parse(name, src)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// expect wants exactly one problem that contains want, or none.
func expect(t *testing.T, got []Problem, want string) {
	t.Helper()
	if want == "" {
		if len(got) > 0 {
			t.Errorf("complains without reason: %v", got)
		}
		return
	}
	if len(got) != 1 || !strings.Contains(got[0].String(), want) {
		t.Errorf("have %v\nwant one with %q", got, want)
	}
}
