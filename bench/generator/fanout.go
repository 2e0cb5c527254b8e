package main

import (
	"bytes"
	"fmt"
)

// fanout is W1: one publisher, and members that all get every message. With two protocols every
// second member speaks MQTT.
type fanout struct {
	options
	count     progress
	publisher *conn
	// next is the number of the next publish; those before complete are with every member.
	next, complete uint32
	flights        [flightsMax]flight
	// expected is the number that each member gets next.
	expected []uint32
	// began is when an open loop's first publish was due.
	began int64
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
	f.init()
	conns := make([]*conn, 0, f.members+1)
	for i := range f.members {
		r := role{room: f.room, listens: true, mqtt: f.mqtt.IsValid() && i%2 == 1}
		if i == f.members-1 {
			r.buffer = f.lastBuffer
		}
		c, err := f.connect(l, i, r, f)
		if err != nil {
			return nil, err
		}
		conns = append(conns, c)
	}
	publisher, err := f.connect(l, f.members, role{room: f.room, mqtt: f.mqttPublishes}, f)
	f.publisher = publisher
	return append(conns, publisher), err
}

func (f *fanout) init() {
	for i := range f.flights {
		f.flights[i].payload = newPayload(1, f.size)
	}
	f.next, f.complete = 1, 1
	f.expected = make([]uint32, f.members)
	for i := range f.expected {
		f.expected[i] = 1
	}
}

func (f *fanout) send(l *loop) {
	if f.count.stopped {
		return
	}
	if f.rate == 0 {
		for f.next-f.complete < uint32(f.window) {
			f.publish(l.now)
		}
		return
	}
	if f.began == 0 {
		f.began = l.now
	}
	for {
		due := f.began + int64(float64(f.next-1)/f.rate*1e9)
		if wait := due - l.clock(); wait > 0 {
			l.wake(wait)
			return
		}
		if f.next-f.complete == flightsMax {
			return
		}
		f.publish(due)
	}
}

func (f *fanout) publish(due int64) {
	flight := &f.flights[f.next%flightsMax]
	flight.due, flight.seen = due, 0
	setNumber(flight.payload, f.next)
	f.publisher.codec.publish(f.publisher, flight.payload, f.next)
	f.next++
}

func (f *fanout) delivered(c *conn, payload []byte) error {
	if c == f.publisher {
		return fmt.Errorf("the publisher got %.32q", payload)
	}
	number := f.expected[c.index]
	if number == f.next {
		return fmt.Errorf("got %.32q after all that was sent", payload)
	}
	flight := &f.flights[number%flightsMax]
	if !bytes.Equal(payload, flight.payload) {
		return mismatch(flight.payload, payload)
	}
	f.expected[c.index]++
	f.count.deliveries++
	f.count.latency.record(c.loop.now - flight.due)
	if flight.seen++; flight.seen == f.members {
		// Each member gets them in order, so the oldest is complete first.
		f.complete++
	}
	return nil
}

func (f *fanout) acknowledged(*conn, uint32) error { return errUnasked }

func (f *fanout) settled() bool { return f.next == f.complete }
