package main

import (
	"bytes"
	"fmt"
)

// fanout is W1: one publisher, and members that all get every message. With two protocols every
// second member speaks MQTT, and each protocol has a publisher of its own, with half the window.
type fanout struct {
	options
	count      progress
	publishers []publisher
	// began is when an open loop's first publish was due.
	began int64
}

// publisher sends to all members.
type publisher struct {
	conn   *conn
	window uint32
	// next is the number of the next publish; those before complete are with every member.
	next, complete uint32
	flights        [flightsMax]flight
	// expected is the number that each member gets next.
	expected []uint32
}

// flightsMax bounds what may be under way; a server that is further behind an open loop has failed.
const flightsMax = 1 << 12

// flight is a publish under way.
type flight struct {
	payload []byte
	due     int64
	seen    int
}

func (f *fanout) progress() *progress { return &f.count }

func (f *fanout) open(l *loop) ([]*conn, error) {
	roles := []role{{room: "w1"}}
	if f.mqtt.IsValid() {
		roles = append(roles, role{room: "w1", mqtt: true})
	}
	conns := make([]*conn, 0, f.members+len(roles))
	for i := range f.members {
		r := roles[i%len(roles)]
		r.listens = true
		if i == f.members-1 {
			r.buffer = f.lastBuffer
		}
		c, err := f.connect(l, i, r, f)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	f.publishers = make([]publisher, len(roles))
	for i, r := range roles {
		c, err := f.connect(l, f.members+i, r, f)
		if err != nil {
			return nil, err
		}
		f.publishers[i].init(c, uint32(i), f.window/len(roles), f.options)
		conns = append(conns, c)
	}
	return conns, nil
}

func (p *publisher) init(c *conn, index uint32, window int, o options) {
	p.conn, p.window = c, uint32(window)
	p.next, p.complete = 1, 1
	p.expected = make([]uint32, o.members)
	for i := range p.expected {
		p.expected[i] = 1
	}
	for i := range p.flights {
		p.flights[i].payload = newPayload(index, o.size)
	}
}

func (f *fanout) send(l *loop) {
	if f.count.stopped {
		return
	}
	if f.rate > 0 {
		f.sendDue(l)
		return
	}
	for i := range f.publishers {
		for p := &f.publishers[i]; p.next-p.complete < p.window; {
			p.publish(l.now)
		}
	}
}

// sendDue sends what an open loop's publisher is to have sent by now.
func (f *fanout) sendDue(l *loop) {
	p := &f.publishers[0]
	if f.began == 0 {
		f.began = l.now
	}
	for {
		due := f.began + int64(float64(p.next-1)/f.rate*1e9)
		if wait := due - l.clock(); wait > 0 {
			l.wake(wait)
			return
		}
		if p.next-p.complete == flightsMax {
			return
		}
		p.publish(due)
	}
}

func (p *publisher) publish(due int64) {
	flight := &p.flights[p.next%flightsMax]
	flight.due, flight.seen = due, 0
	setNumber(flight.payload, p.next)
	p.conn.codec.publish(p.conn, flight.payload, p.next)
	p.next++
}

func (f *fanout) delivered(c *conn, payload []byte) error {
	if c.index >= f.members {
		return fmt.Errorf("a publisher got %.32q", payload)
	}
	p, err := f.publisherOf(payload)
	if err != nil {
		return err
	}
	number := p.expected[c.index]
	if number == p.next {
		return fmt.Errorf("got %.32q after all that was sent", payload)
	}
	flight := &p.flights[number%flightsMax]
	if !bytes.Equal(payload, flight.payload) {
		return mismatch(flight.payload, payload)
	}
	p.expected[c.index]++
	f.count.deliveries++
	f.count.latency.record(c.loop.now - flight.due)
	if flight.seen++; flight.seen == f.members {
		// Each member gets them in order, so the oldest is complete first.
		p.complete++
	}
	return nil
}

func (f *fanout) publisherOf(payload []byte) (*publisher, error) {
	if len(f.publishers) == 1 {
		return &f.publishers[0], nil
	}
	index, err := messageSender(payload)
	if err == nil && index >= uint32(len(f.publishers)) {
		err = fmt.Errorf("no publisher %d", index)
	}
	if err != nil {
		return nil, err
	}
	return &f.publishers[index], nil
}

func (f *fanout) acknowledged(*conn, uint32) error { return errUnasked }

func (f *fanout) settled() bool {
	for i := range f.publishers {
		if f.publishers[i].next != f.publishers[i].complete {
			return false
		}
	}
	return true
}
