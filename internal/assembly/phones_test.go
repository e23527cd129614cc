package assembly

import (
	"context"
	"errors"
	"slices"
	"testing"
)

type says func(ctx context.Context) error

func (s says) Run(ctx context.Context) error { return s(ctx) }

type hears func(ctx context.Context)

func (h hears) Run(ctx context.Context) { h(ctx) }

// A call that ends while the gateway is stopping is written down.
func TestLastWords(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	words, heard := make(chan string), []string(nil)
	failed := errors.New("failed")
	err := outlasted{says(func(ctx context.Context) error {
		stop()
		<-ctx.Done()
		words <- "the call is over"
		return failed
	}), hears(func(ctx context.Context) {
		for {
			select {
			case w := <-words:
				heard = append(heard, w)
			case <-ctx.Done():
				heard = append(heard, "the end")
				return
			}
		}
	})}.Run(ctx)
	if !errors.Is(err, failed) || !slices.Equal(heard, []string{"the call is over", "the end"}) {
		t.Errorf("%v; heard was %q", err, heard)
	}
}
