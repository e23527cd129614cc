package device

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// MaxList is how long a list may be, in bytes: room for some 10,000 devices.
const MaxList = 8 << 20

// Problem is one thing that is wrong with a list.
type Problem struct {
	Line int // 1 is the first
	Text string
}

// String says it in one line.
func (p Problem) String() string { return fmt.Sprintf("line %d: %s", p.Line, p.Text) }

// Entry is what a list says of one device. What it leaves out stays as it is.
type Entry struct {
	ID     string
	Groups []string // the shared groups that it is in; nil if the list does not say
	Secret string   // its secret itself, or ""
	Owner  string   // as written: an address, or a name before the @

	line   int
	lines  map[string]int // of its keys
	values map[string]any // strings, truths and lists of strings
}

// Line returns the line of one of its keys, or of the device if the list does not
// have that.
func (e *Entry) Line(key string) int { return cmp.Or(e.lines[key], e.line) }

// Says reports whether the list has a value for a key.
func (e *Entry) Says(key string) bool { _, says := e.values[key]; return says }

// Apply makes a device what the list says of it. The owner is for the caller to
// find, and so is what the secret makes.
func (e *Entry) Apply(d *Device) {
	d.ID = e.ID
	for key, v := range e.values {
		keys[key].set(d, v)
	}
	if e.Says("ha1_md5") && !e.Says("ha1_sha256") {
		d.Key.SHA256 = "" // the old one was for another secret
	}
}

// listKey is one key that a device has in a list.
type listKey struct {
	kind string // "string", "true or false" or "list of strings"
	set  func(*Device, any)
}

const (
	aString = "string"
	aTruth  = "true or false"
	aList   = "list of strings"
)

func textKey(field func(*Device) *string) listKey {
	return listKey{aString, func(d *Device, v any) { *field(d) = v.(string) }}
}

func truthKey(field func(*Device) *bool) listKey {
	return listKey{aTruth, func(d *Device, v any) { *field(d) = v.(bool) }}
}

// elsewhere is what is not of the device itself.
func elsewhere(kind string) listKey { return listKey{kind, func(*Device, any) {}} }

// keys are all that a device can have in a list.
var keys = map[string]listKey{
	"id":         elsewhere(aString),
	"name":       textKey(func(d *Device) *string { return &d.Name }),
	"class":      {aString, func(d *Device, v any) { d.Class = Class(v.(string)) }},
	"site":       textKey(func(d *Device) *string { return &d.Site }),
	"groups":     elsewhere(aList),
	"critical":   truthKey(func(d *Device) *bool { return &d.Critical }),
	"shared":     truthKey(func(d *Device) *bool { return &d.Shared }),
	"disabled":   truthKey(func(d *Device) *bool { return &d.Disabled }),
	"upstream":   textKey(func(d *Device) *string { return &d.Upstream }),
	"user":       textKey(func(d *Device) *string { return &d.User }),
	"numbers":    {aList, func(d *Device, v any) { d.Numbers = v.([]string) }},
	"owner":      elsewhere(aString),
	"realm":      textKey(func(d *Device) *string { return &d.Key.Realm }),
	"ha1_md5":    textKey(func(d *Device) *string { return &d.Key.MD5 }),
	"ha1_sha256": textKey(func(d *Device) *string { return &d.Key.SHA256 }),
	"secret":     elsewhere(aString),
}

