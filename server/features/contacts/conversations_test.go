package contacts_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

// TestConversations plays rosters and subscriptions.
func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}
