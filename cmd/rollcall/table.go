package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"rollcall/internal/operator"
)

// table is how a list is printed.
type table struct {
	plain bool // without the names of the columns
	limit int  // rows at most; -1 is all
}

// flags adds the flags of a list. limit is what holds without the flag; -1 is all,
// and no flag.
func (t *table) flags(cmd *cobra.Command, limit int) {
	t.limit = limit
	cmd.Flags().BoolVar(&t.plain, "no-header", false, "leave out the line with the names of the columns")
	if limit >= 0 {
		cmd.Flags().IntVar(&t.limit, "limit", limit, "how many at most")
	}
}

// carryOutTable carries out one order and prints what came of it, page by page.
func carryOutTable(cmd *cobra.Command, d desk, o operator.Order, t table) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	header, left := !t.plain, t.limit
	if left == 0 {
		return fmt.Errorf("--limit has to be 1 or more; type: %s --limit 100", cmd.CommandPath())
	}
	for {
		if left >= 0 {
			o.Values["max_items"] = []string{strconv.Itoa(min(left, operator.Page))}
		}
		a, err := d.Do(cmd.Context(), o)
		if err != nil {
			return err
		}
		printAnswer(w, a, header)
		header, left = false, left-len(a.Rows)
		if a.Next == "" || left == 0 {
			return w.Flush()
		}
		o.Values["after"] = []string{a.Next}
	}
}

// printAnswer prints an answer: rows as a table, or else a note and facts, one to
// a line.
func printAnswer(w io.Writer, a operator.Answer, header bool) {
	if a.Header == nil {
		if a.Note != "" {
			fmt.Fprintln(w, a.Note)
		}
		for _, f := range a.Facts {
			fmt.Fprintf(w, "%s\t%s\n", f.Label, strings.Join(f.Values, ", "))
		}
		return
	}
	if header && len(a.Rows) > 0 {
		fmt.Fprintln(w, strings.ToUpper(strings.Join(a.Header, "\t")))
	}
	for _, row := range a.Rows {
		for i, cell := range row {
			if i > 0 {
				io.WriteString(w, "\t")
			}
			io.WriteString(w, cmp.Or(cell, "-"))
		}
		fmt.Fprintln(w)
	}
}
