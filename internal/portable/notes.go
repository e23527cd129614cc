package portable

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"rollcall/xmpp/jid"
)

// Place is where something stands in a file.
type Place struct {
	File string
	Line int
}

// String is how compilers write it.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Problem is something in a file that is not as it should be.
type Problem struct {
	Where   Place
	Account jid.Bare // whose; "" if nobody's
	What    string   // in words for people, never with a password
}

// String is the line that people see.
func (p Problem) String() string {
	if p.Account == "" {
		return fmt.Sprintf("%s: %s", p.Where, p.What)
	}
	return fmt.Sprintf("%s: %s: %s", p.Where, p.Account, p.What)
}

// Left is what was left out because there is nothing here that it could be kept
// in.
type Left struct {
	What  string // "PEP nodes", "elements {urn:example}x"
	Count int
	First Place
}

// Notes are what there is to say of files that are read.
type Notes struct {
	Say      func(Problem) // hears of each problem at once
	Problems int

	left map[string]*Left
}

// problem tells of a problem.
func (n *Notes) problem(p Problem) {
	n.Problems++
	if n.Say != nil {
		n.Say(p)
	}
}

// maxLeft bounds how many kinds of things are told apart.
const maxLeft = 200

// leave counts something that is left out.
func (n *Notes) leave(what string, where Place, count int) {
	if count == 0 {
		return
	}
	if n.left == nil {
		n.left = map[string]*Left{}
	}
	l := n.left[what]
	if l == nil {
		if len(n.left) >= maxLeft {
			what = "other things"
		}
		if l = n.left[what]; l == nil {
			l = &Left{What: what, First: where}
			n.left[what] = l
		}
	}
	l.Count += count
}

// Left returns what was left out, the most first.
func (n *Notes) Left() []*Left {
	return slices.SortedFunc(maps.Values(n.left), func(a, b *Left) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.What, b.What))
	})
}
