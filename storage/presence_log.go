package storage

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rollcall/presence"
)

// A row of presence_log has a line for each subject: its address, kind, version,
// state, since, last and said, with tabs between them; the address alone if the
// subject is gone. JSON has neither lines nor tabs.

// formatRecords writes the records of a batch.
func formatRecords(b *presence.Batch) string {
	out := make([]byte, 0, 320*len(b.Records)+64*len(b.Gone))
	for _, subject := range b.Gone {
		out = append(append(out, subject...), '\n')
	}
	for i := range b.Records {
		r := &b.Records[i]
		out = append(append(out, r.Subject...), '\t')
		out = append(strconv.AppendInt(out, int64(r.Kind), 10), '\t')
		out = append(strconv.AppendInt(out, int64(r.Version), 10), '\t')
		out = append(append(out, oneLine(r.State)...), '\t')
		out = append(strconv.AppendInt(out, ever(r.Since), 10), '\t')
		out = append(strconv.AppendInt(out, r.Last, 10), '\t')
		out = append(appendSaid(out, r.Said), '\n')
	}
	return string(out)
}

// oneLine leaves out what would end a field.
func oneLine(s string) string {
	if strings.ContainsAny(s, "\t\n") {
		s = strings.NewReplacer("\t", " ", "\n", " ").Replace(s)
	}
	return plain(s)
}

// fields are those of a line, the address not counted.
const fields = 6

// applyPresence brings what is in the log to the table of subjects, in order, so that each of
// its pages is written once.
func (t *tx) applyPresence(ctx context.Context) error {
	if _, err := t.exec(ctx, "presence.lock"); err != nil {
		return err
	}
	latest := make(map[string]string)
	err := t.each(ctx, "presence.log", nil, func(rows *sql.Rows) error {
		var id int64
		var records string
		if err := rows.Scan(&id, &records); err != nil {
			return err
		}
		for line := range strings.Lines(records) {
			subject, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			latest[subject] = rest
		}
		return nil
	})
	if err != nil || len(latest) == 0 {
		return err
	}
	subjects := make([]string, 0, len(latest))
	for subject := range latest {
		subjects = append(subjects, subject)
	}
	slices.Sort(subjects)
	args := make([]any, 0, len(subjects)*(fields+1))
	for _, subject := range subjects {
		if latest[subject] == "" {
			if _, err := t.exec(ctx, "presence.drop", subject); err != nil {
				return err
			}
			continue
		}
		if args, err = appendRecord(args, subject, latest[subject]); err != nil {
			return err
		}
	}
	if err := t.insert(ctx, "presence.put", fields+1, args); err != nil {
		return err
	}
	_, err = t.exec(ctx, "presence.clear")
	return err
}

// appendRecord appends a row of presence_subject.
func appendRecord(args []any, subject, line string) ([]any, error) {
	parts := strings.SplitN(line, "\t", fields)
	if len(parts) != fields {
		return nil, failed("presence.log", fmt.Errorf("the line of %s has %d fields", subject, len(parts)))
	}
	args = append(args, subject)
	for i, part := range parts {
		if i == 2 || i == 5 { // state and said
			args = append(args, part)
			continue
		}
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return nil, failed("presence.log", fmt.Errorf("the line of %s: %w", subject, err))
		}
		args = append(args, n)
	}
	return args, nil
}
