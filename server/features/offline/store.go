package offline

import "context"

// Message waits for its recipient.
type Message struct {
	ID     int64
	Stored int64 // when it came, microseconds since 1970
	Stanza []byte
}

// Store keeps messages for accounts, which are named by their numbers. They get
// there through the server's Keeper.
type Store interface {
	// Page returns the next messages after an id, in order: up to max of them
	// and about as many bytes, but one at least if there is one.
	Page(ctx context.Context, account, after int64, max, bytes int) (page []Message, more bool, err error)
	// Count returns how many messages wait.
	Count(ctx context.Context, account int64) (int, error)
	// Drop removes messages some time soon. It does not block.
	Drop(account int64, ids []int64)
}

// Sweeper removes what nobody came for.
type Sweeper interface {
	// Expire removes messages with ids below one, in small transactions, and
	// reports how many for each account.
	Expire(ctx context.Context, below int64, removed func(account int64, n int)) error
}
