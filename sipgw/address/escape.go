package address

import "strings"

// escapable are the characters that a localpart cannot hold, and how XEP-0106 §3
// writes them.
var escapable = []struct {
	c    byte
	code string
}{
	{' ', "20"}, {'"', "22"}, {'&', "26"}, {'\'', "27"}, {'/', "2f"},
	{':', "3a"}, {'<', "3c"}, {'>', "3e"}, {'@', "40"},
}

// Escape writes what a localpart cannot hold as XEP-0106 does. A backslash is
// escaped only where it would be taken for the beginning of an escape.
func Escape(s string) string {
	if !strings.ContainsAny(s, " \"&'/:<>@\\") {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		switch code := codeOf(s[i]); {
		case code != "":
			b.WriteByte('\\')
			b.WriteString(code)
		case s[i] == '\\' && escaped(s[i:]) != 0:
			b.WriteString(`\5c`)
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// Unescape undoes Escape.
func Unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := escaped(s[i:]); c != 0 {
			b.WriteByte(c)
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func codeOf(c byte) string {
	for _, e := range escapable {
		if e.c == c {
			return e.code
		}
	}
	return ""
}

// escaped returns the character that s begins with an escape of, 0 if it doesn't.
func escaped(s string) byte {
	if len(s) < 3 || s[0] != '\\' {
		return 0
	}
	code := strings.ToLower(s[1:3]) // preparing a localpart lowers it anyway
	if code == "5c" {
		return '\\'
	}
	for _, e := range escapable {
		if e.code == code {
			return e.c
		}
	}
	return 0
}
