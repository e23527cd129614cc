package operator

import (
	"errors"
	"fmt"

	"rollcall/storage"
	"rollcall/xmpp/jid"
	"rollcall/xmpp/sasl"
)

// Reason says what kind of error it is, for those who can say what to do next.
type Reason string

// The reasons for which an operation comes to nothing.
const (
	Wrong        Reason = "wrong"         // a value, or the name of the operation
	NoAccount    Reason = "no-account"    // there is no such account
	Exists       Reason = "exists"        // there is one already
	Password     Reason = "password"      // one that cannot be used
	NotOurs      Reason = "not-ours"      // an address at a domain without accounts
	NotLive      Reason = "not-live"      // no server is running
	NoSession    Reason = "no-session"    // there is no such client connected
	NoConnection Reason = "no-connection" // there is no such connection
	NoGroup      Reason = "no-group"      // there is no such shared group
	GroupExists  Reason = "group-exists"  // there is one already
	NoDevice     Reason = "no-device"     // there is no such device
	DeviceExists Reason = "device-exists" // there is one already
	NoSubject    Reason = "no-subject"    // nobody has the address
	Elsewhere    Reason = "elsewhere"     // the account comes from a directory, where it has to be done
)

// Error is an operation that came to nothing, and why, in words for people. It
// passes through the control socket as it is.
type Error struct {
	Reason  Reason   `json:"reason"`
	Text    string   `json:"error"`
	Subject jid.Bare `json:"subject,omitempty"` // whom it is about
	err     error
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Unwrap returns what is behind it.
func (e *Error) Unwrap() error { return e.err }

// wrong is an error about a value.
func wrong(format string, args ...any) error {
	return &Error{Reason: Wrong, Text: fmt.Sprintf(format, args...)}
}

// explain puts an error of the stores into words.
func explain(who jid.Bare, err error) error {
	switch {
	case errors.Is(err, storage.ErrExists):
		return &Error{Exists, fmt.Sprintf("%s exists already", who), who, err}
	case errors.Is(err, storage.ErrNoAccount):
		return &Error{NoAccount, fmt.Sprintf("there is no account %s", who), who, err}
	case errors.Is(err, storage.ErrPasswordElsewhere):
		return &Error{Elsewhere, fmt.Sprintf("%s comes from the directory: its password is changed there", who), who, err}
	case errors.Is(err, storage.ErrAccountElsewhere):
		return &Error{Elsewhere, fmt.Sprintf("%s comes from the directory and would be made again: take the person out there first, or disable the account", who), who, err}
	case errors.Is(err, sasl.ErrPassword):
		return &Error{Password, "the password is empty, too long, or has characters that cannot be typed everywhere; choose another", who, err}
	}
	return err
}
