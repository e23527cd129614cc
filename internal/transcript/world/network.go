package world

import (
	"rollcall/server"
	"rollcall/server/c2s"
)

// Streams returns what serves the connections, for tests that make their own.
func (w *World) Streams() *c2s.Server { return w.streams }

// Server returns what the sessions are bound at.
func (w *World) Server() *server.Server { return w.server }
