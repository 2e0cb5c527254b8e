package main

import "fmt"

// durable is W6: senders whose publishes are acknowledged once they are kept, and nobody who hears
// them.
type durable struct {
	options
	count   progress
	senders []keeper
	// underWay counts acknowledgements to come.
	underWay int
}

// keeper is a sender to a durable room.
type keeper struct {
	conn               *conn
	payload            []byte
	window             int
	latency            *histogram
	sent, acknowledged uint32
	// times of sending, by number modulo their count, which no window exceeds.
	times [windowMax]int64
}

func (d *durable) progress() *progress { return &d.count }

// open makes the senders, sender n in room n modulo their number.
func (d *durable) open(l *loop) ([]*conn, error) {
	if d.window > windowMax {
		return nil, fmt.Errorf("a window of at most %d", windowMax)
	}
	for i := range d.members {
		if err := d.add(l, i, d.receipt, d.window, &d.count.latency); err != nil {
			return nil, err
		}
	}
	if d.probe {
		if err := d.add(l, d.members, "stored", 1, &d.count.probed); err != nil {
			return nil, err
		}
	}
	conns := make([]*conn, len(d.senders))
	for i, s := range d.senders {
		conns[i] = s.conn
	}
	return conns, nil
}

func (d *durable) add(l *loop, i int, receipt string, window int, latency *histogram) error {
	r := role{room: fmt.Sprintf("w6-%d", i%d.rooms), acknowledged: true, receipt: receipt}
	c, err := d.connect(l, i, r, d)
	payload := newPayload(uint32(i), d.size)
	d.senders = append(d.senders, keeper{conn: c, payload: payload, window: window, latency: latency})
	return err
}

// send fills each sender's window for the first time; each acknowledgement makes place for the
// next.
func (d *durable) send(l *loop) {
	if d.count.stopped || d.underWay > 0 {
		return
	}
	for i := range d.senders {
		for range d.senders[i].window {
			d.publish(&d.senders[i], l.now)
		}
	}
}

func (d *durable) publish(s *keeper, now int64) {
	s.sent++
	setNumber(s.payload, s.sent)
	s.times[s.sent%windowMax] = now
	d.underWay++
	d.count.published++
	s.conn.codec.publish(s.conn, s.payload, s.sent)
}

func (d *durable) delivered(_ *conn, payload []byte) error {
	return fmt.Errorf("a sender got %.32q", payload)
}

func (d *durable) acknowledged(c *conn, number uint32) error {
	s := &d.senders[c.index]
	if s.acknowledged == s.sent || number != s.acknowledged+1 {
		return fmt.Errorf("acknowledgement %d after %d of %d", number, s.acknowledged, s.sent)
	}
	s.acknowledged++
	d.underWay--
	d.count.deliveries++
	s.latency.record(c.loop.now - s.times[number%windowMax])
	if !d.count.stopped {
		d.publish(s, c.loop.now)
	}
	return nil
}

func (d *durable) settled() bool { return d.underWay == 0 }
