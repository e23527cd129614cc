package layering

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// namesThatSayNothing are package names under which anything could be put.
var namesThatSayNothing = []string{
	"util", "utils", "common", "model", "models", "type", "types", "pkg", "helper", "helpers", "misc",
}

// Habits returns init functions, blank imports and packages with a name that
// says nothing. What the program is made of is said in one list, not by what
// happens to be linked.
func Habits(files []*File) []Problem {
	var out []Problem
	named := map[string]bool{}
	for _, f := range files {
		out = append(out, inits(f)...)
		out = append(out, blanks(f)...)
		if slices.Contains(namesThatSayNothing, packageName(f)) && !named[f.Dir] {
			named[f.Dir] = true
			out = append(out, Problem{f.Name, fmt.Sprintf("package %s: name it for what people get from it", packageName(f))})
		}
	}
	return out
}

// packageName is the directory's name or the name in the package clause,
// whichever of the two says less.
func packageName(f *File) string {
	if base := path.Base(f.Dir); slices.Contains(namesThatSayNothing, base) {
		return base
	}
	return strings.TrimSuffix(f.ast.Name.Name, "_test")
}

func inits(f *File) []Problem {
	var out []Problem
	for _, d := range f.ast.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			out = append(out, Problem{f.at(fn.Pos()), "func init: build it in cmd, where it can be seen"})
		}
	}
	return out
}

func blanks(f *File) []Problem {
	r, _ := roomOf(f.Dir)
	if r.dir == "cmd" || r.dir == "storage" {
		return nil // a database driver can be had in no other way
	}
	var out []Problem
	for _, imp := range f.Imports {
		if imp.Blank && imp.Path != "embed" { // the language wants it for //go:embed
			out = append(out, Problem{
				Where: fmt.Sprintf("%s:%d", f.Name, imp.Line),
				What:  fmt.Sprintf("blank import of %s: only cmd and storage may, for a driver", imp.Path),
			})
		}
	}
	return out
}
