package operator

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"rollcall/server/features/adhoc"
	"rollcall/storage"
	"rollcall/xmpp/jid"
)

// auditOperations tell who did what.
var auditOperations = []Operation{{
	Name: "audit.list", Title: "See who did what", Reads: true,
	Fields: []Field{
		{Name: "since", Label: "Since when (2026-01-31T12:00:00Z)", Kind: Text},
		{Name: "by", Label: "By whom", Kind: Text},
		{Name: "after", Label: "Older than the act of this number", Kind: Number},
		howMany,
	},
	run: listActs,
}}

func listActs(ctx context.Context, d *Desk, v values) (Answer, error) {
	f := storage.ActFilter{Who: v.one("by"), Limit: v.limit()}
	if text := v.one("since"); text != "" {
		var err error
		if f.Since, err = time.Parse(time.RFC3339, text); err != nil {
			return Answer{}, wrong("%q is no time", text)
		}
	}
	if before, err := strconv.ParseInt(v.one("after"), 10, 64); err == nil {
		f.Before = before
	}
	list, err := d.audit.Page(ctx, f)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Header: []string{"when", "who", "from", "what", "whom", "with", "outcome"}}
	for i := range list {
		x := &list[i]
		outcome := x.Outcome
		if outcome == "" {
			outcome = "done"
		}
		a.Rows = append(a.Rows, []string{
			x.At.Local().Format(time.DateTime), x.Who, x.Origin, x.Action, x.Subject, x.Detail, outcome,
		})
	}
	if len(list) == f.Limit {
		a.Next = strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return a, nil
}

// note writes down who did what to whom, and what came of it: in the audit log
// and in that of the server.
func (d *Desk) note(ctx context.Context, by Actor, op *Operation, v values, err error) {
	var subject, detail []string
	for _, f := range op.Fields {
		if f.About {
			subject = append(subject, v[f.Name]...)
			continue
		}
		switch f.Kind {
		case Person, People, Clients:
			subject = append(subject, v[f.Name]...)
		case Text, Number, Yes, Choice:
			if s := v.one(f.Name); s != "" {
				detail = append(detail, f.Name+"="+s)
			}
		case Words:
			if all := v[f.Name]; len(all) > 0 {
				detail = append(detail, f.Name+"="+strings.Join(all, ","))
			}
		}
	}
	act := storage.Act{Who: by.Name, Origin: by.Origin, Action: op.Name, Subject: strings.Join(subject, " "), Detail: strings.Join(detail, " ")}
	if err != nil {
		act.Outcome, _, _ = strings.Cut(err.Error(), "\n") // a list of what is wrong is for whoever gave the order
	}
	d.keep(ctx, act)
}

// keep keeps an act that is over. What it was about has happened, so whoever
// waits for it is not told if this fails.
func (d *Desk) keep(ctx context.Context, a storage.Act) {
	a.At = time.Now()
	args := []any{"by", a.Who, "from", a.Origin, "action", a.Action, "jid", a.Subject}
	if a.Outcome != "" {
		d.log.Warn("an operator's order came to nothing", append(args, "err", a.Outcome)...)
	} else {
		d.log.Info("an operator's order was carried out", args...)
	}
	if err := d.audit.Add(context.WithoutCancel(ctx), a); err != nil {
		d.log.Error("what was done could not be written down", append(args, "err", err)...)
	}
}

// Own writes down what people did to their own account.
func (d *Desk) Own(ctx context.Context, who jid.Bare, action string) {
	act := storage.Act{At: time.Now(), Who: string(who), Action: action, Subject: string(who)}
	if err := d.audit.Add(context.WithoutCancel(ctx), act); err != nil {
		d.log.Error("what was done could not be written down", "by", who, "action", action, "err", err)
	}
}

// Forbidden writes down that somebody gave a command that is for administrators:
// once in a while, so that nobody fills the audit log.
func (d *Desk) Forbidden(ctx context.Context, c *adhoc.Caller, command *adhoc.Command) {
	if !d.intruders.note(c.JID.Bare(), time.Now()) {
		return
	}
	by := actor(c)
	d.keep(ctx, storage.Act{Who: by.Name, Origin: by.Origin, Action: nameOf(command.Node), Outcome: "forbidden"})
}

// nameOf returns the name of the operation with an ad-hoc command.
func nameOf(node string) string {
	for i := range operations {
		if operations[i].Node == node {
			return operations[i].Name
		}
	}
	return node
}

const (
	// noteEvery is how often it is written down that the same account tried.
	noteEvery = 10 * time.Minute

	// maxIntruders bounds how many are remembered, and so how many are written
	// down in that time.
	maxIntruders = 1000
)

// intruders are those who gave a command lately that they may not give. The zero
// value is ready.
type intruders struct {
	mu    sync.Mutex
	since map[jid.Bare]time.Time
}

// note reports whether it is worth to be written down.
func (in *intruders) note(who jid.Bare, now time.Time) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if last, known := in.since[who]; known && now.Sub(last) < noteEvery {
		return false
	}
	if in.since == nil {
		in.since = map[jid.Bare]time.Time{}
	}
	if len(in.since) >= maxIntruders {
		for other, last := range in.since {
			if now.Sub(last) >= noteEvery {
				delete(in.since, other)
			}
		}
		if len(in.since) >= maxIntruders {
			return false
		}
	}
	in.since[who] = now
	return true
}

// sweepEvery is how exact the retention is.
const sweepEvery = time.Hour

// Run removes what has been in the audit log for too long, until ctx is done.
func (d *Desk) Run(ctx context.Context) error {
	if d.retention <= 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		n, err := d.audit.Expire(ctx, time.Now().Add(-d.retention))
		switch {
		case err != nil && ctx.Err() == nil:
			d.log.Error("the audit log could not be cleared of what is old", "err", err)
		case n > 0:
			d.log.Info("the audit log was cleared of what is old", "acts", n)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
