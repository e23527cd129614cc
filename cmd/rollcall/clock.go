package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"rollcall/storage"
)

// clockSlack is how far apart two clocks may be. Certificates and archives bear
// more; people who compare the times of messages do not.
const clockSlack = 30 * time.Second

// checkClock compares the clock with what else knows the time here.
func checkClock(ctx context.Context, p *patient) (out []finding) {
	switch synchronised() {
	case "yes":
		out = append(out, finding{good, "clock", "the system says that it is synchronised", ""})
	case "no":
		out = append(out, finding{note, "clock", "the system says that nothing keeps it right", "run a time service such as chrony or systemd-timesyncd"})
	default:
		out = append(out, finding{note, "clock", "whether it is right cannot be known from here alone", ""})
	}
	if newest, file := newestFile(p.cfg.DataDir); newest.After(p.now.Add(clockSlack)) {
		out = append(out, finding{bad, "clock", fmt.Sprintf("%s was written in the future, at %s: the clock was set back", file, newest.Format(time.DateTime)), "set the clock right; messages are archived by time"})
	}
	if p.cfg.Storage.Driver == storage.Postgres {
		out = append(out, compareDatabase(ctx, p))
	}
	return out
}

// newestFile returns when a file of the data directory was last written.
func newestFile(dir string) (newest time.Time, name string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return newest, ""
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().After(newest) {
			newest, name = info.ModTime(), filepath.Join(dir, e.Name())
		}
	}
	return newest, name
}

// compareDatabase asks PostgreSQL for its time.
func compareDatabase(ctx context.Context, p *patient) finding {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.cfg.Storage.DSN)
	if err != nil {
		return finding{note, "clock", "the database cannot be asked for the time", ""}
	}
	defer conn.Close(ctx)
	var theirs time.Time
	before := time.Now()
	if err := conn.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&theirs); err != nil {
		return finding{note, "clock", "the database cannot be asked for the time", ""}
	}
	apart := theirs.Sub(before)
	if apart.Abs() > clockSlack {
		return finding{bad, "clock", fmt.Sprintf("the database's clock is %s off from this one", apart.Round(time.Second)), "synchronise both machines with a time service"}
	}
	return finding{good, "clock", "the database's machine has the same time", ""}
}
