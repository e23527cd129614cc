package layering

import (
	"fmt"
	"go/ast"
	"go/token"
)

// The budgets of the house. Nine in ten keep the first number, all the second.
const (
	functionUsual, functionMost = 40, 80
	fileUsual, fileMost         = 350, 600
	interfaceMost               = 3
)

// Budgets returns what has grown too large: functions, files and interfaces
// over the most that is allowed, and the tenth that is over the usual when it
// is more than a tenth.
func Budgets(files []*File) []Problem {
	var out []Problem
	functions := share{what: "functions", usual: functionUsual}
	lengths := share{what: "files", usual: fileUsual}
	for _, f := range files {
		lengths.add(f.Name, f.Lines)
		if f.Lines > fileMost {
			out = append(out, Problem{f.Name, fmt.Sprintf("%d lines, at most %d: it is more than one thing", f.Lines, fileMost)})
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			n := f.length(fn)
			functions.add(f.at(fn.Pos()), n)
			if n > functionMost {
				out = append(out, Problem{f.at(fn.Pos()), fmt.Sprintf("func %s has %d lines, at most %d", fn.Name.Name, n, functionMost)})
			}
		}
		out = append(out, wideInterfaces(f)...)
	}
	out = append(out, functions.problem()...)
	return append(out, lengths.problem()...)
}

// length counts a function's lines; those of tables in it (array, slice and
// map literals) are not counted.
func (f *File) length(fn *ast.FuncDecl) int {
	n := f.line(fn.End()) - f.line(fn.Pos()) + 1
	ast.Inspect(fn.Body, func(node ast.Node) bool {
		lit, ok := node.(*ast.CompositeLit)
		if !ok || !table(lit) {
			return true
		}
		n -= max(0, f.line(lit.Rbrace)-f.line(lit.Lbrace)-1)
		return false
	})
	return n
}

func table(lit *ast.CompositeLit) bool {
	switch lit.Type.(type) {
	case *ast.ArrayType, *ast.MapType:
		return true
	}
	return false
}

func wideInterfaces(f *File) []Problem {
	var out []Problem
	ast.Inspect(f.ast, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if t, ok := spec.Type.(*ast.InterfaceType); ok && t.Methods.NumFields() > interfaceMost && !constraint(t) {
			out = append(out, Problem{f.at(spec.Pos()), fmt.Sprintf(
				"interface %s has %d methods, at most %d: let each consumer declare what it needs",
				spec.Name.Name, t.Methods.NumFields(), interfaceMost)})
		}
		return true
	})
	return out
}

// constraint reports whether t is a type set rather than a set of methods.
func constraint(t *ast.InterfaceType) bool {
	for _, m := range t.Methods.List {
		switch e := m.Type.(type) {
		case *ast.UnaryExpr:
			return e.Op == token.TILDE
		case *ast.BinaryExpr:
			return true
		}
	}
	return false
}

// A share counts how many of a kind are over the usual size.
type share struct {
	what  string
	usual int
	all   int
	over  []string
}

func (s *share) add(name string, size int) {
	s.all++
	if size > s.usual {
		s.over = append(s.over, fmt.Sprintf("%s (%d)", name, size))
	}
}

func (s *share) problem() []Problem {
	if len(s.over)*10 <= s.all {
		return nil
	}
	return []Problem{{module, fmt.Sprintf("%d of %d %s have more than %d lines, at most one in ten may: %v",
		len(s.over), s.all, s.what, s.usual, s.over)}}
}
