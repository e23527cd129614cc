package operator

import (
	"context"
	"fmt"
	"strings"
	"time"

	"rollcall/server/features/announcements"
)

// announcementOperations say something to everybody (XEP-0133 §4.23 to §4.26).
var announcementOperations = []Operation{
	{
		Name: "announce", Title: "Send an announcement to everybody who is online", Node: adminNode + "announce", Live: true,
		Fields: []Field{{Name: "announcement", Label: "The announcement", Kind: Lines, Required: true}},
		run:    announce,
	},
	{
		Name: "motd.set", Title: "Set the message of the day", Node: adminNode + "set-motd",
		Hint:   "Whoever is online gets it now, and everybody else, once a day, when they come online.",
		Fields: []Field{theMotd},
		run:    func(ctx context.Context, d *Desk, v values) (Answer, error) { return d.setMotd(ctx, v, false) },
	},
	{
		Name: "motd.edit", Title: "Correct the message of the day", Node: adminNode + "edit-motd",
		Hint:   "Whoever has seen it today does not get it again.",
		Fields: []Field{theMotd}, fill: fillMotd,
		run: func(ctx context.Context, d *Desk, v values) (Answer, error) { return d.setMotd(ctx, v, true) },
	},
	{Name: "motd.delete", Title: "Remove the message of the day", Node: adminNode + "delete-motd", run: deleteMotd},
	{Name: "motd.show", Title: "See the message of the day", Reads: true, run: showMotd},
}

var theMotd = Field{Name: "motd", Label: "The message of the day", Kind: Lines, Required: true}

// text returns the lines of a field as they are to be read.
func (v values) text(field string) string {
	return strings.TrimSpace(strings.Join(v[field], "\n"))
}

func announce(_ context.Context, d *Desk, v values) (Answer, error) {
	n := d.live.Announcements.Announce(v.text("announcement"))
	return Answer{Note: fmt.Sprintf("sent to %s", clients(n))}, nil
}

// clients writes a number of clients.
func clients(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprintf("%d clients", n)
}

func (d *Desk) setMotd(ctx context.Context, v values, edit bool) (Answer, error) {
	if err := d.motd.Set(ctx, v.text("motd"), time.Now(), edit); err != nil {
		return Answer{}, err
	}
	if !d.serving() {
		return Answer{Note: "set the message of the day"}, nil
	}
	if err := d.live.Announcements.Reload(ctx); err != nil {
		return Answer{}, err
	}
	n := d.live.Announcements.ShowMotd()
	return Answer{Note: fmt.Sprintf("set the message of the day and sent it to %s", clients(n))}, nil
}

func deleteMotd(ctx context.Context, d *Desk, _ values) (Answer, error) {
	had, err := d.motd.Drop(ctx)
	if err != nil {
		return Answer{}, err
	}
	if d.serving() {
		err = d.live.Announcements.Reload(ctx)
	}
	if !had {
		return Answer{Note: "there was no message of the day"}, err
	}
	return Answer{Note: "removed the message of the day"}, err
}

func (d *Desk) currentMotd(ctx context.Context) (announcements.Motd, error) { return d.motd.Load(ctx) }

// fillMotd shows the text as it is (XEP-0133 §4.25).
func fillMotd(ctx context.Context, d *Desk) (map[string][]string, error) {
	m, err := d.currentMotd(ctx)
	if err != nil || m.Body == "" {
		return nil, err
	}
	return map[string][]string{"motd": strings.Split(m.Body, "\n")}, nil
}

func showMotd(ctx context.Context, d *Desk, _ values) (Answer, error) {
	m, err := d.currentMotd(ctx)
	switch {
	case err != nil:
		return Answer{}, err
	case m.Body == "":
		return Answer{Note: "there is no message of the day"}, nil
	}
	return Answer{Note: m.Body, Facts: []Fact{{Name: "changed", Label: "Set", Values: []string{minute(m.Changed)}}}}, nil
}
