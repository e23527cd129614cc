// Package entity is what entities say that they are and can do: the answers of
// service discovery (XEP-0030 §3) with their extensions (XEP-0128), and the hash
// that such an answer is known by (XEP-0115 §5).
package entity

import (
	"cmp"
	"crypto/sha1"
	"encoding/base64"
	"hash"
	"slices"
	"strings"

	"rollcall/xmpp/form"
	"rollcall/xmpp/stanza"
)

// Namespaces of service discovery and of capabilities.
const (
	NSInfo  = "http://jabber.org/protocol/disco#info"
	NSItems = "http://jabber.org/protocol/disco#items"
	NSCaps  = "http://jabber.org/protocol/caps"
)

// Info is what a disco#info result says of an entity (XEP-0030 §3).
type Info struct {
	Identities []Identity
	Features   []string
	Forms      []form.Form // extended information (XEP-0128)
}

// Identity is what kind of thing an entity is.
type Identity struct{ Category, Type, Lang, Name string }

// Sorted returns the information in the order of XEP-0115 §5.1, each feature
// once. The order of Go's strings is that of i;octet.
func (i Info) Sorted() Info {
	out := Info{Identities: slices.Clone(i.Identities), Features: slices.Clone(i.Features), Forms: slices.Clone(i.Forms)}
	slices.SortFunc(out.Identities, func(a, b Identity) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Lang, b.Lang))
	})
	slices.Sort(out.Features)
	out.Features = slices.Compact(out.Features)
	slices.SortFunc(out.Forms, func(a, b form.Form) int { return cmp.Compare(a.Type, b.Type) })
	for n := range out.Forms {
		fields := slices.Clone(out.Forms[n].Fields)
		slices.SortFunc(fields, func(a, b form.Field) int { return cmp.Compare(a.Var, b.Var) })
		for m := range fields {
			fields[m].Values = slices.Sorted(slices.Values(fields[m].Values))
		}
		out.Forms[n].Fields = fields
	}
	return out
}

// Verification is the verification string of XEP-0115 §5.1, by SHA-1, which is
// the one hash that all know. It keeps a cache honest and no secret.
func (i Info) Verification() string { return i.VerificationBy(sha1.New()) }

// VerificationBy is the verification string by another hash function.
func (i Info) VerificationBy(h hash.Hash) string {
	i = i.Sorted()
	put := func(s string) { h.Write([]byte(s + "<")) }
	for _, x := range i.Identities {
		put(x.Category + "/" + x.Type + "/" + x.Lang + "/" + x.Name)
	}
	for _, x := range i.Features {
		put(x)
	}
	for _, x := range i.Forms {
		put(x.Type)
		for _, field := range x.Fields {
			put(field.Var)
			for _, v := range field.Values {
				put(v)
			}
		}
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Ambiguous reports whether something else that could be said has the same verification
// string: that string does not tell where one thing ends and the next begins. So somebody
// could say of a kind of client what is not so, and have its hash.
func (i Info) Ambiguous() bool {
	i = i.Sorted()
	if len(i.Identities) == 0 { // XEP-0030 §3.1 has one at least
		return true
	}
	for _, x := range i.Identities {
		if x.Category == "" || x.Type == "" || strings.Contains(x.Category+x.Type+x.Lang, "/") || strings.Contains(x.Category+x.Type+x.Lang+x.Name, "<") {
			return true
		}
	}
	last := ""
	for _, last = range i.Features {
		if strings.Contains(last, "<") || readsAsIdentity(last) {
			return true
		}
	}
	// What is said in the first form could be more features, if it goes on in their order.
	return len(i.Forms) > 0 && i.Forms[0].Type >= last
}

// readsAsIdentity reports whether a feature could be an identity as well.
func readsAsIdentity(feature string) bool {
	parts := strings.SplitN(feature, "/", 4)
	return len(parts) == 4 && parts[0] != "" && parts[1] != ""
}

// Append appends the result for a node; "" stands for none.
func (i Info) Append(dst []byte, node string) []byte {
	dst = append(Open(dst, NSInfo, node), '>')
	for _, x := range i.Identities {
		dst = stanza.AppendAttr(append(dst, "<identity"...), "category", x.Category)
		dst = stanza.AppendAttr(dst, "type", x.Type)
		dst = stanza.AppendAttr(dst, "xml:lang", x.Lang)
		dst = append(stanza.AppendAttr(dst, "name", x.Name), "/>"...)
	}
	for _, x := range i.Features {
		dst = append(stanza.AppendAttr(append(dst, "<feature"...), "var", x), "/>"...)
	}
	for _, x := range i.Forms {
		dst = x.AppendResult(dst)
	}
	return append(dst, "</query>"...)
}

// Open appends the tag of a result in a namespace up to its ">".
func Open(dst []byte, space, node string) []byte {
	dst = append(append(append(dst, "<query xmlns='"...), space...), '\'')
	return stanza.AppendAttr(dst, "node", node) // XEP-0030 §3.2: the node is mirrored
}
