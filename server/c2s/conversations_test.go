package c2s_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

// TestConversations plays what streams are like.
func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}
