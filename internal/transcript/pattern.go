package transcript

import (
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// A kind is what a thing received is.
type kind int

const (
	element kind = iota
	header       // the start tag of a stream
	closing      // </stream:stream>
	cut          // the connection has ended
	broken       // not XML that XMPP allows
)

// A pattern is what somebody expects to receive.
type pattern struct {
	kind   kind
	source string
	node   *node // for element and header
}

// readPatterns reads the patterns of an expectation, one for each stanza.
func readPatterns(source string) ([]pattern, error) {
	switch {
	case source == "</stream:stream>":
		return []pattern{{kind: closing, source: source}}, nil
	case source == "cut":
		return []pattern{{kind: cut, source: source}}, nil
	case isHeader(source):
		n, err := readHeader(source)
		if err != nil {
			return nil, err
		}
		dots(n)
		return []pattern{{kind: header, source: source, node: n}}, nil
	}
	nodes, err := readFragment(source)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, errors.New("nothing is expected: write nothing if that is meant")
	}
	out := make([]pattern, len(nodes))
	for i, n := range nodes {
		dots(n)
		out[i] = pattern{kind: element, source: source, node: n}
	}
	return out, nil
}

func isHeader(source string) bool {
	return strings.HasPrefix(declaration(source), "<stream:stream") && !strings.Contains(source, "</stream:stream>")
}

// readError makes the pattern of a stream error from its condition.
func readError(condition string) pattern {
	return pattern{
		kind:   element,
		source: "<stream:error><" + condition + "/>…</stream:error>",
		node: &node{
			name: xml.Name{Space: nsStream, Local: "error"},
			kids: []*node{{name: xml.Name{Space: nsErrors, Local: condition}, text: "…"}},
			text: "…",
		},
	}
}

var reDots = regexp.MustCompile(`…|\.\.\.`)

// dots writes every ... that stands alone as the one character that it means.
func dots(n *node) {
	for i := range n.attrs {
		if n.attrs[i].Value == "..." {
			n.attrs[i].Value = "…"
		}
	}
	if n.text != "" && strings.TrimSpace(reDots.ReplaceAllString(n.text, "")) == "" {
		n.text = "…"
	}
	for _, kid := range n.kids {
		dots(kid)
	}
}

// match compares a thing received with the pattern. It returns the names known
// after it, or why the two differ.
func (p pattern) match(got item, known vars) (vars, error) {
	if got.kind != p.kind {
		return known, fmt.Errorf("that is %s", got.kind)
	}
	if p.node == nil {
		return known, nil
	}
	return matchNode(p.node, got.node, known, "")
}

// matchNode compares two elements; path says where, for the reason given.
func matchNode(want, got *node, known vars, path string) (vars, error) {
	path += "<" + want.name.Local + ">"
	if want.name != got.name {
		return known, fmt.Errorf("%s is <%s xmlns='%s'>, expected xmlns='%s'", path, got.name.Local, got.name.Space, want.name.Space)
	}
	known, err := matchAttrs(want, got, known, path)
	if err != nil {
		return known, err
	}
	// RFC 6120 has no mixed content: … is either among children or in text.
	if want.text == "…" {
		return matchSome(want.kids, got.kids, known, path)
	}
	after, ok := known.match(want.text, got.text)
	if !ok {
		return known, fmt.Errorf("the text of %s is %q, expected %q", path, got.text, want.text)
	}
	return matchAll(want.kids, got.kids, after, path)
}

func matchAttrs(want, got *node, known vars, path string) (vars, error) {
	for _, a := range want.attrs {
		value, there := got.attr(a.Name)
		switch {
		case a.Value == "(none)" && there:
			return known, fmt.Errorf("%s has %s='%s', expected none", path, a.Name.Local, value)
		case a.Value == "(none)":
			continue
		case !there:
			return known, fmt.Errorf("%s has no attribute %s", path, a.Name.Local)
		}
		after, ok := known.match(a.Value, value)
		if !ok {
			return known, fmt.Errorf("%s has %s='%s', expected '%s'", path, a.Name.Local, value, known.fill(a.Value))
		}
		known = after
	}
	return known, nil
}

// matchAll wants the same children in the same order.
func matchAll(want, got []*node, known vars, path string) (vars, error) {
	for i, w := range want {
		if i >= len(got) {
			return known, fmt.Errorf("%s has no <%s>", path, w.name.Local)
		}
		after, err := matchNode(w, got[i], known, path)
		if err != nil {
			return known, err
		}
		known = after
	}
	if len(got) > len(want) {
		return known, fmt.Errorf("%s has <%s xmlns='%s'> too", path, got[len(want)].name.Local, got[len(want)].name.Space)
	}
	return known, nil
}

// matchSome wants the children in this order, with any others between.
func matchSome(want, got []*node, known vars, path string) (vars, error) {
	if len(want) == 0 {
		return known, nil
	}
	reason := fmt.Errorf("%s has no <%s>", path, want[0].name.Local)
	for i, g := range got {
		after, err := matchNode(want[0], g, known, path)
		if err != nil {
			if g.name == want[0].name {
				reason = err
			}
			continue
		}
		if after, err = matchSome(want[1:], got[i+1:], after, path); err == nil {
			return after, nil
		}
		reason = err
	}
	return known, reason
}

// String names the kind in a sentence that starts with "that is".
func (k kind) String() string {
	switch k {
	case element:
		return "an element"
	case header:
		return "a stream header"
	case closing:
		return "the end of the stream"
	case cut:
		return "the end of the connection"
	}
	return "not XML that XMPP allows"
}
