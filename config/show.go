package config

import (
	"fmt"
	"strings"
)

// String writes the whole configuration as TOML that can be loaded again. A
// secret value is left out and said to be.
func (c *Config) String() string {
	var b strings.Builder
	section := ""
	for _, k := range keys {
		s, name, _ := strings.Cut(k.path, ".")
		if s != section {
			if section != "" {
				b.WriteByte('\n')
			}
			section = s
			b.WriteString("[" + section + "]\n")
		}
		value := k.show(c)
		if k.secret && value != `""` && (k.hides == nil || k.hides(c)) {
			b.WriteString("# " + name + " is set, and not shown\n")
			continue
		}
		b.WriteString(name + " = " + value + "\n")
	}
	return b.String()
}

// Diff compares two configurations. It returns the keys that differ: those that
// a running server takes up, and those that wait for a restart.
func Diff(old, new *Config) (live, restart []string) {
	for _, k := range keys {
		switch {
		case k.show(old) == k.show(new):
		case k.live:
			live = append(live, k.path)
		default:
			restart = append(restart, k.path)
		}
	}
	return live, restart
}

// With returns c with what a running server takes up of another configuration.
// It is an error if the two do not go together.
func (c *Config) With(other *Config) (*Config, error) {
	merged := *c
	for _, k := range keys {
		if k.live {
			k.copy(&merged, other)
		}
	}
	if problems := merged.check(&document{}); len(problems) > 0 {
		return nil, fmt.Errorf("needs a restart: %s", problems[0])
	}
	return &merged, nil
}
