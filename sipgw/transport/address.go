package transport

import (
	"errors"
	"strings"
)

// An Address is what stands in From, To, Contact, Route and others: a URI,
// perhaps a name for people, and parameters of the header (RFC 3261 §20.10).
type Address struct {
	Display string // without quotes and escapes
	URI     URI
	Params  Params // of the header, not of the URI
}

var (
	errAddressQuote   = errors.New("a name whose quotes do not end")
	errAddressBracket = errors.New("an address whose brackets do not match")
	errAddressName    = errors.New("a name without quotes that needs them")
)

// ParseAddress reads one address, with brackets or without.
func ParseAddress(s string) (Address, error) {
	s = strings.TrimSpace(s)
	var a Address
	if strings.HasPrefix(s, `"`) {
		end := endOfQuotes(s)
		if end < 0 {
			return a, errAddressQuote
		}
		a.Display = unquote(s[:end])
		if s = strings.TrimSpace(s[end:]); !strings.HasPrefix(s, "<") {
			return a, errAddressBracket
		}
	}
	open := strings.IndexByte(s, '<')
	if open < 0 || strings.IndexByte(s[:open], ';') >= 0 && a.Display == "" {
		return bare(s)
	}
	if open > 0 {
		a.Display = strings.TrimSpace(s[:open])
		for i := 0; i < len(a.Display); i++ {
			// RFC 3261 §25.1: *(token LWS); and bytes beyond ASCII, which are common.
			if c := a.Display[i]; !isTokenByte(c) && c != ' ' && c != '\t' && c < 0x80 {
				return a, errAddressName
			}
		}
	}
	end := strings.IndexByte(s, '>')
	if end < open {
		return a, errAddressBracket
	}
	var err error
	if a.URI, err = ParseURI(s[open+1 : end]); err != nil {
		return a, err
	}
	a.Params, err = trailing(s[end+1:])
	return a, err
}

// bare reads an address without brackets: its parameters are the header's.
func bare(s string) (a Address, err error) {
	rest := s
	if i := strings.IndexByte(s, ';'); i >= 0 {
		rest, a.Params = strings.TrimRight(s[:i], " \t"), Params(s[i:])
	}
	a.URI, err = ParseURI(rest)
	if err == nil && a.URI.Headers != "" {
		err = errAddressBracket // RFC 3261 §20.10: a URI with a question mark needs them
	}
	return a, err
}

// trailing is what stands behind the bracket: parameters or nothing.
func trailing(s string) (Params, error) {
	if s = strings.TrimSpace(s); s != "" && s[0] != ';' {
		return "", errAddressBracket
	}
	return Params(s), nil
}

// endOfQuotes is the index behind the quoted string that s begins with, or -1.
func endOfQuotes(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// Tag is the tag of From and To; "" is none.
func (a Address) Tag() string {
	tag, _ := a.Params.Get("tag")
	return tag
}

// String is the address as it goes into messages.
func (a Address) String() string {
	var b []byte
	if a.Display != "" {
		b = append(append(b, Quote(a.Display)...), ' ')
	}
	b = a.URI.append(append(b, '<'))
	return string(append(append(b, '>'), a.Params...))
}
