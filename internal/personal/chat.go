package personal

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rollcall/presence"
	"rollcall/presence/manual"
	"rollcall/server"
	"rollcall/xmpp/jid"
)

// Answer answers what somebody says to the server in a chat, for the feature bot. A
// line may begin with a slash, which some clients keep for themselves, so it need not.
func (d *Desk) Answer(ctx context.Context, who *server.Session, text string) string {
	return d.say(ctx, who.Account.JID, text)
}

func (d *Desk) say(ctx context.Context, who jid.Bare, text string) string {
	said, err := d.obey(ctx, who, read(text))
	if err != nil {
		return d.inWords(who, err)
	}
	return said
}

// request is what somebody says, its first word apart.
type request struct{ verb, rest string }

// read reads the first line of what somebody says.
func read(text string) request {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.TrimLeft(line, "/!")
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	return request{strings.ToLower(verb), strings.TrimSpace(rest)}
}

func (d *Desk) obey(ctx context.Context, who jid.Bare, r request) (string, error) {
	switch r.verb {
	case "help", "?", "hilfe":
		return d.help(), nil
	case "status", "state":
		switch strings.ToLower(r.rest) {
		case "":
			said, err := d.overview(ctx, who)
			return said + "\nTo change it write for instance: status break 20m lunch. To end that: status off. For more: help", err
		case "off", "clear", "none":
			return d.clear(ctx, who)
		}
		return d.set(ctx, who, d.phrase(r.rest))
	case "explain", "why", "warum":
		lines, err := d.explain(ctx, who)
		return strings.Join(lines, "\n"), err
	case "phone":
		if r.rest == "" {
			return shared(d.byHand.Sharing(who)) + " To change that write: phone on, phone busy-only or phone off", nil
		}
		return d.share(ctx, who, strings.ToLower(r.rest))
	case "off", "clear":
		if r.rest == "" {
			return d.clear(ctx, who)
		}
	}
	whole := strings.TrimSpace(r.verb + " " + r.rest)
	if d.byHand.Known(presence.Person, presence.ByManual, whole) {
		return d.set(ctx, who, d.phrase(whole))
	}
	return "", manual.Refusal("I do not know what that is; for what I can do write: help")
}

func (d *Desk) phrase(s string) manual.Order {
	return d.byHand.Phrase(presence.Person, presence.ByManual, s, d.now())
}

// help says what can be said.
func (d *Desk) help() string {
	var states []string
	for _, c := range d.byHand.Choices(presence.Person, presence.ByManual) {
		states = append(states, fmt.Sprintf("%s (%s)", c.ID, c.Name))
	}
	return strings.Join([]string{
		"Write to me, with a slash before it or without:",
		"status – how colleagues see you, and what you have set",
		"status break 20m lunch – set a state, for how long or until when (until 15:00), and in your own words",
		"status off – take it away",
		"explain – why you are seen as you are",
		"phone on, phone busy-only, phone off – how much of your telephones others see",
		"The states: " + strings.Join(states, ", ") + ". You can make up others: custom:site_visit",
	}, "\n")
}

func (*Desk) now() time.Time { return time.Now() }
