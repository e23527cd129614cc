package caps_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

// TestConversations plays what people and the server say to each other.
func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}
