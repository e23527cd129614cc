package server_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

// TestConversations plays what becomes of stanzas on their way.
func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}
