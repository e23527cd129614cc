package main

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// listener is one open address.
type listener struct {
	net.Listener
	direct    bool // begins with TLS
	component bool // for components
}

// listen opens all addresses, or none.
func (p *program) listen(ctx context.Context) (list []listener, err error) {
	defer func() {
		if err != nil {
			for _, l := range list {
				l.Close()
			}
		}
	}()
	var lc net.ListenConfig
	for _, group := range []struct {
		addresses []string
		listener
	}{
		{addresses: p.cfg.C2S.Listen},
		{p.cfg.C2S.ListenTLS, listener{direct: true}},
		{p.cfg.ComponentAddresses(), listener{component: true}},
	} {
		for _, address := range group.addresses {
			l, err := lc.Listen(ctx, "tcp", address)
			if err != nil {
				return list, fmt.Errorf("%w; to find out who has it type: rollcall doctor", err)
			}
			group.Listener = l
			list = append(list, group.listener)
		}
	}
	if err := p.parts.Gateway.Listen(); err != nil {
		return list, fmt.Errorf("%w; to find out who has it type: rollcall doctor", err)
	}
	return list, nil
}

// ignoreClosed closes what may be closed already.
func ignoreClosed(f func() error) func() error {
	return func() error {
		if err := f(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}
