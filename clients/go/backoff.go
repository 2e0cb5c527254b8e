package porthouse

import (
	"math/rand/v2"
	"time"
)

// A backoff is exponential with full jitter: each wait is anywhere between nothing and a bound
// that doubles, so that the clients of a gateway that went down do not all come back in the same
// moment (PH-9.3).
type backoff struct {
	base, limit time.Duration
	// Waits since the last reset.
	attempt int
}

func (b *backoff) next() time.Duration {
	bound := b.limit
	// A shift by more would be over any limit.
	if b.attempt < 32 && b.base<<b.attempt < bound && b.base<<b.attempt > 0 {
		bound = b.base << b.attempt
	}
	b.attempt++
	if bound <= 0 {
		return 0
	}
	return rand.N(bound)
}

func (b *backoff) reset() { b.attempt = 0 }
