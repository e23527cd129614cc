package event

import (
	"errors"
	"strings"
)

// The limits of the headers.
const (
	maxHeader = 1024 // bytes
	maxParams = 16
	maxList   = 64 // entries of a list header
)

// ErrHeader is for a header that cannot be read.
var ErrHeader = errors.New("event: malformed header")

// Param is a parameter of a header; Value is "" for one without.
type Param struct{ Name, Value string }

// Event is what an Event header says.
type Event struct {
	Package string // with its templates: "dialog", "presence.winfo"
	ID      string
	Params  []Param // but for the id; names in lower case
}

// ParseEvent reads an Event header, of either form.
func ParseEvent(s string) (Event, error) {
	name, params, err := split(s)
	e := Event{Package: name}
	if err != nil {
		return e, err
	}
	if !token(name) || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return e, ErrHeader
	}
	for _, p := range params {
		if p.Name == "id" {
			e.ID = p.Value
			continue
		}
		e.Params = append(e.Params, p)
	}
	return e, nil
}

// Base returns the package without its templates: "presence" of "presence.winfo".
func (e Event) Base() string {
	base, _, _ := strings.Cut(e.Package, ".")
	return base
}

// Template returns the templates: "winfo" of "presence.winfo".
func (e Event) Template() string {
	_, template, _ := strings.Cut(e.Package, ".")
	return template
}

// Param returns a parameter, and whether it is there.
func (e Event) Param(name string) (string, bool) {
	for _, p := range e.Params {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// Shared says that the event is another package in disguise: "dialog;sla" and
// "dialog;ma" are shared and managed line appearances of Broadsoft and Avaya, in
// which the notifier seizes lines too. They must not be answered as plain dialogs.
func (e Event) Shared() bool {
	_, sla := e.Param("sla")
	_, ma := e.Param("ma")
	return sla || ma
}

// Same reports whether two headers mean the same subscription within a dialog (RFC
// 6665 §8.2.1): package and id, byte by byte.
func (e Event) Same(o Event) bool { return e.Package == o.Package && e.ID == o.ID }

// Append appends the header's value as a NOTIFY repeats it: package and id.
func (e Event) Append(dst []byte) []byte {
	dst = append(dst, e.Package...)
	if e.ID != "" {
		dst = append(append(dst, ";id="...), e.ID...)
	}
	return dst
}

// split cuts a header value into what stands before the first semicolon and the
// parameters.
func split(s string) (string, []Param, error) {
	if len(s) > maxHeader {
		return "", nil, ErrHeader
	}
	value, rest := cut(s, ';')
	value = strings.TrimSpace(value)
	var params []Param
	for rest != "" {
		var p string
		if p, rest = cut(rest[1:], ';'); strings.TrimSpace(p) == "" {
			continue // a semicolon too many harms nobody
		}
		if len(params) == maxParams {
			return "", nil, ErrHeader
		}
		name, v, _ := strings.Cut(p, "=")
		name, v = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(v)
		if !token(name) {
			return "", nil, ErrHeader
		}
		v, ok := unquote(v)
		if !ok {
			return "", nil, ErrHeader
		}
		params = append(params, Param{name, v})
	}
	return value, params, nil
}

// cut splits s before the first sep that stands in no quotes.
func cut(s string, sep byte) (before, after string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == '\\' && quoted:
			i++
		case s[i] == sep && !quoted:
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func unquote(s string) (string, bool) {
	if !strings.HasPrefix(s, `"`) {
		return s, !strings.ContainsAny(s, "\"\r\n\x00")
	}
	if len(s) < 2 || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 {
		return s, !strings.ContainsAny(s, "\r\n\x00")
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	out := b.String()
	return out, !strings.ContainsAny(out, "\r\n\x00")
}

// token reports whether s is a token of RFC 3261 §25.1.
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte("-.!%*_+`'~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// List reads a header that is a list of tokens, such as Allow-Events or Supported,
// from all its lines. COMPAT(baresip, for good): empty entries are none.
func List(lines ...string) []string {
	var out []string
	for _, line := range lines {
		if len(line) > maxHeader {
			continue
		}
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); token(entry) && len(out) < maxList {
				out = append(out, entry)
			}
		}
	}
	return out
}

// Accepted returns the first of our media types that an Accept header allows, "" if
// it allows none. Without the header, or with an empty one, the first is it: each
// package has a type that everybody must know. q is honoured as far as 0 goes.
func Accepted(ours []string, lines ...string) string {
	if len(ours) == 0 {
		return ""
	}
	empty := true
	for _, want := range ours {
		for _, line := range lines {
			for line != "" && len(line) <= maxHeader {
				entry, rest := cut(line, ',')
				line = strings.TrimPrefix(rest, ",")
				if strings.TrimSpace(entry) == "" {
					continue
				}
				empty = false
				if allows(entry, want) {
					return want
				}
			}
		}
	}
	if empty {
		return ours[0]
	}
	return ""
}

func allows(entry, want string) bool {
	kind, params, err := split(entry)
	if err != nil {
		return false
	}
	for _, p := range params {
		if p.Name == "q" && strings.Trim(p.Value, "0.") == "" {
			return false
		}
	}
	kind = strings.ToLower(kind)
	major, _, _ := strings.Cut(want, "/")
	return kind == want || kind == "*/*" || kind == major+"/*"
}
