package layering

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// Documented returns packages and exported things that nobody has written a
// sentence about. Tests need none.
func Documented(files []*File) []Problem {
	var out []Problem
	var dirs []string
	first := map[string]*File{}
	said := map[string]bool{}
	for _, f := range files {
		if f.Test {
			continue
		}
		if first[f.Dir] == nil {
			first[f.Dir] = f
			dirs = append(dirs, f.Dir)
		}
		if f.ast.Doc != nil {
			said[f.Dir] = true
			out = append(out, opening(f)...)
		}
		for _, d := range f.ast.Decls {
			out = append(out, undocumented(f, d)...)
		}
	}
	for _, dir := range dirs {
		if !said[dir] {
			out = append(out, Problem{first[dir].Name, fmt.Sprintf("package %s has no package comment", first[dir].ast.Name.Name)})
		}
	}
	return out
}

// opening checks how the package comment starts: tools show it by that.
func opening(f *File) []Problem {
	name := f.ast.Name.Name
	if name == "main" || strings.HasPrefix(f.ast.Doc.Text(), "Package "+name+" ") {
		return nil
	}
	return []Problem{{f.at(f.ast.Package), fmt.Sprintf("the package comment starts with %q", "Package "+name+" …")}}
}

func undocumented(f *File, d ast.Decl) []Problem {
	var out []Problem
	missing := func(id *ast.Ident) {
		if id.IsExported() {
			out = append(out, Problem{f.at(id.Pos()), id.Name + " is exported and has no comment"})
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && receiverExported(d) && !wellKnown(d) {
			missing(d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					missing(s.Name)
				}
			case *ast.ValueSpec:
				if d.Doc == nil && s.Doc == nil && s.Comment == nil {
					for _, id := range s.Names {
						missing(id)
					}
				}
			}
		}
	}
	return out
}

// wellKnown are the methods that mean the same everywhere.
func wellKnown(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains([]string{
		"Error", "String", "Unwrap", "Is", "Close", "Len", "Less", "Swap",
		"Read", "Write", "MarshalText", "UnmarshalText", "LogValue", "Format", "ServeHTTP",
	}, d.Name.Name)
}

func receiverExported(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch e := t.(type) {
		case *ast.StarExpr:
			t = e.X
		case *ast.IndexExpr:
			t = e.X
		case *ast.IndexListExpr:
			t = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return true
		}
	}
}
