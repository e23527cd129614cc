// Package personal is what people can have the server do about themselves, once,
// whichever way they ask: by an ad-hoc command (XEP-0050), or in a chat with the
// server. They can set a state that their clients lack, take it away, ask why they
// are seen as they are, and say how much of their telephones others see.
//
// Everything here is about whoever asks. No address is taken, so nothing can be found
// out about anybody else.
package personal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/presence"
	"rollcall/presence/manual"
	"rollcall/xmpp/jid"
)

// Desk is where people have things done.
type Desk struct {
	// Fixed.
	engine *presence.Engine
	byHand *manual.Service
	log    *slog.Logger
}

// New returns a desk.
func New(engine *presence.Engine, byHand *manual.Service, log *slog.Logger) *Desk {
	return &Desk{engine, byHand, log}
}

// set sets a state, and says what came of it.
func (d *Desk) set(ctx context.Context, who jid.Bare, o manual.Order) (string, error) {
	o.Subject, o.Kind, o.By = who, presence.Person, presence.ByManual
	x, err := d.byHand.Set(ctx, o)
	if err != nil {
		return "", err
	}
	said := fmt.Sprintf("You are set to %s until %s.", x.Name, d.engine.Catalogue().Tell(x.Until, x.Since))
	if x.Shortened {
		said += " That is the longest that it may last."
	}
	seen, err := d.engine.Explain(ctx, who, presence.Person)
	if err == nil && seen.State != x.State {
		said += " " + seenAs(&seen) + " Ask me why with: explain"
	}
	return said, err
}

// clear takes away what is set by hand, and says what came of it.
func (d *Desk) clear(ctx context.Context, who jid.Bare) (string, error) {
	gone, err := d.byHand.Clear(ctx, who, presence.Person, presence.ByManual)
	if err != nil {
		return "", err
	}
	left, err := d.byHand.Settings(ctx, who)
	if err != nil {
		return "", err
	}
	var said []string
	for _, x := range gone {
		said = append(said, x.Name+" is taken away.")
	}
	if len(gone)+len(left) == 0 {
		said = append(said, "You have set nothing.")
	}
	for _, x := range left {
		said = append(said, fmt.Sprintf("%s was set by an operator, and stays until %s.", x.Name, d.tell(&x)))
	}
	seen, err := d.engine.Explain(ctx, who, presence.Person)
	if err != nil {
		return "", err
	}
	return strings.Join(append(said, seenAs(&seen)), " "), nil
}

// overview says how somebody is seen and what is set by hand.
func (d *Desk) overview(ctx context.Context, who jid.Bare) (string, error) {
	seen, err := d.engine.Explain(ctx, who, presence.Person)
	if err != nil {
		return "", err
	}
	set, err := d.byHand.Settings(ctx, who)
	if err != nil {
		return "", err
	}
	lines := []string{seenAs(&seen)}
	for _, x := range set {
		line := fmt.Sprintf("You have set %s until %s", x.Name, d.tell(&x))
		if x.Source != manual.Own {
			line = fmt.Sprintf("An operator has set %s until %s", x.Name, d.tell(&x))
		}
		if x.Text != "" {
			line += ": " + x.Text
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), nil
}

func (d *Desk) tell(x *manual.Setting) string {
	return d.engine.Catalogue().Tell(x.Until, d.now())
}

// explain says why somebody is seen as they are, a line each.
func (d *Desk) explain(ctx context.Context, who jid.Bare) ([]string, error) {
	x, err := d.engine.Explain(ctx, who, presence.Person)
	if err != nil {
		return nil, err
	}
	lines := x.Lines(d.engine.Catalogue())
	if len(lines) > maxLines {
		lines = append(lines[:maxLines], "…")
	}
	return lines, nil
}

// maxLines is how many lines of an explanation are sent.
const maxLines = 100

// seenAs is how colleagues see somebody.
func seenAs(x *presence.Explanation) string {
	l := &x.Levels[presence.Status]
	words := map[string]string{
		"none": "available", "chat": "available", "away": "away", "xa": "away for long", "dnd": "not to be disturbed", "unavailable": "offline",
	}[l.Show]
	if l.Text != "" && l.Show != "unavailable" {
		words += ", " + l.Text
	}
	return "Colleagues see you as: " + words + "."
}

// share changes how much of somebody's telephones is seen, and says what that means.
func (d *Desk) share(ctx context.Context, who jid.Bare, word string) (string, error) {
	choice, ok := presence.ParseSharing(word)
	if !ok {
		return "", manual.Refusal("choose on, busy-only or off")
	}
	if err := d.byHand.Share(ctx, who, choice); err != nil {
		return "", err
	}
	return shared(choice), nil
}

func shared(choice presence.Sharing) string {
	switch choice {
	case presence.ShareNothing:
		return "Others see nothing of your telephones."
	case presence.ShareBusyOnly:
		return "Others see that you are busy while you telephone, and no more of it."
	}
	return "Others see when you telephone, as far as they may see what you do."
}

// inWords says what has gone wrong in words for people.
func (d *Desk) inWords(who jid.Bare, err error) string {
	var r manual.Refusal
	if errors.As(err, &r) {
		return upper(string(r)) + "."
	}
	d.log.Error("what somebody wants to be done about themselves did not work", "jid", who, "err", err)
	return "That did not work. Try again later."
}

func upper(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}
