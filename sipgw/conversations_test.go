package sipgw_test

import (
	"testing"

	"rollcall/internal/transcript"
	"rollcall/internal/transcript/world"
)

func TestConversations(t *testing.T) {
	transcript.Run(t, "testdata/*.txt", world.New)
}

// TestBeyond plays conversations with the gateway as a component of the server; some of
// them are those that are played with it as a part of the server.
func TestBeyond(t *testing.T) {
	transcript.Run(t, "testdata/beyond/*.txt", world.NewBeyond)
	for _, same := range []string{"text*", "call-fork", "call-refused", "blf-published", "reg", "register", "expire", "cut", "helppoint"} {
		transcript.Run(t, "testdata/"+same+".txt", world.NewBeyond)
	}
}
