package storage

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"rollcall/server/features/search"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/stanza"
)

// Search finds people: a [search.Store] and a [search.Filler]. What they are
// found by is kept in step with their vCards by [VCards.Set].
type Search struct{ db *DB }

// Search returns the store of what people are found by.
func (db *DB) Search() *Search { return &Search{db} }

// afterWord follows every word that begins with what stands before it: no word
// has this character, which is none.
const afterWord = "\U0010FFFF"

// Find implements [search.Store].
func (s *Search) Find(ctx context.Context, domain string, terms []search.Term, most int) (list []search.Found, err error) {
	if len(terms) == 0 || len(terms) > search.MaxTerms {
		return nil, nil
	}
	args := []any{domain, int64(most)}
	for i := range search.MaxTerms {
		if i >= len(terms) {
			args = append(args, "", "", int64(0))
			continue
		}
		t := terms[i]
		args = append(args, t.Begins, t.Begins+afterWord, int64(t.Fields))
	}
	err = s.db.each(ctx, "search.find", args, func(rows *sql.Rows) error {
		var x search.Found
		err := rows.Scan(&x.JID, &x.Name, &x.Given, &x.Family, &x.Nick, &x.Email, &x.Unit)
		list = append(list, x)
		return err
	})
	return list, err
}

// Fill implements [search.Filler].
func (s *Search) Fill(ctx context.Context, most int) (int, error) {
	type lacking struct {
		id  AccountID
		who jid.Bare
		xml []byte
	}
	var all []lacking
	err := s.db.each(ctx, "search.lacking", []any{int64(search.Version), int64(most)}, func(rows *sql.Rows) error {
		var x lacking
		err := rows.Scan(&x.id, &x.who, &x.xml)
		all = append(all, x)
		return err
	})
	if err != nil || len(all) == 0 {
		return 0, err
	}
	return len(all), s.db.tx(ctx, "describe people", func(t *tx) error {
		for _, x := range all {
			if err := t.describe(ctx, "search.fill", x.id, x.who, card(x.xml)); err != nil {
				return err
			}
		}
		return nil
	})
}

// describe keeps what an account is found by: query is search.put, or
// search.fill that gives way to whoever was faster.
func (t *tx) describe(ctx context.Context, query string, id AccountID, who jid.Bare, card *stanza.Element) error {
	e := search.Describe(who.Local(), card)
	n, err := t.exec(ctx, query, int64(id), int64(search.Version), who.Domain(), e.Name, e.Given, e.Family, e.Nick, e.Email, e.Unit)
	if err != nil || n == 0 {
		return err
	}
	if _, err := t.exec(ctx, "search.drop_words", int64(id)); err != nil {
		return err
	}
	args := make([]any, 0, 3*len(e.Words))
	for _, word := range slices.Sorted(maps.Keys(e.Words)) {
		args = append(args, int64(id), word, int64(e.Words[word]))
	}
	return t.insert(ctx, "search.put_word", 3, args)
}

// card parses a vCard as it is kept. What is none, such as the empty bytes of
// one that was taken away, is nil.
func card(xml []byte) *stanza.Element {
	e, err := stanza.Parse(xml, "", nil)
	if err != nil {
		return nil
	}
	return e
}
