package storage

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"rollcall/roster/privacy"
	"rollcall/server/features/privatexml"
)

// private adds what clients keep for themselves.
func (u *unpacking) private() error {
	if u.Parcel.Private == nil {
		return nil
	}
	known := map[string][]byte{}
	err := u.each(u.ctx, "portable.private", []any{u.id()}, func(rows *sql.Rows) error {
		var it privatexml.Item
		err := rows.Scan(&it.Namespace, &it.XML)
		known[it.Namespace] = it.XML
		return err
	})
	if err != nil {
		return err
	}
	if u.replaces() {
		for namespace := range known {
			if !slices.ContainsFunc(u.Parcel.Private, func(it privatexml.Item) bool { return it.Namespace == namespace }) {
				if err := u.do("private.drop", u.id(), namespace); err != nil {
					return err
				}
			}
		}
	}
	for _, it := range u.Parcel.Private {
		old, there := known[it.Namespace]
		if there && (!u.replaces() || bytes.Equal(old, it.XML)) {
			u.receipt.Known[PartPrivate]++
			continue
		}
		u.receipt.Added[PartPrivate]++
		if err := u.do("private.put", u.id(), it.Namespace, it.XML); err != nil {
			return err
		}
	}
	return nil
}

// lists adds the privacy lists that are not there. The default list stays if
// there is one.
func (u *unpacking) lists() error {
	if u.Lists == nil {
		return nil
	}
	known := map[string]string{}
	err := u.each(u.ctx, "privacy.lists", []any{u.id()}, func(rows *sql.Rows) error {
		var name, items string
		err := rows.Scan(&name, &items)
		known[name] = items
		return err
	})
	if err != nil || len(u.Lists.Lists) == 0 && (len(known) == 0 || !u.replaces()) {
		return err
	}
	var version int64
	var def string
	if _, err := u.one(u.ctx, "portable.privacy_at", []any{u.id()}, &version, &def); err != nil {
		return err
	}
	before := def
	changed, err := u.putLists(known)
	if err != nil {
		return err
	}
	if def == "" || u.replaces() {
		def = u.Lists.Default
	} else if u.Lists.Default != "" && u.Lists.Default != def {
		u.receipt.Refused = append(u.receipt.Refused, fmt.Sprintf("the default privacy list stays %q, and does not become %q", def, u.Lists.Default))
	}
	if !changed && def == before {
		return nil
	}
	return u.do("portable.privacy_to", u.id(), version+1, def)
}

// putLists writes the lists that are new, or different ones in a replacement.
func (u *unpacking) putLists(known map[string]string) (changed bool, err error) {
	if u.replaces() {
		for name := range known {
			if slices.ContainsFunc(u.Lists.Lists, func(l PrivacyList) bool { return l.Name == name }) {
				continue
			}
			changed = true
			if err := u.do("privacy.drop_list", u.id(), name); err != nil {
				return changed, err
			}
		}
	}
	for _, l := range u.Lists.Lists {
		text, err := json.Marshal(storedItems(l.Items))
		if err != nil {
			return changed, failed("import a privacy list", err)
		}
		if old, there := known[l.Name]; there && (!u.replaces() || old == string(text)) {
			u.receipt.Known[PartLists]++
			continue
		}
		changed = true
		u.receipt.Added[PartLists]++
		if err := u.do("privacy.put_list", u.id(), l.Name, string(text)); err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// storedItems are items in the form in which they are kept.
func storedItems(items []privacy.Item) []storedItem {
	out := make([]storedItem, len(items))
	for i, it := range items {
		out[i] = storedItem(it)
	}
	return out
}
