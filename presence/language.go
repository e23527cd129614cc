package presence

import (
	"maps"
	"slices"
	"strings"
)

// Languages returns the tags of the languages that texts can be in.
func (c *Catalogue) Languages() []string { return slices.Sorted(maps.Keys(c.words)) }

// Language returns the first of the languages asked for, best first, that texts can
// be in: "de" for "de-AT" (RFC 4647 §3.4). If there is none it is the usual one of
// the configuration.
func (c *Catalogue) Language(asked ...string) string {
	for _, tag := range asked {
		for tag = strings.ToLower(tag); tag != ""; {
			if _, ok := c.words[tag]; ok {
				return tag
			}
			tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)]
		}
	}
	return c.usual
}
