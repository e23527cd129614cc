package sipgw_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}