// ReadList reads a list of devices. If anything is wrong with it, all of that is
// returned, in the order of the lines.
func ReadList(text []byte) ([]Entry, []Problem) {
	if len(text) > MaxList {
		return nil, []Problem{{1, fmt.Sprintf("the list has more than %d bytes", MaxList)}}
	}
	var doc map[string]any
	if err := toml.Unmarshal(text, &doc); err != nil {
		line := 1
		if at := (*toml.DecodeError)(nil); errors.As(err, &at) {
			line, _ = at.Position()
		}
		return nil, []Problem{{line, strings.TrimPrefix(err.Error(), "toml: ")}}
	}
	places, strays := locate(text)
	r := &reader{seen: map[string]int{}}
	for _, s := range strays {
		r.wrong(s.Line, "%s", s.Text)
	}
	list, _ := doc["device"].([]any)
	if len(list) != len(places) {
		r.wrong(1, "each device is a table of its own: [[device]]")
		return nil, r.problems
	}
	for i, v := range list {
		if table, is := v.(map[string]any); is {
			r.device(table, places[i])
		}
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.list, nil
}

// place is where a device and its keys stand.
type place struct {
	line  int
	lines map[string]int
}

// locate finds where things stand in sound TOML. The values come from the decoder;
// this knows only places. strays are what is no device.
func locate(text []byte) (places []place, strays []Problem) {
	var p unstable.Parser
	p.Reset(text)
	count := &counter{text: text, line: 1}
	inDevice := false
	stray := func(line int, name string) {
		strays = append(strays, Problem{line, fmt.Sprintf("%s is no device; each is a table of its own: [[device]]", shorten(name))})
	}
	for p.NextExpression() {
		e := p.Expression()
		if e.Kind == unstable.Comment {
			continue
		}
		name, line, deep := count.first(e.Key())
		switch {
		case e.Kind == unstable.ArrayTable && name == "device" && !deep:
			places = append(places, place{line, map[string]int{}})
			inDevice = true
		case e.Kind == unstable.KeyValue && inDevice:
			if at := places[len(places)-1].lines; at[name] == 0 {
				at[name] = line
			}
		default:
			inDevice = false
			stray(line, name)
		}
	}
	return places, strays
}

// counter counts lines, from one place to a later one.
type counter struct {
	text []byte
	at   int
	line int
}

// first returns the first part of a key and its line, and whether there is more.
func (c *counter) first(parts unstable.Iterator) (name string, line int, deep bool) {
	for parts.Next() {
		if line > 0 {
			return name, line, true
		}
		n := parts.Node()
		if at := int(n.Raw.Offset); at > c.at {
			c.line += bytes.Count(c.text[c.at:at], []byte("\n"))
			c.at = at
		}
		name, line = string(n.Data), c.line
	}
	return name, line, false
}

// reader makes entries of tables.
type reader struct {
	list     []Entry
	seen     map[string]int // the lines of ids
	problems []Problem
}

func (r *reader) wrong(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{line, fmt.Sprintf(format, args...)})
}

func (r *reader) device(table map[string]any, at place) {
	e := Entry{line: at.line, lines: at.lines, values: map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(table)) {
		k, known := keys[name]
		if !known {
			r.wrong(e.Line(name), "a device has no %s; it has %s", shorten(name), strings.Join(slices.Sorted(maps.Keys(keys)), ", "))
			continue
		}
		v, is := plain(table[name], k.kind)
		if !is {
			r.wrong(e.Line(name), "%s is a %s", name, k.kind)
			continue
		}
		e.values[name] = v
	}
	written, _ := e.values["id"].(string)
	id, err := ID(written)
	switch {
	case table["id"] == nil:
		r.wrong(at.line, "the device has no id")
	case !e.Says("id"): // it is no text, which was said above
	case err != nil:
		r.wrong(e.Line("id"), "%s", text(err))
	case r.seen[id] > 0:
		r.wrong(e.Line("id"), "%s is in line %d already", id, r.seen[id])
	default:
		r.seen[id] = e.Line("id")
	}
	e.ID = id
	e.Groups, _ = e.values["groups"].([]string)
	e.Secret, _ = e.values["secret"].(string)
	e.Owner, _ = e.values["owner"].(string)
	if e.Secret != "" && (e.Says("ha1_md5") || e.Says("ha1_sha256")) {
		r.wrong(e.Line("secret"), "%s has a secret and what is made of one; leave one of them out", id)
	}
	r.list = append(r.list, e)
}

// plain returns a value of a kind.
func plain(v any, kind string) (any, bool) {
	switch kind {
	case aTruth:
		b, is := v.(bool)
		return b, is
	case aList:
		all, is := v.([]any)
		out := make([]string, 0, len(all)) // not nil
		for _, x := range all {
			s, ok := x.(string)
			is = is && ok
			out = append(out, s)
		}
		return out, is
	}
	s, is := v.(string)
	return s, is
}

// AppendList appends a device as it stands in a list, with all that there is to
// say, so that the list makes it what it is now whatever becomes of it meanwhile.
func AppendList(b []byte, d *Device, groups []string) []byte {
	text := func(key, s string) { b = fmt.Appendf(b, "%s = %s\n", key, quote(s)) }
	truth := func(key string, is bool) { b = fmt.Appendf(b, "%s = %t\n", key, is) }
	list := func(key string, all []string) {
		quoted := make([]string, len(all))
		for i, s := range all {
			quoted[i] = quote(s)
		}
		b = fmt.Appendf(b, "%s = [%s]\n", key, strings.Join(quoted, ", "))
	}
	b = append(b, "[[device]]\n"...)
	text("id", d.ID)
	text("name", d.Name)
	text("class", string(d.Class))
	text("site", d.Site)
	list("groups", groups)
	list("numbers", d.Numbers)
	text("owner", string(d.Owner))
	truth("critical", d.Critical)
	truth("shared", d.Shared)
	truth("disabled", d.Disabled)
	text("upstream", d.Upstream)
	text("user", d.User)
	if d.Key.Set() {
		text("realm", d.Key.Realm)
		text("ha1_md5", d.Key.MD5)
		text("ha1_sha256", d.Key.SHA256)
	}
	return b
}

// quote writes a string of TOML.
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
