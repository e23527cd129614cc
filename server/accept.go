package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"
)

// Accept takes connections from a listener until it is closed, and hands each to
// serve, which must not wait for it.
func Accept(ctx context.Context, ln net.Listener, log *slog.Logger, serve func(net.Conn)) error {
	for {
		nc, err := ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			// Out of descriptors, most likely: the ones in use go on.
			log.Error("no connection could be taken", "addr", ln.Addr(), "err", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		serve(nc)
	}
}
