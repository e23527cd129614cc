package storage

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/sipgw/history"
)

func TestSIPCalls(t *testing.T) {
	onEach(t, func(t *testing.T, db *DB) {
		s, ctx := db.SIPCalls(), t.Context()
		at := func(n int) int64 { return bindingTime.Add(time.Duration(n) * time.Second).UnixMicro() }
		full := history.Call{
			ID: at(1), Device: "2001@phones.x", Owner: "ada@x", Made: true, With: "sip:'\u00eb\"@y", Began: bindingTime,
			Answer: bindingTime.Add(time.Millisecond), How: "rejected", Code: 486, Cause: "audit", Why: "because",
		}
		bare := history.Call{ID: at(2), Device: "2001@phones.x", Began: bindingTime}
		other := history.Call{ID: at(3), Device: "2002@phones.x", Owner: "ada@x", Began: bindingTime, With: "a\x00\xff"}
		if err := s.SaveCalls(ctx, []history.Call{full, bare, other}); err != nil {
			t.Fatal(err)
		}
		again := other
		again.How = "remote-bye"
		if err := s.SaveCalls(ctx, []history.Call{again}); err != nil {
			t.Errorf("one that is there: %v", err)
		}
		other.With = "a\ufffd"
		for _, c := range []struct {
			name string
			q    history.Query
			want []history.Call
		}{
			{"a device", history.Query{Subject: "2001@phones.x", Limit: 9}, []history.Call{bare, full}},
			{"a person", history.Query{Subject: "ada@x", Limit: 9}, []history.Call{other, full}},
			{"a page", history.Query{Subject: "ada@x", Limit: 1}, []history.Call{other}},
			{"the next page", history.Query{Subject: "ada@x", Limit: 1, Older: other.ID}, []history.Call{full}},
			{"since then", history.Query{Subject: "2001@phones.x", Limit: 9, Since: bare.At()}, []history.Call{bare}},
			{"nobody", history.Query{Subject: "bob@x", Limit: 9}, nil},
			{"nothing", history.Query{Limit: 9}, nil},
		} {
			got, err := s.Calls(ctx, c.q)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("%s: wanted (-) and got (+), %v:\n%s", c.name, err, diff)
			}
		}
		for _, c := range []struct {
			before time.Time
			most   int
			want   int64
		}{{full.At(), 9, 0}, {other.At(), 1, 1}, {other.At(), 9, 1}} {
			if n, err := s.ExpireCalls(ctx, c.before, c.most); n != c.want || err != nil {
				t.Errorf("%d are removed, %v; want %d", n, err, c.want)
			}
		}
		if got, err := s.Calls(ctx, history.Query{Subject: "ada@x", Limit: 9}); len(got) != 1 || err != nil {
			t.Errorf("%v are left, %v", got, err)
		}
	})
}
