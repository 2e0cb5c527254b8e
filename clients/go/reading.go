package porthouse

import (
	"context"
	"errors"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A reading is how far a client has read in a room. Of what is told while the gateway has not
// answered, the furthest alone is told then: one frame is under way at most. The client's lock
// guards it.
type reading struct {
	cursor uint64
	known  bool
	wanted *Position
	// Of what is under way: closed when all is told, or that failed.
	telling *telling
}

type telling struct {
	done chan struct{}
	err  error
}

// is notes what the gateway says; it moves both ways where the epoch is another one.
func (r *reading) is(sequence uint64) { r.cursor, r.known = sequence, true }

// Cursor returns how far the client has read, as far as that was told: by Read, or by a join since
// what was unread.
func (r *Room) Cursor() (sequence uint64, known bool) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.reading.cursor, r.reading.known
}

// Read tells that the client has read all up to there; the zero Position is the last message
// heard. It returns when the gateway knows; what is told in quick succession is told as one. A
// cursor that is further already stays.
func (r *Room) Read(ctx context.Context, upTo Position) error {
	r.c.mu.Lock()
	if r.err != nil {
		defer r.c.mu.Unlock()
		return r.err
	}
	if upTo == (Position{}) {
		upTo = r.course.at
	}
	if upTo.Epoch == 0 {
		upTo.Epoch = r.joined.GetEpoch()
	}
	reading := &r.reading
	if w := reading.wanted; w == nil || w.Epoch != upTo.Epoch || w.Sequence < upTo.Sequence {
		reading.wanted = &upTo
	}
	under := reading.telling
	if under == nil {
		under = &telling{done: make(chan struct{})}
		reading.telling = under
		r.tell()
	}
	r.c.mu.Unlock()
	select {
	case <-under.done:
		return under.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// tell tells what is wanted, until nothing more is.
func (r *Room) tell() {
	reading := &r.reading
	to := *reading.wanted
	reading.wanted = nil
	cursor := &porthousev1.Cursor{Address: r.room, Position: wirePosition(to)}
	asked := &question{
		bytes:      len(r.room) + 64,
		repeatable: true,
		encode: func() (*porthousev1.Frame, error) {
			action := &porthousev1.Room_Cursor{Cursor: cursor}
			return roomFrame(&porthousev1.Room{Action: action}), nil
		},
		read: func(frame *porthousev1.Frame) (bool, error) {
			now := frame.GetRoom().GetCursor()
			if now == nil {
				return false, nil
			}
			reading.is(now.GetPosition().GetSequence())
			return true, nil
		},
	}
	asked.then = func(err error) {
		if errors.Is(err, CodeCursorBehind) {
			err = nil
		}
		if err == nil && reading.wanted != nil {
			r.tell()
			return
		}
		reading.telling.err = err
		close(reading.telling.done)
		reading.telling, reading.wanted = nil, nil
	}
	if err := r.c.queue.add(asked, 0); err != nil {
		asked.then(err)
	}
}
