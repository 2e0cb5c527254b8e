package porthouse

import (
	"cmp"
	"context"
	"slices"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/proto"
)

// A question is something to be sent, and how its answer is read. Its functions are called with
// the client's lock held.
type question struct {
	// What it counts for in the queue's bound.
	bytes int
	// False: if the connection ends before the answer, what became of it is unknown.
	repeatable bool
	// Room that it asks to enter, whose locks may have to be answered first.
	place string
	// No answer comes: it is over once it is in the socket.
	silent bool
	// Makes the frame's body when it is handed over; an error ends the question.
	encode func() (*porthousev1.Frame, error)
	// Whether a frame is the answer; an error is a refusal. A Drop is read by the queue.
	read func(*porthousev1.Frame) (bool, error)
	// An Envelope that comes before the answer, with its id; nil where none does.
	part func(*porthousev1.Envelope) error
	// Called once, when it is over.
	then func(error)

	id    uint32
	order uint64
	state questionState
}

type questionState int

const (
	waiting questionState = iota
	handed
	sent
)

// A queue is what was asked and is not answered, in order. While there is no connection it waits
// here; what was in flight when one ended is asked again on the next, under the same id and key.
// The client's lock guards it.
type queue struct {
	limit   int
	bytes   int
	lastID  uint32
	order   uint64
	entries map[uint32]*question
	// Of the connection, while that takes questions.
	conn *conn
	// Why nothing is asked any more.
	err error
}

// newID returns an id that no unanswered question has.
func (q *queue) newID() uint32 {
	for {
		q.lastID++
		if _, taken := q.entries[q.lastID]; q.lastID != 0 && !taken {
			return q.lastID
		}
	}
}

// add fails with QUEUE_FULL, or the client's end; besides are bytes held elsewhere.
func (q *queue) add(asked *question, besides int) error {
	if q.err != nil {
		return q.err
	}
	if q.bytes+besides+asked.bytes > q.limit {
		return errorf(CodeQueueFull, "more than %d bytes wait to be sent or answered", q.limit)
	}
	q.order++
	asked.id, asked.order, asked.state = q.newID(), q.order, waiting
	q.entries[asked.id] = asked
	q.bytes += asked.bytes
	if q.conn != nil {
		q.hand(asked)
	}
	return nil
}

// inOrder is what there is, the oldest first.
func (q *queue) inOrder() []*question {
	all := make([]*question, 0, len(q.entries))
	for _, each := range q.entries {
		all = append(all, each)
	}
	slices.SortFunc(all, func(a, b *question) int { return cmp.Compare(a.order, b.order) })
	return all
}

// open hands over all that waits, and from now on whatever is asked.
func (q *queue) open(to *conn) {
	q.conn = to
	for _, each := range q.inOrder() {
		q.hand(each)
	}
}

func (q *queue) hand(asked *question) {
	frame, err := asked.encode()
	if err == nil {
		if !asked.silent {
			frame.Id = asked.id
		}
		err = q.conn.push(frame)
	}
	if err != nil {
		q.settle(asked, err)
		return
	}
	asked.state = handed
	q.conn.handed = append(q.conn.handed, asked)
}

// close is called when the connection is gone.
func (q *queue) close() {
	q.conn = nil
	for _, each := range q.inOrder() {
		if each.state == sent && !each.repeatable {
			q.settle(each, errorf(CodeUnavailable,
				"the connection was lost before the answer; what became of it is unknown"))
		} else {
			each.state = waiting
		}
	}
}

// settleSilent ends those of them that are over once they are in the socket.
func (q *queue) settleSilent(written []*question) {
	for _, each := range written {
		if each.silent {
			q.settle(each, nil)
		}
	}
}

// end refuses all that is left and all that is asked from now on.
func (q *queue) end(err error) {
	q.conn, q.err = nil, err
	for _, each := range q.inOrder() {
		q.settle(each, err)
	}
}

// answer reports whether the frame answers its question, or nobody waits for it any more.
func (q *queue) answer(frame *porthousev1.Frame) bool {
	asked := q.entries[frame.GetId()]
	if asked == nil {
		return true
	}
	if drop := frame.GetDrop(); drop != nil {
		q.settle(asked, dropError(drop))
		return true
	}
	done, err := asked.read(frame)
	if done || err != nil {
		q.settle(asked, err)
	}
	return done || err != nil
}

// takePart takes what belongs to an answer; of a question that was given up, nothing is left.
func (q *queue) takePart(id uint32, envelope *porthousev1.Envelope) {
	asked := q.entries[id]
	if asked == nil || asked.part == nil {
		return
	}
	if err := asked.part(envelope); err != nil {
		q.settle(asked, err)
	}
}

// refuse ends a question that asks to enter; false where it is none.
func (q *queue) refuse(id uint32, err error) bool {
	asked := q.entries[id]
	if asked == nil || asked.place == "" {
		return false
	}
	q.settle(asked, err)
	return true
}

// entering is what asks to enter a place.
func (q *queue) entering(place string) []*question {
	return slices.DeleteFunc(q.inOrder(), func(each *question) bool { return each.place != place })
}

// settle reports whether the question was not over yet.
func (q *queue) settle(asked *question, err error) bool {
	if q.entries[asked.id] != asked {
		return false
	}
	delete(q.entries, asked.id)
	q.bytes -= asked.bytes
	asked.then(err)
	return true
}

// ask asks and waits for the answer.
func (c *Client) ask(ctx context.Context, asked *question) error {
	wait, err := c.start(ctx, asked)
	if err != nil {
		return err
	}
	return wait()
}

// start asks; wait waits for the answer. Where the context ends first, the question may have had
// its effect all the same.
func (c *Client) start(ctx context.Context, asked *question) (wait func() error, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	done := make(chan error, 1)
	asked.then = func(err error) { done <- err }
	c.mu.Lock()
	defer c.mu.Unlock()
	besides := 0
	if asked.silent && c.conn != nil {
		// Without a receipt only the socket tells how much is on its way.
		besides = c.conn.outBytes
	}
	if err := c.queue.add(asked, besides); err != nil {
		return nil, err
	}
	return func() error {
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.queue.settle(asked, nil) {
				return context.Cause(ctx)
			}
			return <-done
		}
	}, nil
}

// encodePacket makes a packet of one frame, to be joined with others end to end (PH-2.2).
func encodePacket(frame *porthousev1.Frame) ([]byte, error) {
	return proto.Marshal(&porthousev1.Packet{Frames: []*porthousev1.Frame{frame}})
}

func roomFrame(action *porthousev1.Room) *porthousev1.Frame {
	return &porthousev1.Frame{Body: &porthousev1.Frame_Room{Room: action}}
}

func always(frame *porthousev1.Frame) func() (*porthousev1.Frame, error) {
	return func() (*porthousev1.Frame, error) { return frame, nil }
}
