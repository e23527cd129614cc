package transcript

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"rollcall/sipgw/siptest"
)

// A sipPattern is a SIP message that somebody expects: its method or status, and
// whatever else of it is named.
type sipPattern struct {
	source string
	want   *siptest.Message
	body   []*node // of a body that is XML
}

// readSIP reads a pattern, written like a message.
func readSIP(source string) (*sipPattern, error) {
	m, err := siptest.Write(source)
	if err != nil {
		return nil, err
	}
	p := &sipPattern{source: source, want: m}
	if strings.HasPrefix(m.Body, "<") {
		if p.body, err = readFragment(declaration(m.Body)); err != nil {
			return nil, err
		}
		for _, n := range p.body {
			dots(n)
		}
	}
	return p, nil
}

// match compares a message with the pattern. It returns the names known after it,
// or why the two differ.
func (p *sipPattern) match(got *siptest.Message, known vars) (vars, error) {
	known, err := p.matchFirst(got, known)
	if err != nil {
		return known, err
	}
	for _, f := range p.want.Fields {
		if known, err = matchField(f, got, known); err != nil {
			return known, err
		}
	}
	if p.want.Body == "" {
		return known, nil
	}
	return p.matchBody(got, known)
}

func (p *sipPattern) matchFirst(got *siptest.Message, known vars) (vars, error) {
	w := p.want
	switch {
	case w.Method != got.Method:
		return known, fmt.Errorf("that is %s", first(got))
	case w.Status != got.Status:
		return known, fmt.Errorf("the status is %d", got.Status)
	case w.Status != 0 && w.Reason != siptest.AnyReason:
		return matchText("the reason", w.Reason, got.Reason, known)
	case w.Status == 0 && w.URI != "":
		return matchText("the Request-URI", w.URI, got.URI, known)
	}
	return known, nil
}

func first(m *siptest.Message) string {
	switch {
	case m.Method != "":
		return "a " + m.Method
	case m.Status != 0:
		return "a response, " + strconv.Itoa(m.Status)
	}
	return "not SIP"
}

func matchText(what, want, got string, known vars) (vars, error) {
	after, ok := known.match(want, got)
	if !ok {
		return known, fmt.Errorf("%s is %q, expected %q", what, got, known.fill(want))
	}
	return after, nil
}

// matchField wants one of the headers of that name to match, or none to be there.
func matchField(f siptest.Field, got *siptest.Message, known vars) (vars, error) {
	values := got.Values(f.Name)
	if f.Value == "(none)" {
		if len(values) > 0 {
			return known, fmt.Errorf("%s is %q, expected none", f.Name, values[0])
		}
		return known, nil
	}
	for _, v := range values {
		if after, ok := known.match(f.Value, v); ok {
			return after, nil
		}
	}
	if len(values) == 0 {
		return known, fmt.Errorf("there is no %s", f.Name)
	}
	return known, fmt.Errorf("%s is %q, expected %q", f.Name, strings.Join(values, `", "`), known.fill(f.Value))
}

// matchBody compares XML as elements and anything else as text, in which the ends
// of lines do not matter.
func (p *sipPattern) matchBody(got *siptest.Message, known vars) (vars, error) {
	if p.body == nil {
		plain := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
		return matchText("the body", plain(p.want.Body), plain(got.Body), known)
	}
	nodes, err := readFragment(declaration(strings.TrimSpace(got.Body)))
	if err != nil {
		return known, fmt.Errorf("the body is not XML: %w", err)
	}
	if len(nodes) != len(p.body) {
		return known, errors.New("the body is another number of elements")
	}
	for i := range nodes {
		if known, err = matchNode(p.body[i], nodes[i], known, ""); err != nil {
			return known, err
		}
	}
	return known, nil
}
