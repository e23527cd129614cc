package archive

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"rollcall/internal/sent"
	"rollcall/xmpp/stanza"
)

func query(inner string) string {
	return "<query xmlns='urn:xmpp:mam:2' queryid='q'>" + inner + "</query>"
}

func filled(fields ...string) string {
	var b strings.Builder
	b.WriteString("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>")
	for i := 0; i+1 < len(fields); i += 2 {
		b.WriteString("<field var='" + fields[i] + "'><value>" + fields[i+1] + "</value></field>")
	}
	return query(b.String() + "</x>")
}

func pageOf(inner string) string {
	return query("<set xmlns='http://jabber.org/protocol/rsm'>" + inner + "</set>")
}

func TestParseRequest(t *testing.T) {
	base := time.Date(2010, 6, 7, 0, 0, 0, 0, time.UTC).UnixMicro()
	for _, c := range []struct {
		raw  string
		want func(q *request) bool
	}{
		{query(""), func(q *request) bool { return q.id == "q" && q.page.max == -1 && q.page.index == -1 && !q.flipped }},
		{query("<flip-page/>"), func(q *request) bool { return q.flipped }},
		{filled("with", "Juliet@Capulet.LIT/balcony"), func(q *request) bool { return q.filter.With.String() == "juliet@capulet.lit/balcony" }},
		{filled("with", ""), func(q *request) bool { return q.filter.With.IsZero() }},
		{filled("start", "2010-06-07T00:00:00Z"), func(q *request) bool { return q.filter.After == base-1 }},
		{filled("start", "2010-06-07T00:00:00.0000001Z"), func(q *request) bool { return q.filter.After == base }},
		{filled("end", "2010-06-07T02:00:00+02:00"), func(q *request) bool { return q.filter.Before == base+1 }},
		{filled("start", "0001-01-01T00:00:00Z"), func(q *request) bool { return q.filter.After == 0 }},
		{filled("end", "1000-01-01T00:00:00Z"), func(q *request) bool { return q.filter.Before == 1 }}, // none at all
		{filled("after-id", "a", "before-id", "b"), func(q *request) bool { return q.after == "a" && q.before == "b" }},
		{filled("ids", "a</value><value>b"), func(q *request) bool { return len(q.ids) == 2 && q.ids[1] == "b" }},
		{pageOf("<max>10</max><after>a</after>"), func(q *request) bool { return q.page.max == 10 && q.page.after == "a" && !q.page.backward }},
		{pageOf("<before/>"), func(q *request) bool { return q.page.backward && q.page.before == "" }},
		{pageOf("<before>b</before><count>7</count>"), func(q *request) bool { return q.page.backward && q.page.before == "b" }},
		{pageOf("<max>0</max><index>371</index>"), func(q *request) bool { return q.page.max == 0 && q.page.index == 371 }},
	} {
		q, err := parseRequest(sent.Payload(c.raw), 10)
		if err != nil || !c.want(q) {
			t.Errorf("%s: %+v, %v", c.raw, q, err)
		}
	}
}

func TestParseRequestRefuses(t *testing.T) {
	for raw, want := range map[string]error{
		query("<x xmlns='jabber:x:data' type='submit'/>"):                                                                stanza.ErrBadRequest,
		query("<x xmlns='jabber:x:data' type='form'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field></x>"):   stanza.ErrBadRequest,
		query("<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:1</value></field></x>"): stanza.ErrBadRequest,
		query("<x xmlns='jabber:x:data' type='cancel'/>"):                                                                stanza.ErrBadRequest,
		filled("include-groupchat", "true"):                                                                              stanza.ErrNotImplemented,
		filled("", "x"):                                                                                                  stanza.ErrBadRequest,
		filled("with", "@"):                                                                                              stanza.ErrBadRequest,
		filled("start", "2010-06-07"):                                                                                    stanza.ErrBadRequest,
		filled("with", "a@x", "with", "b@x"):                                                                             stanza.ErrBadRequest,
		filled("with", "a@x</value><value>b@x"):                                                                          stanza.ErrBadRequest,
		filled("ids", strings.Repeat("a</value><value>", 10)+"a"):                                                        stanza.ErrNotAcceptable,
		pageOf("<max>-1</max>"):                                                                                          stanza.ErrBadRequest,
		pageOf("<max>99999999999</max>"):                                                                                 stanza.ErrBadRequest,
		pageOf("<index>1</index><after>a</after>"):                                                                       stanza.ErrBadRequest,
		pageOf("<index>x</index>"):                                                                                       stanza.ErrBadRequest,
		"<query xmlns='urn:xmpp:mam:2' node='n'/>":                                                                       stanza.ErrItemNotFound,
	} {
		if q, err := parseRequest(sent.Payload(raw), 10); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v, want %v", raw, q, err, want)
		}
	}
}

// FuzzRequest: whatever comes, it is a query that makes sense or a refusal.
func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		query(""), query("<flip-page/>"), filled("with", "a@x/y", "start", "2010-06-07T00:00:00Z", "end", "2010-06-07T02:00:00.5+02:00"),
		filled("after-id", "a", "before-id", "b", "ids", "c"), filled("colour", "red"),
		pageOf("<max>10</max><before/>"), pageOf("<index>3</index><max>0</max>"), pageOf("<after>x</after>"),
		"<prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>a@x</jid></always><never><jid>@</jid></never></prefs>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e := sent.Payload(raw)
		if e == nil {
			return
		}
		var refusal *stanza.Error
		q, err := parseRequest(e, 3)
		switch {
		case err != nil && !errors.As(err, &refusal):
			t.Errorf("no refusal: %v", err)
		case err == nil && (q.filter.After < 0 || q.filter.Before < 0 || len(q.ids) > 3 || q.page.max < -1 || q.page.index < -1 || q.page.max > math.MaxInt32):
			t.Errorf("makes no sense: %+v", q)
		}
		p, err := parsePrefs(e)
		switch {
		case err != nil && !errors.As(err, &refusal):
			t.Errorf("no refusal: %v", err)
		case err == nil:
			again, err := parsePrefs(sent.Payload(string(p.append(nil))))
			if err != nil || string(again.append(nil)) != string(p.append(nil)) {
				t.Errorf("%s is read as %s, %v", p.append(nil), again.append(nil), err)
			}
		}
	})
}
