package privacy

import "rollcall/xmpp/jid"

// verdict is where in its list an item stands, and whether it denies in the
// lowest bit: the least of several is that of the first item. none is no item.
type verdict uint32

const none verdict = 1<<32 - 1

// verdicts are those of what one key stands for, by traffic.
type verdicts [numTraffic]verdict

var silent = verdicts{none, none, none, none, none}

// add notes an item, unless an earlier one has the same key.
func (v *verdicts) add(it *Item, rank int) {
	x := verdict(rank) << 1
	if it.Deny {
		x |= 1
	}
	for t := range numTraffic {
		if it.Kinds.Has(t) {
			v[t] = min(v[t], x)
		}
	}
}

// Rules are a list made ready: what it says of a stanza takes a few lookups,
// however long it is. They are never changed.
type Rules struct {
	list        *List
	addresses   map[string]*verdicts
	groups      map[string]*verdicts
	subscribed  [4]verdicts // by roster.Subscription
	everybody   verdicts
	needsRoster bool
}

// Compile returns the rules of a list that was checked.
func Compile(l *List) *Rules {
	r := &Rules{
		list: l, addresses: map[string]*verdicts{}, groups: map[string]*verdicts{},
		subscribed: [4]verdicts{silent, silent, silent, silent}, everybody: silent, needsRoster: l.needsRoster(),
	}
	for rank := range l.Items {
		it := &l.Items[rank]
		switch it.Type {
		case Address:
			at(r.addresses, it.Value).add(it, rank)
		case Group:
			at(r.groups, it.Value).add(it, rank)
		case BySubscription:
			r.subscribed[subscriptions[it.Value]].add(it, rank)
		default:
			r.everybody.add(it, rank)
		}
	}
	return r
}

var subscriptions = map[string]int{"none": 0, "to": 1, "from": 2, "both": 3}

func at(m map[string]*verdicts, key string) *verdicts {
	v := m[key]
	if v == nil {
		fresh := silent
		v = &fresh
		m[key] = v
	}
	return v
}

// List is what the rules were made of.
func (r *Rules) List() *List { return r.list }

// NeedsRoster reports whether Allows looks at the relation.
func (r *Rules) NeedsRoster() bool { return r.needsRoster }

// Allows says the same as [List.Allows]. It does not allocate.
func (r *Rules) Allows(t Traffic, peer jid.JID, known Relation) bool {
	v := r.everybody[t]
	if len(r.addresses) > 0 {
		v = min(v, r.address(t, peer))
	}
	if r.needsRoster {
		v = min(v, r.subscribed[known.Subscription&3][t])
		for _, g := range known.Groups {
			if x := r.groups[g]; x != nil {
				v = min(v, x[t])
			}
		}
	}
	return v == none || v&1 == 0
}

// address is what the items about addresses say of a peer.
func (r *Rules) address(t Traffic, peer jid.JID) verdict {
	v := none
	if x := r.addresses[string(peer.Bare())]; x != nil {
		v = x[t]
	}
	if peer.IsFull() {
		if x := r.addresses[peer.String()]; x != nil {
			v = min(v, x[t])
		}
	}
	if x := r.addresses[peer.Domain()]; x != nil {
		v = min(v, x[t])
	}
	return v
}
