package portrait

import (
	"context"
	"log/slog"
	"testing"

	"rollcall/server/features/pep"
	"rollcall/xmpp/jid"
)

// house is an account with a picture of each kind; "" is none.
type house struct{ card, node string }

// Picture implements Cards.
func (h *house) Picture(context.Context, jid.Bare) (kind string, data []byte, hash string, err error) {
	return "image/png", []byte(h.card), h.card, nil
}

// SetPicture implements Cards.
func (h *house) SetPicture(context.Context, jid.Bare, string, []byte) error { return nil }

// Published implements Nodes.
func (h *house) Published(context.Context, jid.Bare, string, string) (pep.Item, pep.Access, bool, error) {
	text := "<metadata xmlns='" + nodeMeta + "'/>"
	if h.node != "" {
		text = "<metadata xmlns='" + nodeMeta + "'><info id='" + h.node + "'/></metadata>"
	}
	return pep.Item{ID: "i", Payload: []byte(text)}, pep.Open, true, nil
}

// Publish implements Nodes.
func (h *house) Publish(_ context.Context, _ jid.Bare, node, _ string, payload []byte, _ pep.Access) error {
	if node == nodeMeta {
		_, h.node = parseMeta(payload)
	}
	return nil
}

// A picture that is changed twice and taken away, all before anybody looks, is not shown
// for ever where it was published.
func TestChangesAreJoined(t *testing.T) {
	h := &house{node: "a"}
	g := New(h, h, slog.New(slog.DiscardHandler))
	g.CardChanged("ada@x", "a") // to b
	g.CardChanged("ada@x", "b") // to none
	g.carry(t.Context(), "ada@x", g.all["ada@x"])
	if h.node != "" {
		t.Errorf("%q is published still", h.node)
	}
	h.node, g.all = "c", nil // another one, which was never in the vCard
	g.CardChanged("ada@x", "b")
	g.carry(t.Context(), "ada@x", g.all["ada@x"])
	if h.node != "c" {
		t.Errorf("%q is published in place of c", h.node)
	}
}
