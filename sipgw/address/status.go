package address

import (
	"strings"

	mellium "mellium.im/xmpp/stanza"

	"rollcall/xmpp/stanza"
)

// codes are what a condition is in SIP (RFC 7247 §7.1, Table 2): of a full address,
// and of a bare one. service-unavailable is never 503, which would speak for the
// whole server (note 5).
var codes = map[stanza.Condition][2]int{
	mellium.BadRequest:            {400, 400},
	mellium.Conflict:              {400, 400},
	mellium.FeatureNotImplemented: {405, 501},
	mellium.Forbidden:             {403, 603},
	mellium.Gone:                  {410, 410},
	mellium.InternalServerError:   {500, 500},
	mellium.ItemNotFound:          {404, 604},
	mellium.JIDMalformed:          {400, 400},
	mellium.NotAcceptable:         {406, 606},
	mellium.NotAllowed:            {403, 403},
	mellium.NotAuthorized:         {401, 401},
	mellium.PolicyViolation:       {403, 403},
	mellium.RecipientUnavailable:  {480, 600},
	mellium.Redirect:              {302, 302},
	mellium.RegistrationRequired:  {407, 407},
	mellium.RemoteServerNotFound:  {404, 404},
	mellium.RemoteServerTimeout:   {408, 408},
	mellium.ResourceConstraint:    {500, 500},
	mellium.ServiceUnavailable:    {403, 403},
	mellium.SubscriptionRequired:  {400, 400},
	mellium.UndefinedCondition:    {400, 400},
	mellium.UnexpectedRequest:     {491, 491},
}

// Status returns the SIP status of an XMPP error about an address, which is full or
// bare. moved says that the error tells where to go instead.
func Status(c stanza.Condition, full, moved bool) int {
	if c == mellium.Gone && moved {
		return 301
	}
	code, ok := codes[c]
	switch {
	case !ok:
		return 400
	case full:
		return code[0]
	}
	return code[1]
}

// conditions are what a SIP status is in XMPP (RFC 7247 §7.2, Table 3).
var conditions = map[int]stanza.Condition{
	300: mellium.Redirect,
	301: mellium.Gone,
	302: mellium.Redirect,
	305: mellium.Redirect,
	380: mellium.NotAcceptable,
	400: mellium.BadRequest,
	401: mellium.NotAuthorized,
	402: mellium.BadRequest,
	403: mellium.Forbidden,
	404: mellium.ItemNotFound,
	405: mellium.FeatureNotImplemented,
	406: mellium.NotAcceptable,
	407: mellium.RegistrationRequired,
	408: mellium.RemoteServerTimeout,
	410: mellium.Gone,
	413: mellium.PolicyViolation,
	414: mellium.PolicyViolation,
	415: mellium.NotAcceptable,
	416: mellium.NotAcceptable,
	420: mellium.FeatureNotImplemented,
	421: mellium.NotAcceptable,
	423: mellium.ResourceConstraint,
	430: mellium.RecipientUnavailable,
	439: mellium.FeatureNotImplemented,
	440: mellium.PolicyViolation,
	480: mellium.RecipientUnavailable,
	481: mellium.ItemNotFound,
	482: mellium.NotAcceptable,
	483: mellium.NotAcceptable,
	484: mellium.ItemNotFound,
	485: mellium.ItemNotFound,
	486: mellium.RecipientUnavailable,
	487: mellium.RecipientUnavailable,
	488: mellium.NotAcceptable,
	489: mellium.PolicyViolation,
	491: mellium.UnexpectedRequest,
	493: mellium.BadRequest,
	500: mellium.InternalServerError,
	501: mellium.FeatureNotImplemented,
	502: mellium.RemoteServerNotFound,
	503: mellium.InternalServerError,
	504: mellium.RemoteServerTimeout,
	505: mellium.NotAcceptable,
	513: mellium.PolicyViolation,
	600: mellium.RecipientUnavailable,
	603: mellium.RecipientUnavailable,
	604: mellium.ItemNotFound,
	606: mellium.NotAcceptable,
}

// Condition returns the XMPP condition of a final SIP status that is no success.
func Condition(status int) stanza.Condition {
	if c, ok := conditions[status]; ok {
		return c
	}
	switch status / 100 {
	case 3:
		return mellium.Redirect
	case 4:
		return mellium.BadRequest
	case 6:
		return mellium.RecipientUnavailable
	}
	return mellium.InternalServerError
}

// Refusal returns the XMPP error for a SIP answer. The reason phrase becomes its
// text, for people.
func Refusal(status int, reason string) *stanza.Error {
	return &stanza.Error{Condition: Condition(status), Text: Reason(reason)}
}

// Reason makes a text fit for a reason phrase, and the other way: one line, not
// endless.
func Reason(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if control(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	text = strings.TrimSpace(text)
	if len(text) <= most {
		return text
	}
	n := most
	for text[n]&0xC0 == 0x80 {
		n--
	}
	return text[:n]
}
