// Package portrait keeps the picture in people's vCards and the one that their clients
// publish the same (XEP-0398), so that clients of both kinds see it.
//
// It is told that one of the two has changed, looks at both, and writes the other one if
// it differs. So what it does itself is no news to it.
package portrait

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"rollcall/server/features/pep"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Nodes of XEP-0084.
const (
	nodeData = "urn:xmpp:avatar:data"
	nodeMeta = "urn:xmpp:avatar:metadata"
)

// Cards are people's vCards; a *vcard.Feature has them.
type Cards interface {
	Picture(ctx context.Context, owner jid.Bare) (kind string, data []byte, hash string, err error)
	SetPicture(ctx context.Context, owner jid.Bare, kind string, data []byte) error
}

// Nodes are what people publish; a *pep.Feature has them.
type Nodes interface {
	Published(ctx context.Context, owner jid.Bare, node, id string) (it pep.Item, access pep.Access, found bool, err error)
	Publish(ctx context.Context, owner jid.Bare, node, id string, payload []byte, access pep.Access) error
}

// Gallery carries pictures from one to the other.
type Gallery struct {
	// Fixed.
	cards Cards
	nodes Nodes
	log   *slog.Logger
	wake  chan struct{} // holds a token if there is something to look at

	mu  sync.Mutex // guards all below
	all map[jid.Bare]change
}

// change is what has changed last of an account.
type change struct {
	card bool   // the vCard, and not what is published
	was  string // the hash of the picture that was in it
}

// New returns the gallery. It does nothing before [Gallery.Run].
func New(cards Cards, nodes Nodes, log *slog.Logger) *Gallery {
	return &Gallery{cards: cards, nodes: nodes, log: log, wake: make(chan struct{}, 1)}
}

// CardChanged hears that the picture in a vCard is another one. It waits for nobody.
func (g *Gallery) CardChanged(owner jid.Bare, was string) { g.changed(owner, change{true, was}) }

// NodeChanged hears that something was published. It waits for nobody.
func (g *Gallery) NodeChanged(owner jid.Bare, node string) {
	if node == nodeMeta {
		g.changed(owner, change{})
	}
}

func (g *Gallery) changed(owner jid.Bare, c change) {
	g.mu.Lock()
	if g.all == nil {
		g.all = map[jid.Bare]change{}
	}
	if before, waits := g.all[owner]; waits && before.card && c.card {
		c.was = before.was // that is what is published still
	}
	g.all[owner] = c
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// Run carries pictures until ctx is done.
func (g *Gallery) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-g.wake:
		}
		g.mu.Lock()
		all := g.all
		g.all = nil
		g.mu.Unlock()
		for owner, c := range all {
			g.carry(ctx, owner, c)
		}
	}
}

// carry carries the picture of an account to where it differs.
func (g *Gallery) carry(ctx context.Context, owner jid.Bare, c change) {
	var err error
	if c.card {
		err = g.toNodes(ctx, owner, c.was)
	} else {
		err = g.toCard(ctx, owner)
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	if _, refused := stanza.AsError(err); refused {
		g.log.Info("a picture is not shown by all clients", "jid", owner, "why", err)
	} else {
		g.log.Error("a picture is not shown by all clients", "jid", owner, "err", err)
	}
}

// toNodes publishes the picture in a vCard, which everybody may see.
func (g *Gallery) toNodes(ctx context.Context, owner jid.Bare, was string) error {
	kind, data, hash, err := g.cards.Picture(ctx, owner)
	if err != nil {
		return err
	}
	meta, _, _, err := g.nodes.Published(ctx, owner, nodeMeta, "")
	if err != nil {
		return err
	}
	_, now := parseMeta(meta.Payload)
	switch {
	case now == hash:
		return nil
	case hash == "":
		if now != was {
			return nil // that is another one, which was never in the vCard
		}
		return g.nodes.Publish(ctx, owner, nodeMeta, meta.ID, []byte("<metadata xmlns='"+nodeMeta+"'/>"), pep.Open)
	}
	text := "<data xmlns='" + nodeData + "'>" + base64.StdEncoding.EncodeToString(data) + "</data>"
	if err := g.nodes.Publish(ctx, owner, nodeData, hash, []byte(text), pep.Open); err != nil {
		return err
	}
	b := stanza.AppendAttr([]byte("<metadata xmlns='"+nodeMeta+"'><info"), "bytes", strconv.Itoa(len(data)))
	b = stanza.AppendAttr(stanza.AppendAttr(b, "id", hash), "type", strings.TrimSpace(kind))
	return g.nodes.Publish(ctx, owner, nodeMeta, hash, append(b, "/></metadata>"...), pep.Open)
}

// toCard puts the picture that was published into the vCard, if everybody may see it
// (XEP-0398 §7).
func (g *Gallery) toCard(ctx context.Context, owner jid.Bare) error {
	meta, access, _, err := g.nodes.Published(ctx, owner, nodeMeta, "")
	if err != nil || access != pep.Open || meta.Payload == nil {
		return err
	}
	_, _, hash, err := g.cards.Picture(ctx, owner)
	if err != nil {
		return err
	}
	kind, now := parseMeta(meta.Payload)
	if now == hash {
		return nil
	}
	if now == "" {
		return g.cards.SetPicture(ctx, owner, "", nil)
	}
	it, access, _, err := g.nodes.Published(ctx, owner, nodeData, now)
	if err != nil || access != pep.Open || it.Payload == nil {
		return err
	}
	data := parseData(it.Payload)
	if sum := sha1.Sum(data); len(data) == 0 || hex.EncodeToString(sum[:]) != now {
		return nil // XEP-0398 §4: it is not what it says it is
	}
	return g.cards.SetPicture(ctx, owner, kind, data)
}

// parseMeta returns the kind of the picture that is published here, and not at some
// address elsewhere, and its hash; "" if there is none (XEP-0084 §4.2).
func parseMeta(payload []byte) (kind, hash string) {
	if payload == nil {
		return "", ""
	}
	e, err := stanza.Parse(payload, "", nil)
	if err != nil || !e.Is(nodeMeta, "metadata") {
		return "", ""
	}
	for _, info := range e.Elements() {
		if info.Is(nodeMeta, "info") && info.Attr("url") == "" {
			return info.Attr("type"), strings.ToLower(info.Attr("id"))
		}
	}
	return "", ""
}

// parseData returns the bytes of a picture; none if it is broken.
func parseData(payload []byte) []byte {
	e, err := stanza.Parse(payload, "", nil)
	if err != nil || !e.Is(nodeData, "data") {
		return nil
	}
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Join(strings.Fields(e.Text()), ""), "="))
	if err != nil {
		return nil
	}
	return data
}
