package operator

import (
	"context"
	"strconv"
	"time"

	"rollcall/presence"
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
}}

// listChanges lists what the journal has, the newest first. It has that of accounts
// and devices which are no more, so that nobody is asked whether there is such a one.
func listChanges(ctx context.Context, d *Desk, v values) (Answer, error) {
	q := presence.Query{Subject: v.person("subject"), Limit: v.limit()}
	if text := v.one("since"); text != "" {
		var err error
		if q.Since, err = time.Parse(time.RFC3339, text); err != nil {
			return Answer{}, wrong("%q is no time", text)
		}
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
