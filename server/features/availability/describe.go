package availability

import (
	"strconv"
	"strings"

	"rollcall/server"
	"rollcall/xmpp/stanza"
)

var (
	errShow     = stanza.Refuse(stanza.ErrBadRequest, "show is one of away, chat, dnd and xa, once at most")
	errPriority = stanza.Refuse(stanza.ErrBadRequest, "priority is a whole number from -128 to 127, once at most")
)

// describe reads what the server itself needs of a presence (RFC 6121 §4.7.2).
func describe(st *stanza.Stanza) (*server.Availability, error) {
	a := new(server.Availability)
	var shows, priorities int
	for i := range st.Children {
		c := &st.Children[i]
		if string(c.Space) != stanza.NSClient {
			continue
		}
		switch string(c.Local) {
		case "show":
			show, ok := parseShow(st.Bytes(c.Inner))
			if shows++; !ok || shows > 1 {
				return nil, errShow
			}
			a.Show = show
		case "priority":
			n, err := strconv.ParseInt(strings.TrimSpace(stanza.Text(st.Bytes(c.Inner))), 10, 8)
			if priorities++; err != nil || priorities > 1 {
				return nil, errPriority
			}
			a.Priority = int8(n)
		}
	}
	return a, nil
}

// parseShow reads a show; an empty one, which some clients send, is none.
func parseShow(inner []byte) (show string, ok bool) {
	text := strings.TrimSpace(stanza.Text(inner))
	for _, show := range [...]string{"", "away", "chat", "dnd", "xa"} {
		if text == show {
			return show, true
		}
	}
	return "", false
}
