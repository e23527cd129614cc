package layering

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// A File is one parsed Go file of the module.
type File struct {
	Name    string // slash-separated, relative to the module: "roster/item.go"
	Dir     string // its package's directory, "." for the module's root
	Test    bool
	Lines   int
	Imports []Import

	set *token.FileSet
	ast *ast.File
}

// An Import is one import of a file.
type Import struct {
	Path  string
	Blank bool // import _ "…"
	Line  int
}

// A Problem is one rule broken in one place.
type Problem struct {
	Where string // "file:line", or a directory
	What  string
}

// String gives the problem as one line, place first, as compilers do.
func (p Problem) String() string { return p.Where + ": " + p.What }

// Parse reads one file given as text.
func Parse(name, src string) (*File, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	f := &File{
		Name:  name,
		Dir:   path.Dir(name),
		Test:  strings.HasSuffix(name, "_test.go"),
		Lines: strings.Count(src, "\n"),
		set:   set,
		ast:   tree,
	}
	for _, spec := range tree.Imports {
		f.Imports = append(f.Imports, Import{
			Path:  strings.Trim(spec.Path.Value, "`\""),
			Blank: spec.Name != nil && spec.Name.Name == "_",
			Line:  set.Position(spec.Pos()).Line,
		})
	}
	return f, nil
}

// Load parses every Go file of the module at root. Directories that the go
// command passes over (testdata, vendor, a leading dot or underscore, nested
// modules) are passed over here too, and so is generated code.
func Load(root string) ([]*File, error) {
	var files []*File
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && passedOver(name, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		f, err := Parse(filepath.ToSlash(rel), string(src))
		if err != nil {
			return err
		}
		if !ast.IsGenerated(f.ast) {
			files = append(files, f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", root, err)
	}
	return files, nil
}

func passedOver(dir, base string) bool {
	if base == "testdata" || base == "vendor" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// at is a place in the file, as "file:line".
func (f *File) at(p token.Pos) string {
	return fmt.Sprintf("%s:%d", f.Name, f.line(p))
}

func (f *File) line(p token.Pos) int { return f.set.Position(p).Line }
