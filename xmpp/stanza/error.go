package stanza

import (
	"errors"
	"fmt"

	mellium "mellium.im/xmpp/stanza"
)

// Condition is a stanza error condition (RFC 6120 §8.3.3); the names are
// mellium's.
type Condition = mellium.Condition

// Error is a refusal: it becomes exactly one stanza of type error, and is a Go
// error until then.
type Error struct {
	Type      mellium.ErrorType // "" for the one that goes with the condition
	Condition Condition
	Text      string // for people, English
	Extra     []byte // an application-specific condition, whole and escaped
}

const nsErrors = "urn:ietf:params:xml:ns:xmpp-stanzas"

// The refusals that need nothing said about them.
var (
	ErrBadRequest         = &Error{Condition: mellium.BadRequest}
	ErrConflict           = &Error{Condition: mellium.Conflict}
	ErrForbidden          = &Error{Condition: mellium.Forbidden}
	ErrInternal           = &Error{Condition: mellium.InternalServerError}
	ErrItemNotFound       = &Error{Condition: mellium.ItemNotFound}
	ErrMalformedJID       = &Error{Condition: mellium.JIDMalformed}
	ErrNotAcceptable      = &Error{Condition: mellium.NotAcceptable}
	ErrNotAllowed         = &Error{Condition: mellium.NotAllowed}
	ErrNotAuthorized      = &Error{Condition: mellium.NotAuthorized}
	ErrPolicyViolation    = &Error{Condition: mellium.PolicyViolation}
	ErrRemoteNotFound     = &Error{Condition: mellium.RemoteServerNotFound}
	ErrRemoteTimeout      = &Error{Condition: mellium.RemoteServerTimeout}
	ErrResourceConstraint = &Error{Condition: mellium.ResourceConstraint}
	ErrServiceUnavailable = &Error{Condition: mellium.ServiceUnavailable}
	ErrUnexpectedRequest  = &Error{Condition: mellium.UnexpectedRequest}
	ErrNotImplemented     = &Error{Condition: mellium.FeatureNotImplemented}
)

// Refuse returns an error of that condition with a text for people.
func Refuse(base *Error, format string, args ...any) *Error {
	e := *base
	e.Text = fmt.Sprintf(format, args...)
	return &e
}

// Error implements error.
func (e *Error) Error() string {
	if e.Text == "" {
		return string(e.Condition)
	}
	return string(e.Condition) + ": " + e.Text
}

// Is makes errors.Is compare conditions.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Condition == e.Condition
}

// AsError returns err as a refusal; anything unclassified is an
// internal-server-error, and known is false.
func AsError(err error) (refusal *Error, known bool) {
	if errors.As(err, &refusal) {
		return refusal, true
	}
	return ErrInternal, false
}

// defaultTypes are the error types that RFC 6120 §8.3.3 recommends.
var defaultTypes = map[Condition]mellium.ErrorType{
	mellium.BadRequest:            mellium.Modify,
	mellium.JIDMalformed:          mellium.Modify,
	mellium.NotAcceptable:         mellium.Modify,
	mellium.PolicyViolation:       mellium.Modify,
	mellium.Redirect:              mellium.Modify,
	mellium.Gone:                  mellium.Cancel,
	mellium.Forbidden:             mellium.Auth,
	mellium.NotAuthorized:         mellium.Auth,
	mellium.RegistrationRequired:  mellium.Auth,
	mellium.SubscriptionRequired:  mellium.Auth,
	mellium.RecipientUnavailable:  mellium.Wait,
	mellium.RemoteServerTimeout:   mellium.Wait,
	mellium.ResourceConstraint:    mellium.Wait,
	mellium.UnexpectedRequest:     mellium.Wait,
	mellium.FeatureNotImplemented: mellium.Cancel,
}

// Append appends the <error/> element.
func (e *Error) Append(dst []byte) []byte {
	t := e.Type
	if t == "" {
		if t = defaultTypes[e.Condition]; t == "" {
			t = mellium.Cancel
		}
	}
	dst = append(append(append(dst, "<error type='"...), t...), "'><"...)
	dst = append(append(dst, e.Condition...), " xmlns='"+nsErrors+"'/>"...)
	if e.Text != "" {
		dst = append(dst, "<text xmlns='"+nsErrors+"' xml:lang='en'>"...)
		dst = append(AppendText(dst, e.Text), "</text>"...)
	}
	return append(append(dst, e.Extra...), "</error>"...)
}
