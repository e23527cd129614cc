package storage

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// killVar tells the test binary to be the program that is killed: it holds
// the driver, the path and the DSN, each on a line.
const killVar = "ROLLCALL_TEST_KILLED"

// TestKilled kills a program that stores messages as fast as it can. All that
// it said to be stored is there afterwards, in both archives, once.
func TestKilled(t *testing.T) {
	if os.Getenv(killVar) != "" {
		victim(t)
		return
	}
	for _, kind := range kinds()[1:] {
		t.Run(kind, func(t *testing.T) {
			cfg := configFor(t, kind)
			db := openEmpty(t, cfg)
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			who := people(t, db, "ada@x", "bob@x")
			var said []int64
			for round := range 4 {
				said = append(said, killAfter(t, cfg, 200+round*333)...)
			}
			w, _ := running(t, db, newTold())
			for _, owner := range who {
				there := map[int64]int{}
				for _, id := range everything(t, db.Archive(w), owner) {
					there[id]++
				}
				for _, id := range said {
					if there[id] != 1 {
						t.Errorf("message %d of %d was said to be stored, and is there %d times", id, len(said), there[id])
					}
				}
			}
			if n := count(t, db, "SELECT count(*) FROM archive_message"); n < len(said) {
				t.Errorf("%d messages of %d", n, len(said))
			}
		})
	}
}

// killAfter runs the victim until it has said so often that a message is stored.
func killAfter(t *testing.T, cfg Config, lines int) (said []int64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s\n%s\n%s", killVar, cfg.Driver, cfg.Path, cfg.DSN))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for in.Scan() {
		text, whole := strings.CutSuffix(in.Text(), " is stored")
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || !whole {
			continue // the test binary's own words, or half a line at the end
		}
		if said = append(said, id); len(said) == lines {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(said) < lines {
		t.Errorf("it ended by itself after %d messages: %v", len(said), err)
	}
	return said
}

// victim stores messages and says which are stored, until it is killed.
func victim(t *testing.T) {
	lines := strings.Split(os.Getenv(killVar), "\n")
	cfg := Config{Driver: lines[0], Path: lines[1], DSN: lines[2]}
	db := openEmpty(t, cfg)
	var who [2]int64
	for i, name := range []string{"ada@x", "bob@x"} {
		if _, err := db.one(t.Context(), "account.id", []any{name}, &who[i]); err != nil {
			t.Fatal(err)
		}
	}
	last, err := db.LastID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w, _ := running(t, db, newTold())
	said := make(chan int64, 1<<16)
	go func() {
		out := bufio.NewWriter(os.Stdout)
		for id := range said {
			fmt.Fprintln(out, id, "is stored")
			if len(said) == 0 {
				out.Flush()
			}
		}
	}()
	// The parent kills us long before; if it is gone, we end as well.
	end, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for id := max(last+1, time.Now().UnixMicro()); end.Err() == nil; id++ {
		w.WhenSettled(w.Keep(message(id, who[0], who[1], "ada@x/desk", "bob@x")), func(stored bool) {
			if stored {
				said <- id
			}
		})
	}
}
