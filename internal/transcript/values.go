package transcript

import (
	"maps"
	"regexp"
	"strings"
)

// vars is what $names stand for.
type vars map[string]string

var (
	reName = regexp.MustCompile(`\$[A-Za-z][A-Za-z0-9]*`)
	reWild = regexp.MustCompile(`…|\$[A-Za-z][A-Za-z0-9]*`)
)

// fill puts in the $names that are known; other dollars stay as they are.
func (v vars) fill(text string) string {
	return reName.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := v[name[1:]]; ok {
			return value
		}
		return name
	})
}

// match compares a value with a pattern and returns v, or v with the names that
// were met for the first time.
func (v vars) match(pattern, value string) (vars, bool) {
	if !reWild.MatchString(pattern) {
		return v, pattern == value
	}
	expr, fresh := v.compile(pattern)
	found := regexp.MustCompile(expr).FindStringSubmatch(value)
	if found == nil {
		return v, false
	}
	if len(fresh) == 0 {
		return v, true
	}
	known := maps.Clone(v)
	for i, name := range fresh {
		if before, ok := known[name]; ok && before != found[i+1] {
			return v, false
		}
		known[name] = found[i+1]
	}
	return known, true
}

// compile makes a regular expression of a pattern. Its groups are the names met
// for the first time.
func (v vars) compile(pattern string) (expr string, fresh []string) {
	var out strings.Builder
	out.WriteString(`(?s)\A`)
	rest := pattern
	for {
		at := reWild.FindStringIndex(rest)
		if at == nil {
			break
		}
		out.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		word := rest[at[0]:at[1]]
		rest = rest[at[1]:]
		if word == "…" {
			out.WriteString(`.*`)
		} else if value, ok := v[word[1:]]; ok {
			out.WriteString(regexp.QuoteMeta(value))
		} else {
			fresh = append(fresh, word[1:])
			out.WriteString(`(.+?)`)
		}
	}
	out.WriteString(regexp.QuoteMeta(rest) + `\z`)
	return out.String(), fresh
}
