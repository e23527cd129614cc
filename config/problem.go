package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line   int    // 1 is the first
	Key    string // "c2s.listen[1]", or empty when the text is no TOML
	Value  string // as it would be written, or empty
	What   string // what is wrong with it
	Remedy string // what would be right
}

// String says the problem in one line.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.Key == "":
		fmt.Fprintf(&b, "line %d: %s", p.Line, p.What)
	case p.Value == "":
		fmt.Fprintf(&b, "%s (line %d): %s", p.Key, p.Line, p.What)
	default:
		fmt.Fprintf(&b, "%s = %s (line %d): %s", p.Key, p.Value, p.Line, p.What)
	}
	if p.Remedy != "" {
		b.WriteString("; " + p.Remedy)
	}
	return b.String()
}

// Problems are all things that are wrong with a file. It is an error.
type Problems struct {
	File string
	List []Problem
}

// Error lists the problems, one a line.
func (p *Problems) Error() string {
	var b strings.Builder
	if len(p.List) == 1 {
		fmt.Fprintf(&b, "%s: one problem", p.File)
	} else {
		fmt.Fprintf(&b, "%s: %d problems", p.File, len(p.List))
	}
	for _, problem := range p.List {
		b.WriteString("\n  " + problem.String())
	}
	return b.String()
}

func sorted(list []Problem) []Problem {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Key, b.Key))
	})
	return list
}

// literal writes a value as it could stand in the file, shortened.
func literal(v any) string {
	const most = 60
	var s string
	switch v := v.(type) {
	case string:
		s = quote(v)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = literal(v[i])
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		s = "{ … }"
	default:
		s = fmt.Sprint(v)
	}
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// suggest returns a remedy for an unknown name: the known one that was most
// likely meant, or all of them when none is near.
func suggest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := edits(name, k); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return "did you mean " + strconv.Quote(best) + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}

// edits is the Levenshtein distance: how many letters to add, drop or change.
func edits(a, b string) int {
	const most = 64 // what is longer is no typing error, and costs its square
	if len(a) > most || len(b) > most {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
