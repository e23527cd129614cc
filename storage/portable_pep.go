package storage

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"rollcall/server/features/pep"
)

// PEPNode is a node of a parcel, known by its name, with all that is in it in order.
type PEPNode struct {
	pep.Node
	Content []pep.Item
}

func (p *Portable) getPEP(ctx context.Context, id AccountID, out *Parcel) error {
	nodes, err := p.db.PEP().Nodes(ctx, int64(id))
	if err != nil {
		return err
	}
	for _, n := range nodes {
		all, _, err := p.db.PEP().Items(ctx, n.ID, pep.Page{})
		if err != nil {
			return err
		}
		n.ID, n.Items, n.Last = 0, 0, pep.Item{}
		out.PEP = append(out.PEP, PEPNode{n, all})
	}
	return nil
}

// pep adds what was published. A node that is there stays as it is in a merge.
func (u *unpacking) pep() error {
	if u.Parcel.PEP == nil {
		return nil
	}
	known := map[string]int64{}
	err := u.each(u.ctx, "portable.pep", []any{u.id()}, func(rows *sql.Rows) error {
		var name string
		var id int64
		err := rows.Scan(&id, &name)
		known[name] = id
		return err
	})
	if err != nil {
		return err
	}
	for name, id := range known {
		if u.replaces() && !slices.ContainsFunc(u.Parcel.PEP, func(n PEPNode) bool { return n.Name == name }) {
			if err := u.do("pep.delete", id); err != nil {
				return err
			}
		}
	}
	for i := range u.Parcel.PEP {
		if err := u.node(&u.Parcel.PEP[i], known); err != nil {
			return err
		}
	}
	return nil
}

func (u *unpacking) node(n *PEPNode, known map[string]int64) error {
	id, there := known[n.Name]
	if there {
		same := !u.replaces()
		if !same {
			var err error
			if same, err = u.holds(id, n.Content); err != nil {
				return err
			}
		}
		if same {
			u.receipt.Known[PartNodes]++
			return nil
		}
		if err := u.do("pep.delete", id); err != nil {
			return err
		}
	}
	u.receipt.Added[PartNodes]++
	id, err := u.pepNode(u.ctx, u.id(), &pep.Change{Node: n.Node, Options: true, Limits: pep.Limits{Nodes: len(known) + len(u.Parcel.PEP)}})
	if err != nil {
		return err
	}
	now := time.Now().UnixMicro()
	for i := range n.Content {
		it := &n.Content[i]
		at := now
		if !it.At.IsZero() {
			at = it.At.UnixMicro()
		}
		if err := u.do("pep.put", id, it.ID, now+int64(i), at, it.Payload); err != nil {
			return err
		}
	}
	return u.pepPeople(u.ctx, id, &pep.Change{Affiliate: n.Affiliations, Subscribe: n.Subscribers})
}

// holds reports whether a node has just these items.
func (u *unpacking) holds(node int64, want []pep.Item) (bool, error) {
	var have []string
	err := u.each(u.ctx, "pep.items", []any{node, len(want) + 1}, func(rows *sql.Rows) error {
		var id string
		var at int64
		var payload []byte
		err := rows.Scan(&id, &at, &payload)
		have = append(have, id+"\n"+string(payload))
		return err
	})
	slices.Reverse(have)
	return slices.EqualFunc(have, want, func(h string, it pep.Item) bool {
		id, payload, _ := strings.Cut(h, "\n")
		return id == it.ID && payload == string(it.Payload)
	}), err
}
