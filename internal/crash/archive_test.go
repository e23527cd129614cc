package crash

import (
	"fmt"
	"strconv"
)

// archive is what an account's archive holds: ids of messages by their numbers.
type archive map[int]string

// fetchArchive reads an archive page by page. Twice the same message, or twice
// the same id, is an error.
func fetchArchive(c *client, l *ledger) (archive, error) {
	found, ids, after := archive{}, map[string]bool{}, ""
	for {
		var wrong error
		query := "<query xmlns='urn:xmpp:mam:2'><set xmlns='http://jabber.org/protocol/rsm'><max>100</max>" + after + "</set></query>"
		e, err := c.ask("set", "", query, func(e *element) {
			if e.Result == nil {
				return
			}
			m := e.Result.Message
			n, err := strconv.Atoi(m.Body)
			switch {
			case err != nil || n >= len(l.letters) || l.letters[n].from != local(m.From) || l.letters[n].to != local(m.To):
				wrong = fmt.Errorf("%q from %s to %s is in the archive, and nobody sent it", m.Body, m.From, m.To)
			case found[n] != "" || ids[e.Result.ID]:
				wrong = fmt.Errorf("message %d is in the archive twice", n)
			}
			found[n], ids[e.Result.ID] = e.Result.ID, true
		})
		switch {
		case err != nil || wrong != nil:
			return nil, fmt.Errorf("archive: %w", firstOf(err, wrong))
		case e.Fin == nil:
			return nil, fmt.Errorf("archive: the query ended with %s", e.Inner)
		case e.Fin.Complete == "true":
			return found, nil
		}
		after = "<after>" + e.Fin.Last + "</after>"
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// readArchive logs in without becoming available, and reads.
func readArchive(address, name string, l *ledger) (archive, error) {
	c, err := login(address, name, "archivist")
	if err != nil {
		return nil, err
	}
	found, err := fetchArchive(c, l)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return found, c.close(func(*element) {})
}
