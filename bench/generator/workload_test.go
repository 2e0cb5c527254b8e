package main

import (
	"bytes"
	"testing"
)

// quietCodec keeps the last publish and sends nothing.
type quietCodec struct{ last []byte }

func (q *quietCodec) upgrade() (path, subprotocol string)       { return "/", "" }
func (q *quietCodec) enter(*conn)                               {}
func (q *quietCodec) publish(_ *conn, payload []byte, _ uint32) { q.last = bytes.Clone(payload) }
func (q *quietCodec) receive(*conn, []byte, bool) error         { return nil }
func connected(l *loop, index int) (*conn, *quietCodec) {
	q := &quietCodec{}
	return &conn{loop: l, index: index, codec: q}, q
}

// delivery is one call of a workload that a server's behaviour leads to.
type delivery struct {
	member int
	number uint32
	change bool
	want   bool
}

func TestFanoutRefusesWhatIsLostDoubledOrChanged(t *testing.T) {
	for name, deliveries := range map[string][]delivery{
		"in order":      {{0, 1, false, true}, {0, 2, false, true}, {1, 1, false, true}},
		"lost":          {{0, 2, false, false}},
		"doubled":       {{0, 1, false, true}, {0, 1, false, false}},
		"changed":       {{0, 1, true, false}},
		"not sent yet":  {{0, 1, false, true}, {0, 2, false, true}, {0, 3, false, false}},
		"to its sender": {{2, 1, false, false}},
	} {
		l := &loop{}
		f := &fanout{options: options{members: 2, window: 2, size: 32}}
		conns := make([]*conn, 3)
		for i := range conns {
			conns[i], _ = connected(l, i)
		}
		f.init()
		f.publisher = conns[2]
		f.send(l)
		for _, d := range deliveries {
			payload := newPayload(1, f.size)
			setNumber(payload, d.number)
			if d.change {
				payload[f.size-1]++
			}
			if err := f.delivered(conns[d.member], payload); (err == nil) != d.want {
				t.Errorf("%s: member %d, number %d: %v", name, d.member, d.number, err)
			}
		}
	}
}

func TestIdleHearsEachRoomOnce(t *testing.T) {
	i := newIdle(options{members: 2, rooms: 1, size: 32})
	l := &loop{}
	for n, want := range []struct {
		index  int
		change bool
		ok     bool
	}{{0, true, false}, {0, false, true}, {0, false, false}, {1, false, true}} {
		c, _ := connected(l, want.index)
		payload := bytes.Clone(i.payload)
		if want.change {
			payload[31]++
		}
		if err := i.delivered(c, payload); (err == nil) != want.ok {
			t.Errorf("%d: %v", n, err)
		}
	}
	if i.missing != 0 {
		t.Errorf("%d are missing", i.missing)
	}
}

func TestExchangeRefusesWhatIsOutOfTurn(t *testing.T) {
	l := &loop{}
	e := &exchange{options: options{members: 1, size: 32}, pairs: make([]pair, 1)}
	p := &e.pairs[0]
	codecs := [2]*quietCodec{}
	for side := range p.conns {
		p.conns[side], codecs[side] = connected(l, side)
		p.payloads[side] = newPayload(uint32(side), e.size)
	}
	e.send(l)
	request := codecs[0].last
	if e.delivered(p.conns[0], request) == nil {
		t.Error("the request came back to its sender")
	}
	if err := e.delivered(p.conns[1], request); err != nil {
		t.Error(err)
	}
	if e.delivered(p.conns[1], request) == nil {
		t.Error("the request came twice")
	}
	if e.delivered(p.conns[0], request) == nil {
		t.Error("the answer had the bytes of the request")
	}
	if err := e.delivered(p.conns[0], codecs[1].last); err != nil {
		t.Error(err)
	}
	if bytes.Equal(codecs[0].last, request) || e.count.deliveries != 2 {
		t.Errorf("%d deliveries, then %q", e.count.deliveries, codecs[0].last)
	}
}

func TestIngestSettlesOnceAllIsDeliveredAndAcknowledged(t *testing.T) {
	l := &loop{}
	g := &ingest{options: options{members: 1, window: 1, size: 32}}
	c, q := connected(l, 0)
	g.subscriber, _ = connected(l, 1)
	g.senders = []sender{{conn: c, payload: newPayload(0, 32), expected: newPayload(0, 32)}}
	g.send(l)
	g.count.stopped = true
	if g.settled() || g.acknowledged(c, 2) == nil || g.acknowledged(c, 1) != nil || g.settled() {
		t.Error("an acknowledgement out of order, or settled without the delivery")
	}
	if g.acknowledged(c, 1) == nil || g.delivered(c, q.last) == nil {
		t.Error("acknowledged twice, or delivered to the sender")
	}
	if err := g.delivered(g.subscriber, q.last); err != nil || !g.settled() {
		t.Errorf("not settled: %v", err)
	}
	if g.delivered(g.subscriber, q.last) == nil {
		t.Error("delivered twice")
	}
}

func TestDurableRefusesAcknowledgementsOutOfOrder(t *testing.T) {
	l := &loop{}
	d := &durable{options: options{members: 1, window: 2, size: 32}}
	c, _ := connected(l, 0)
	sender := keeper{conn: c, payload: newPayload(0, 32), window: 2, latency: &d.count.latency}
	d.senders = []keeper{sender}
	d.send(l)
	if d.acknowledged(c, 2) == nil || d.acknowledged(c, 3) == nil {
		t.Error("one was passed over, or never sent")
	}
	if err := d.acknowledged(c, 1); err != nil || d.count.published != 3 {
		t.Errorf("%v, %d published", err, d.count.published)
	}
	if d.acknowledged(c, 1) == nil || d.delivered(c, sender.payload) == nil {
		t.Error("acknowledged twice, or delivered to its sender")
	}
	d.count.stopped = true
	if d.acknowledged(c, 2) != nil || d.settled() || d.acknowledged(c, 3) != nil || !d.settled() {
		t.Error("settled before all was acknowledged, or not afterwards")
	}
}

func TestQuantilesAreWithinTwoPercent(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.record(int64(i+1) * 1e6)
	}
	for q, want := range map[float64]float64{0.5: 500, 0.99: 990} {
		if got := h.quantile(q); got < want*0.98 || got > want*1.02 {
			t.Errorf("%v: %v", q, got)
		}
	}
}
