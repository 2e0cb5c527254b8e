package main

import (
	"context"
	"iter"
	"sync"

	porthouse "github.com/porthouse/porthouse/clients/go"
)

// Ears is one loop over messages, of which the runner asks for so many at a time. It is read so far
// and no further, so that what is not asked for waits in the client's bounds.
type ears struct {
	wanted chan struct{}
	heard  chan heard

	mu      sync.Mutex
	waiting bool
	count   int
	untold  []porthouse.Message
}

type heard struct {
	message porthouse.Message
	err     error
	over    bool
}

// newEars begins a loop that lasts until the context's end.
func newEars(ctx context.Context, messages iter.Seq2[porthouse.Message, error]) *ears {
	e := &ears{wanted: make(chan struct{}, 1), heard: make(chan heard, 1)}
	go func() {
		next, stop := iter.Pull2(messages)
		defer stop()
		for {
			select {
			case <-e.wanted:
			case <-ctx.Done():
				return
			}
			message, err, more := next()
			e.heard <- heard{message, err, !more}
		}
	}()
	return e
}

// hear gives those not told before, once there have been so many in all.
func (e *ears) hear(ctx context.Context, count int) ([]porthouse.Message, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.count < count {
		if !e.waiting {
			e.waiting = true
			e.wanted <- struct{}{}
		}
		select {
		case next := <-e.heard:
			e.waiting = false
			if next.err != nil {
				return nil, next.err
			}
			if next.over {
				count = 0
				continue
			}
			e.count++
			e.untold = append(e.untold, next.message)
		case <-ctx.Done():
			// It goes on: a message that comes later is told by the next one who asks.
			return nil, context.Cause(ctx)
		}
	}
	told := e.untold
	e.untold = nil
	return told, nil
}
