package config

import (
	"slices"
	"strings"
)

// fill reads every value of a document into c.
func (c *Config) fill(d *document) (problems []Problem) {
	for section, v := range d.values {
		path := join("", section)
		names := inSection(section)
		t, isTable := v.(map[string]any)
		switch {
		case len(names) == 0:
			problems = append(problems, Problem{Line: d.line(path), Key: path, What: "unknown table", Remedy: suggest(section, sections())})
		case !isTable:
			problems = append(problems, Problem{Line: d.line(path), Key: path, Value: literal(v), What: "not a table", Remedy: "write [" + section + "] and its keys below it"})
		default:
			for name, v := range t {
				problems = append(problems, c.fillKey(d, section, name, v)...)
			}
		}
	}
	return problems
}

// fillKey reads the value of one key into c.
func (c *Config) fillKey(d *document, section, name string, v any) (problems []Problem) {
	path := join(section, name)
	k, known := lookup(path)
	if !known {
		return []Problem{{Line: d.line(path), Key: path, What: "unknown key", Remedy: suggestKey(section, name)}}
	}
	for _, f := range k.read(c, v) {
		p := Problem{Line: d.line(path + f.at), Key: path + f.at, What: f.what, Remedy: f.remedy}
		if !k.secret {
			p.Value = literal(f.value)
		}
		problems = append(problems, p)
	}
	return problems
}

// suggestKey returns a remedy for an unknown key of a known table. A key that is
// in another table was most likely put into the wrong one, unless there is one
// here that has just a letter more or less.
func suggestKey(section, name string) string {
	for _, known := range inSection(section) {
		if edits(name, known) == 1 {
			return suggest(name, []string{known})
		}
	}
	for _, k := range keys {
		if other, found := strings.CutSuffix(k.path, "."+name); found {
			return "it belongs to [" + other + "]"
		}
	}
	return suggest(name, inSection(section))
}

// sections returns the names of all tables, in the order of the manual.
func sections() (names []string) {
	for _, k := range keys {
		section, _, _ := strings.Cut(k.path, ".")
		if !slices.Contains(names, section) {
			names = append(names, section)
		}
	}
	return names
}

// inSection returns the names of the keys of one table.
func inSection(section string) (names []string) {
	for _, k := range keys {
		if name, found := strings.CutPrefix(k.path, section+"."); found {
			names = append(names, name)
		}
	}
	return names
}
