package operator

import (
	"context"
	"strconv"
	"strings"

	"rollcall/directory"
)

// directoryOperations are about the directory that accounts come from.
var directoryOperations = []Operation{
	{
		Name: "directory.sync", Title: "Read the directory of people", Live: true,
		Hint:   "Accounts are made for people who are new in it, and those of people who are missing are disabled.",
		Fields: []Field{{Name: "sure", Label: "Also if so many are missing that it looks like a mistake", Kind: Yes}},
		run:    syncDirectory,
	},
}

func syncDirectory(ctx context.Context, d *Desk, v values) (Answer, error) {
	if d.live.Directory == nil {
		return Answer{}, wrong("accounts come from no directory (directory.urls in the configuration)")
	}
	r, err := d.live.Directory.Sync(ctx, v.one("sure") == "true")
	if err != nil {
		return Answer{}, wrong("the directory was not followed: %v", err)
	}
	return told(&r), nil
}

// told is what to tell of a reading.
func told(r *directory.Report) Answer {
	a := Answer{Note: "read the directory"}
	for _, f := range []struct {
		name, label string
		n           int
	}{
		{"people", "people in it", r.People},
		{"groups", "groups in it", r.Groups},
		{"created", "accounts made", r.Created},
		{"updated", "accounts changed", r.Updated},
		{"takenover", "accounts taken over", r.TakenOver},
		{"vanished", "accounts of people who are missing", r.Vanished},
		{"removed", "accounts removed", r.Removed},
	} {
		a.Facts = append(a.Facts, Fact{Name: f.name, Label: f.label, Values: []string{strconv.Itoa(f.n)}})
	}
	if all := r.Grievances(); len(all) > 0 {
		a.Facts = append(a.Facts, Fact{Name: "remarks", Label: "to be looked at", Kind: Lines, Values: []string{strings.Join(all, "; ")}})
	}
	return a
}
