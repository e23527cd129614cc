package component_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

// TestConversations plays what components and people have to say to one another.
func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}
