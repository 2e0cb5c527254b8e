package main

import (
	"bytes"
	"fmt"
)

// ingest is W3: many senders, whose publishes are acknowledged, and one subscriber.
type ingest struct {
	options
	count      progress
	subscriber *conn
	senders    []sender
	// underWay counts deliveries and acknowledgements to come, two a publish.
	underWay int
}

type sender struct {
	conn *conn
	// payload is sent, expected is compared with what arrives.
	payload, expected []byte
	// sent, acknowledged and delivered count publishes.
	sent, acknowledged, delivered uint32
	// times of sending, by number modulo their count, which no window exceeds.
	times [windowMax]int64
}

const windowMax = 1 << 8

func (g *ingest) progress() *progress { return &g.count }

func (g *ingest) open(l *loop) ([]*conn, error) {
	if g.window > windowMax {
		return nil, fmt.Errorf("a window of at most %d", windowMax)
	}
	g.senders = make([]sender, g.members)
	conns := make([]*conn, 0, g.members+1)
	for i := range g.senders {
		c, err := g.connect(l, i, role{room: "w3", acknowledged: true}, g)
		if err != nil {
			return nil, err
		}
		payload, expected := newPayload(uint32(i), g.size), newPayload(uint32(i), g.size)
		g.senders[i] = sender{conn: c, payload: payload, expected: expected}
		conns = append(conns, c)
	}
	subscriber, err := g.connect(l, g.members, role{room: "w3", listens: true, acknowledges: true}, g)
	g.subscriber = subscriber
	return append(conns, subscriber), err
}

// send fills each sender's window for the first time; each acknowledgement makes place for the
// next.
func (g *ingest) send(l *loop) {
	if g.count.stopped || g.underWay > 0 {
		return
	}
	for i := range g.senders {
		for range g.window {
			g.publish(&g.senders[i], l.now)
		}
	}
}

func (g *ingest) publish(s *sender, now int64) {
	s.sent++
	setNumber(s.payload, s.sent)
	s.times[s.sent%windowMax] = now
	g.underWay += 2
	s.conn.codec.publish(s.conn, s.payload, s.sent)
}

func (g *ingest) delivered(c *conn, payload []byte) error {
	if c != g.subscriber {
		return fmt.Errorf("a sender got %.32q", payload)
	}
	index, err := messageSender(payload)
	if err != nil {
		return err
	}
	if index >= uint32(len(g.senders)) {
		return fmt.Errorf("no sender %d", index)
	}
	s := &g.senders[index]
	setNumber(s.expected, s.delivered+1)
	if s.delivered == s.sent || !bytes.Equal(payload, s.expected) {
		return mismatch(s.expected, payload)
	}
	s.delivered++
	g.underWay--
	g.count.deliveries++
	g.count.latency.record(c.loop.now - s.times[s.delivered%windowMax])
	return nil
}

func (g *ingest) acknowledged(c *conn, number uint32) error {
	if c == g.subscriber {
		return errUnasked
	}
	s := &g.senders[c.index]
	if s.acknowledged == s.sent || number != s.acknowledged+1 {
		return fmt.Errorf("acknowledgement %d after %d of %d", number, s.acknowledged, s.sent)
	}
	s.acknowledged++
	g.underWay--
	if !g.count.stopped {
		g.publish(s, c.loop.now)
	}
	return nil
}

func (g *ingest) settled() bool { return g.underWay == 0 }
