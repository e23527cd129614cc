package sasl

import (
	"errors"
	"fmt"
)

// The ways to fail, named for their conditions in RFC 6120 §6.5. An error of
// this package wraps one of them and says why.
var (
	// ErrMalformedRequest is a message that breaks the mechanism's grammar or
	// asks for what was not offered.
	ErrMalformedRequest = errors.New("malformed-request")
	// ErrNotAuthorized is a wrong name or password, or a channel binding that
	// does not match. It never says which.
	ErrNotAuthorized = errors.New("not-authorized")
	// ErrDowngrade is an ErrNotAuthorized of a client that could bind to the channel
	// and did not see that it may (RFC 5802 §6). It is found before any password is
	// looked at, so it is no guess.
	ErrDowngrade = fmt.Errorf("%w: channel binding was offered and the client did not see it", ErrNotAuthorized)
	// ErrInvalidAuthzid is an authorization identity that is not one's own.
	ErrInvalidAuthzid = errors.New("invalid-authzid")
	// ErrInvalidMechanism is a mechanism that was not offered.
	ErrInvalidMechanism = errors.New("invalid-mechanism")
	// ErrDisabled is an account that nobody can log in to. It is for those who
	// have proved that it is theirs.
	ErrDisabled = errors.New("account-disabled")
	// ErrTemporary is a failure of ours: the store, or no time left.
	ErrTemporary = errors.New("temporary-auth-failure")
	// ErrAway is an ErrTemporary of [Passwords] that cannot be asked. They see to it
	// themselves that somebody hears of it.
	ErrAway = fmt.Errorf("%w: who checks the password cannot be asked", ErrTemporary)
)

// Condition names the element of RFC 6120 §6.5 that tells the client about err.
// An error of an unknown kind is a failure of ours.
func Condition(err error) string {
	for _, kind := range []error{ErrMalformedRequest, ErrNotAuthorized, ErrInvalidAuthzid, ErrInvalidMechanism, ErrDisabled} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return ErrTemporary.Error()
}

// malformed is an ErrMalformedRequest with its reason.
func malformed(why string) error { return fmt.Errorf("%w: %s", ErrMalformedRequest, why) }

// refused is an ErrNotAuthorized with its reason.
func refused(why string) error { return fmt.Errorf("%w: %s", ErrNotAuthorized, why) }
