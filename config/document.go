package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a file that is sound TOML.
type document struct {
	values map[string]any
	lines  map[string]int // of keys and elements, by path: "c2s.listen[1]"
}

// line returns the line of the key or element at path, or of the nearest thing
// around it that has one.
func (d *document) line(path string) int {
	for path != "" {
		if n, ok := d.lines[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 1
}

// parse reads TOML and finds the line of everything.
func parse(text []byte) (*document, *Problem) {
	d := &document{values: map[string]any{}, lines: map[string]int{}}
	if err := toml.Unmarshal(text, &d.values); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, _ := at.Position()
			return nil, &Problem{Line: line, Key: strings.Join(at.Key(), "."), What: strings.TrimPrefix(err.Error(), "toml: ")}
		}
		return nil, &Problem{Line: 1, What: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	l := locator{lines: d.lines, elements: map[string]int{}}
	l.parser.Reset(text)
	table := ""
	for l.parser.NextExpression() {
		table = l.expression(table, l.parser.Expression())
	}
	return d, nil
}

// locator walks over the syntax and notes lines. The values come from the
// decoder, which knows the rules on duplicates; this knows only places.
type locator struct {
	parser   unstable.Parser
	lines    map[string]int
	elements map[string]int // how many [[tables]] there were, by path
}

// expression notes the lines of one expression in a table, and returns the
// table that the next one is in.
func (l *locator) expression(table string, e *unstable.Node) string {
	switch e.Kind {
	case unstable.Table:
		return l.name("", e.Key())
	case unstable.ArrayTable:
		path := l.name("", e.Key())
		n := l.elements[path]
		l.elements[path]++
		element := fmt.Sprintf("%s[%d]", path, n)
		l.lines[element] = l.lines[path]
		return element
	case unstable.KeyValue:
		l.value(l.name(table, e.Key()), e.Value())
	}
	return table
}

// name notes the lines of the parts of a dotted key under a table, and returns
// its whole path.
func (l *locator) name(path string, parts unstable.Iterator) string {
	for parts.Next() {
		path = join(path, string(parts.Node().Data))
		l.lines[path] = l.parser.Shape(parts.Node().Raw).Start.Line
	}
	return path
}

// value notes the lines of what is inside of a value.
func (l *locator) value(path string, v *unstable.Node) {
	children := v.Children()
	switch v.Kind {
	case unstable.Array:
		for i := 0; children.Next(); {
			child := children.Node()
			if child.Kind == unstable.Comment {
				continue
			}
			element := fmt.Sprintf("%s[%d]", path, i)
			if child.Raw.Length > 0 {
				l.lines[element] = l.parser.Shape(child.Raw).Start.Line
			}
			l.value(element, child)
			i++
		}
	case unstable.InlineTable:
		for children.Next() {
			if child := children.Node(); child.Kind == unstable.KeyValue {
				l.value(l.name(path, child.Key()), child.Value())
			}
		}
	}
}

// join writes the path of a name in a table. Names that are not bare keys are
// quoted, so that no two keys have the same path.
func join(table, name string) string {
	bare := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z')
	})
	if !bare {
		name = quote(name)
	}
	if table == "" {
		return name
	}
	return table + "." + name
}
