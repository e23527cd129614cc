package transport

import (
	"bytes"
)

// A glance is what can be seen of a message without parsing it.
type glance struct {
	response bool
	method   []byte // of a request
}

var (
	versionName = []byte("SIP/")
	emptyLine   = []byte("\r\n\r\n")
)

// look reads no more than the first word.
func look(data []byte) (g glance, ok bool) {
	i := bytes.IndexByte(data, ' ')
	if i <= 0 || i > 64 {
		return g, false
	}
	g.response = len(data) > 4 && bytes.EqualFold(data[:4], versionName)
	if !g.response {
		g.method = data[:i]
		for _, c := range g.method {
			if !isTokenByte(c) {
				return g, false
			}
		}
	}
	return g, true
}

// lines counts those before the body.
func lines(data []byte) int {
	if end := bytes.Index(data, emptyLine); end >= 0 {
		data = data[:end]
	}
	return bytes.Count(data, crlf)
}

// header finds the first header of a name in a message that has not been parsed.
// Continued lines are not put together. What follows its line is returned too.
func header(data []byte, long, short string) (value, rest []byte) {
	for len(data) > 0 {
		var line []byte
		line, data, _ = bytes.Cut(data, crlf)
		if len(line) == 0 {
			return nil, nil
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimRight(name, " \t")
		if ok && (len(name) == len(long) && bytes.EqualFold(name, []byte(long)) || len(name) == 1 && short != "" && name[0]|0x20 == short[0]) {
			return bytes.TrimSpace(value), data
		}
	}
	return nil, nil
}

// branchOf is the branch in a Via that has not been parsed.
func branchOf(via []byte) []byte {
	i := bytes.Index(via, []byte("branch="))
	if i < 0 {
		return nil
	}
	via = via[i+len("branch="):]
	if end := bytes.IndexAny(via, ";, \t"); end >= 0 {
		via = via[:end]
	}
	return via
}

// expected reports whether a response is one that somebody waits for.
func (t *Transport) expected(data []byte) bool {
	via, _ := header(data, "Via", "v")
	branch := branchOf(via)
	cseq, _ := header(data, "CSeq", "")
	i := bytes.LastIndexAny(cseq, " \t")
	return branch != nil && i > 0 && t.client.awaits(branch, cseq[i+1:])
}

// salvage takes from a request that could not be parsed what a response to it
// must have, so that its sender is told and does not send it again and again.
// Without a Via there is nobody to tell.
func salvage(data []byte) (*Request, bool) {
	line, rest, _ := bytes.Cut(data, crlf)
	method, _, _ := bytes.Cut(line, []byte(" "))
	if string(method) == "ACK" || !isToken(string(method)) {
		return nil, false
	}
	r := &Request{}
	r.method = string(method)
	for len(rest) > 0 && len(r.fields) < 64 {
		line, rest, _ = bytes.Cut(rest, crlf)
		if len(line) == 0 {
			break
		}
		if n := len(r.fields); (line[0] == ' ' || line[0] == '\t') && n > 0 {
			r.fields[n-1].Value += " " + string(bytes.TrimSpace(line))
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		f := Field{longName(string(bytes.TrimSpace(name))), string(bytes.TrimSpace(value))}
		if isClean(f.Value) {
			r.fields = append(r.fields, f)
		}
	}
	r.once()
	via, _ := cutOutside(r.Header("Via"), ',')
	var err error
	if r.via, err = ParseVia(via); err != nil {
		return nil, false
	}
	r.to, _ = ParseAddress(r.Header("To"))
	return r, true
}

// once leaves one of each header that a response must have once.
func (r *Request) once() {
	seen := map[string]bool{}
	kept := r.fields[:0]
	for _, f := range r.fields {
		switch n := lower(f.Name); n {
		case "from", "to", "call-id", "cseq":
			if seen[n] {
				continue
			}
			seen[n] = true
		case "record-route", "timestamp":
			continue
		}
		kept = append(kept, f)
	}
	r.fields = kept
}
