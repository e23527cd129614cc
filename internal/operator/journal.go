package operator

import (
	"context"
	"strconv"
	"time"

	"rollcall/presence"
	"rollcall/sipgw/history"
)

// journalOperations tell who was in which state.
var journalOperations = []Operation{{
	Name: "journal.list", Title: "See in which states a person or a device was", Node: ownNode + "journal", Presence: true, Reads: true,
	Fields: []Field{
		subject,
		{Name: "since", Label: "Since when (2026-01-31T12:00:00Z)", Kind: Text},
		{Name: "after", Label: "Older than the change of this number", Kind: Number},
		howMany,
	},
	run: listChanges,
}, {
	Name: "journal.calls", Title: "See which calls a person or a device had", Node: ownNode + "journal-calls", Presence: true, Reads: true,
	Fields: []Field{
		subject,
		{Name: "since", Label: "Since when (2026-01-31T12:00:00Z)", Kind: Text},
		{Name: "after", Label: "Older than the call of this number", Kind: Number},
		howMany,
	},
	run: listCalls,
}}

// listChanges lists what the journal has, the newest first. It has that of accounts
// and devices which are no more, so that nobody is asked whether there is such a one.
func listChanges(ctx context.Context, d *Desk, v values) (Answer, error) {
	q := presence.Query{Subject: v.person("subject"), Limit: v.limit()}
	var err error
	if q.Since, err = v.since(); err != nil {
		return Answer{}, err
	}
	if older, err := strconv.ParseInt(v.one("after"), 10, 64); err == nil {
		q.Older = older
	}
	list, err := d.live.Engine.Entries(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	zone := d.live.Engine.Catalogue().Zone()
	a := Answer{Header: []string{"when", "from", "to", "by", "why", "until"}}
	for i := range list {
		e := &list[i]
		until := ""
		if !e.Until.IsZero() {
			until = e.Until.In(zone).Format(time.DateTime)
		}
		a.Rows = append(a.Rows, []string{e.At().In(zone).Format(time.DateTime), e.From, e.To, e.Source, e.Cause, until})
	}
	if len(list) == q.Limit {
		a.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return a, nil
}

// since reads since when something is wanted; the zero time is the beginning.
func (v values) since() (at time.Time, err error) {
	text := v.one("since")
	if text == "" {
		return at, nil
	}
	if at, err = time.Parse(time.RFC3339, text); err != nil {
		return at, wrong("%q is no time", text)
	}
	return at, nil
}

// listCalls lists the calls of a device, or of the devices that are somebody's, the newest
// first. With whom is for those who see all of whose calls they are.
func listCalls(ctx context.Context, d *Desk, v values) (Answer, error) {
	q := history.Query{Subject: v.person("subject"), Limit: v.limit()}
	var err error
	if q.Since, err = v.since(); err != nil {
		return Answer{}, err
	}
	if older, err := strconv.ParseInt(v.one("after"), 10, 64); err == nil {
		q.Older = older
	}
	list, err := d.live.Calls.Calls(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	zone, all := d.live.Engine.Catalogue().Zone(), d.sees(ctx, q.Subject) == presence.Full
	a := Answer{Header: []string{"ended", "device", "call", "with", "rang", "talked", "how", "why"}}
	for i := range list {
		c := &list[i]
		with, way, how := "", "in", howEnded(c)
		if all {
			with = c.With
		}
		if c.Made {
			way = "out"
		}
		rang, talked := c.At().Sub(c.Began), ""
		if !c.Answer.IsZero() {
			rang, talked = c.Answer.Sub(c.Began), c.At().Sub(c.Answer).Round(time.Second).String()
		}
		a.Rows = append(a.Rows, []string{
			c.At().In(zone).Format(time.DateTime), string(c.Device), way, with, max(rang, 0).Round(time.Second).String(), talked, how, c.Why,
		})
	}
	if len(list) == q.Limit {
		a.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return a, nil
}

// howEnded is how a call ended, in a few words: "remote-bye", "rejected 486", "audit".
func howEnded(c *history.Call) string {
	switch {
	case c.Cause != "":
		return c.Cause
	case c.Code != 0:
		return c.How + " " + strconv.Itoa(c.Code)
	}
	return c.How
}
