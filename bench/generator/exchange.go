package main

import (
	"bytes"
	"errors"
	"fmt"
)

var errUnasked = errors.New("an acknowledgement that nobody asked for")

// exchange is W2: many rooms of two, one of which asks and the other answers; the latency is the
// round trip. Members 2n and 2n+1 are in room n.
type exchange struct {
	options
	count progress
	pairs []pair
	busy  int
}

type pair struct {
	conns    [2]*conn
	payloads [2][]byte
	// number of the request under way, and who has to get something next: 1 the request, 0 the
	// answer.
	number uint32
	turn   int
	asked  int64
}

func (e *exchange) progress() *progress { return &e.count }

func (e *exchange) open(l *loop) ([]*conn, error) {
	e.pairs = make([]pair, e.members)
	conns := make([]*conn, 0, 2*e.members)
	for room := range e.pairs {
		p := &e.pairs[room]
		for side := range p.conns {
			index := 2*room + side
			c, err := e.connect(l, index, role{room: fmt.Sprintf("w2-%d", room), listens: true}, e)
			if err != nil {
				return nil, err
			}
			p.conns[side], p.payloads[side] = c, newPayload(uint32(index), e.size)
			conns = append(conns, c)
		}
	}
	return conns, nil
}

// send starts the first request of each room; each answer starts the next.
func (e *exchange) send(l *loop) {
	if e.count.stopped || e.busy > 0 {
		return
	}
	for room := range e.pairs {
		e.ask(&e.pairs[room], l.now)
		e.busy++
	}
}

func (e *exchange) ask(p *pair, now int64) {
	p.number++
	p.asked, p.turn = now, 1
	e.publish(p, 0)
}

func (e *exchange) publish(p *pair, side int) {
	setNumber(p.payloads[side], p.number)
	p.conns[side].codec.publish(p.conns[side], p.payloads[side], p.number)
}

func (e *exchange) delivered(c *conn, payload []byte) error {
	p, side := &e.pairs[c.index/2], c.index%2
	if p.number == 0 || side != p.turn {
		return fmt.Errorf("got %.32q out of turn", payload)
	}
	if want := p.payloads[1-side]; !bytes.Equal(payload, want) {
		return mismatch(want, payload)
	}
	e.count.deliveries++
	if side == 1 {
		p.turn = 0
		e.publish(p, 1)
		return nil
	}
	e.count.latency.record(c.loop.now - p.asked)
	if e.count.stopped {
		p.turn = -1
		e.busy--
		return nil
	}
	e.ask(p, c.loop.now)
	return nil
}

func (e *exchange) acknowledged(*conn, uint32) error { return errUnasked }

func (e *exchange) settled() bool { return e.busy == 0 }
