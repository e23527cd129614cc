package presence

import "strings"

// place is where a detail goes in a label, and the first level that sees it. What
// it is about a time is seen with the label: a help point that has been dead since
// noon is to be seen so by everybody who sees that it is.
type place struct {
	name string
	from Level
}

var places = []place{
	{"{text}", Detail}, {"{device}", Detail}, {"{source}", Detail}, {"{cause}", Detail},
	{"{counterpart}", Full}, {"{ref}", Full},
	{"{since}", Status}, {"{until}", Status},
}

func placeNames() []string {
	names := make([]string, len(places))
	for i, p := range places {
		names[i] = p.name
	}
	return names
}

// checkTemplate says what is wrong with a label, or "".
func checkTemplate(t string) string {
	open := false
	for t != "" {
		i := strings.IndexAny(t, "[]{}")
		if i < 0 {
			break
		}
		switch c := t[i]; {
		case c == '[' && open:
			return "has a [ within a ["
		case c == ']' && !open:
			return "has a ] without a ["
		case c == '}':
			return "has a } without a {"
		case c == '{':
			end := strings.IndexByte(t[i:], '}')
			if end < 0 || !known(t[i:i+end+1]) {
				return "has a place that there is not"
			}
			i += end
		default:
			open = c == '['
		}
		t = t[i+1:]
	}
	if open {
		return "has a [ without a ]"
	}
	return ""
}

func known(name string) bool {
	for _, p := range places {
		if p.name == name {
			return true
		}
	}
	return false
}

// fill writes a label with what value says of each place. A part in brackets is left
// out when a place in it is empty. The label has passed checkTemplate.
func fill(label string, value func(place string) string) string {
	if !strings.ContainsAny(label, "[{") {
		return label
	}
	var b strings.Builder
	for label != "" {
		before, rest, found := strings.Cut(label, "[")
		text, _ := fillPart(before, value)
		b.WriteString(text)
		if !found {
			break
		}
		part, after, _ := strings.Cut(rest, "]")
		if text, whole := fillPart(part, value); whole {
			b.WriteString(text)
		}
		label = after
	}
	return b.String()
}

// fillPart fills in what has no brackets, and reports whether all of it was known.
func fillPart(s string, value func(string) string) (out string, whole bool) {
	whole = true
	for {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return out + s, whole
		}
		end := i + strings.IndexByte(s[i:], '}') + 1
		v := value(s[i:end])
		whole = whole && v != ""
		out += s[:i] + v
		s = s[end:]
	}
}
