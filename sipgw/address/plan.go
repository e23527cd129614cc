package address

import "strings"

// Plan says which telephone numbers mean what. The zero value knows no numbers.
type Plan struct {
	// Domain is where numbers have their addresses: "phones.example.org".
	Domain string

	// Country is the country code without a plus, "49". Numbers that begin with
	// Trunk ("0") are of this country, those that begin with Abroad ("00") of any.
	Country, Trunk, Abroad string
}

// Number brings a number into the one form in which it is an address: +49301234, or
// an extension as it is. "" if it is no number.
func (p Plan) Number(s string) string {
	n := digits(s)
	switch {
	case n == "" || n[0] == '+' || n == p.Abroad:
		return n
	case p.Abroad != "" && strings.HasPrefix(n, p.Abroad):
		return "+" + n[len(p.Abroad):]
	case p.Country != "" && p.Trunk != "" && strings.HasPrefix(n, p.Trunk) && len(n) > len(p.Trunk):
		return "+" + p.Country + n[len(p.Trunk):]
	}
	return n
}

// tel is Number for what a tel URI says, in which a number without a plus belongs to
// a context (RFC 3966 §5.1.5).
func (p Plan) tel(u URI) string {
	context, _ := u.Param("phone-context")
	if u.User != "" && u.User[0] != '+' && strings.HasPrefix(context, "+") {
		return digits(context + u.User)
	}
	return p.Number(u.User)
}

// digits returns a number without the marks that people put between digits (RFC
// 3966 §5.1.1), "" if it is none.
func digits(s string) string {
	clean := true
	for i := range len(s) {
		if strings.IndexByte(numberMarks, s[i]) >= 0 {
			clean = false
		} else if strings.IndexByte(numberDigits, s[i]) < 0 && (i > 0 || s[i] != '+') {
			return ""
		}
	}
	if !clean {
		s = strings.Map(func(r rune) rune {
			if strings.ContainsRune(numberMarks, r) {
				return -1
			}
			return r
		}, s)
	}
	if s == "+" || len(s) > 32 {
		return ""
	}
	return s
}
