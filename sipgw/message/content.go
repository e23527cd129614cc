package message

import (
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/text/encoding/charmap"

	"rollcall/sipgw/cpim"
	"rollcall/sipgw/iscomposing"
)

// accepted are the types of body that a person can be sent (RFC 3261 §21.4.13).
const accepted = "text/plain, text/html, " + cpim.ContentType + ", " + iscomposing.ContentType

// content is what a MESSAGE says.
type content struct {
	text, subject string
	status        iscomposing.Status
	isStatus      bool // it says who is writing, and nothing else
}

// readBody reads a body. A status other than 0 is the answer to one that cannot be
// taken; 415 goes with Accept.
func readBody(contentType string, body []byte) (c content, status int) {
	return readPart(contentType, body, true)
}

// readPart is readBody, for a part of another body too.
func readPart(contentType string, body []byte, outer bool) (c content, status int) {
	if len(body) > MaxText {
		return c, 413
	}
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil && kind == "" {
		// RFC 3261 §20.15: a body has a type. Some forget it, and mean text.
		if contentType != "" {
			return c, 415
		}
		kind = "text/plain"
	}
	switch kind {
	case "text/plain", "text/html":
		text, ok := decode(body, params["charset"])
		if !ok {
			return c, 415
		}
		if kind == "text/html" {
			text = plain(text)
		}
		c.text = strings.ReplaceAll(text, "\r\n", "\n")
		return c, 0
	case iscomposing.ContentType:
		c.status, err = iscomposing.Parse(body)
		c.isStatus = true
		if err != nil {
			return c, 400
		}
		return c, 0
	case cpim.ContentType:
		if outer {
			return unwrap(body)
		}
	}
	return c, 415
}

// unwrap reads what a message is wrapped in.
func unwrap(body []byte) (c content, status int) {
	m, err := cpim.Parse(body)
	switch {
	case err == cpim.ErrRequired:
		return c, 415
	case err != nil:
		return c, 400
	case m.Encoding != "":
		return c, 415
	}
	c, status = readPart(m.ContentType, m.Body, false)
	c.subject = m.Subject
	return c, status
}

// decode makes a text UTF-8; ok is false if its charset is not known. What does not say
// is UTF-8 (RFC 3428 §4 by RFC 3261 §7.4.1), unless it cannot be.
func decode(body []byte, charset string) (text string, ok bool) {
	switch strings.ToLower(charset) {
	case "utf-8", "utf8", "us-ascii", "":
		if utf8.Valid(body) {
			return string(body), true
		}
	case "iso-8859-1", "latin1", "windows-1252":
	default:
		return "", false
	}
	// HTML's reading of Latin-1, which is what is meant.
	b, err := charmap.Windows1252.NewDecoder().Bytes(body)
	return string(b), err == nil
}

// plain makes plain text of HTML: what a person would read, with its lines.
func plain(doc string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(doc))
	z.SetMaxBuf(2 * MaxText)
	hidden, gap := 0, false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(b.String())
		case html.TextToken:
			if hidden == 0 {
				gap = words(&b, html.UnescapeString(string(z.Raw())), gap)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			if isHidden(string(name)) {
				hidden++
			} else if breaks(string(name)) {
				newLine(&b, string(name) == "br")
				gap = false
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if isHidden(string(name)) {
				hidden = max(0, hidden-1)
			} else if breaks(string(name)) {
				newLine(&b, false)
				gap = false
			}
		}
	}
}

// words appends the words of a text with one blank between them, and returns whether a
// blank is due before what follows.
func words(b *strings.Builder, text string, gap bool) bool {
	for _, c := range text {
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			gap = true
			continue
		}
		if gap && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteRune(c)
	}
	return gap
}

// newLine ends the line; one that is empty already is ended only by <br>.
func newLine(b *strings.Builder, always bool) {
	if always || b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
		b.WriteByte('\n')
	}
}

// breaks reports whether an element has lines of its own.
func breaks(name string) bool {
	switch name {
	case "br", "p", "div", "li", "ul", "ol", "tr", "table", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hr":
		return true
	}
	return false
}

// isHidden reports whether an element's text is not for reading.
func isHidden(name string) bool {
	switch name {
	case "script", "style", "head", "title", "template", "noscript":
		return true
	}
	return false
}
