package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// Tags of the fields that who comes back uses beside those of porthouse.go.
const (
	frameLockStep  = 4<<3 | 2
	frameResume    = 11<<3 | 2
	lockStepAnswer = 3<<3 | 2
	answerAcceptor = 1<<3 | 2
	answerText     = 2<<3 | 2
	joinUnread     = 4<<3 | 0
	roomCaughtUp   = 6<<3 | 2
	joinedBacklog  = 7<<3 | 2
	backlogIsWhole = 1<<3 | 0
	backlogAfter   = 2<<3 | 0
	stampReplay    = 9<<3 | 0
	replayHistory  = 1
)

// returned is what a crowd that came back has seen.
type returned struct {
	// Seconds from the first connection until all had caught up.
	Seconds  float64 `json:"seconds"`
	Messages uint64  `json:"messages"`
	// Milliseconds that one of them took.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// returnLimit bounds how long they may take.
const returnLimit = 2 * time.Minute

// crowd are members with tokens who all come back at once, member n to room n modulo their number,
// and want what they have not read, each message once, in order.
type crowd struct {
	began    int64
	caughtUp int
	messages uint64
	latency  histogram
}

func comeBack(o options, print func(any) error) error {
	text, err := os.ReadFile(o.tokens)
	if err != nil {
		return err
	}
	tokens := strings.Fields(string(text))
	if len(tokens) < o.members {
		return fmt.Errorf("%d tokens for %d members", len(tokens), o.members)
	}
	l, err := newLoop()
	if err != nil {
		return err
	}
	all := &crowd{began: l.clock()}
	conns := make([]*conn, o.members)
	for i := range conns {
		codec := &returnCodec{crowd: all, token: tokens[i], room: fmt.Sprintf("away-%d", i%o.rooms)}
		if conns[i], err = call(l, o.address, i, codec, nil, 0); err != nil {
			return err
		}
	}
	for _, c := range conns {
		if err := c.answered(); err != nil {
			return err
		}
	}
	done := func() bool { return all.caughtUp == o.members }
	if err := l.run(returnLimit, done); err != nil {
		return fmt.Errorf("%d of %d have caught up: %w", all.caughtUp, o.members, err)
	}
	return print(returned{
		Seconds: float64(l.now-all.began) / 1e9, Messages: all.messages,
		P50: all.latency.quantile(0.5), P99: all.latency.quantile(0.99),
	})
}

// returnCodec is one of them: it proves its token, joins its room and asks for what is unread.
type returnCodec struct {
	crowd       *crowd
	token, room string
	last        uint64
}

func (r *returnCodec) upgrade() (path, subprotocol string) { return "/v1/ws", "porthouse.v1" }

func (r *returnCodec) enter(c *conn) {
	hello := nested(nil, helloAgent, []byte("porthouse-bench"))
	answer := nested(nested(nil, answerAcceptor, []byte("token")), answerText, []byte(r.token))
	join := append(nested(nil, joinAddress, []byte("room:bench/"+r.room)), joinUnread, 1)
	var packet []byte
	for id, body := range [][]byte{
		nested(nil, frameHello, hello),
		nested(nil, frameLockStep, nested(nil, lockStepAnswer, answer)),
		nested(nil, frameRoom, nested(nil, roomJoin, join)),
	} {
		packet = nested(packet, packetFrames, append([]byte{frameID, byte(id + 1)}, body...))
	}
	c.send(opBinary, packet)
}

func (r *returnCodec) publish(*conn, []byte, uint32) {}

func (r *returnCodec) receive(c *conn, message []byte, final bool) error {
	if !final {
		return errFragmented
	}
	for len(message) > 0 {
		frame, rest, err := nextField(message)
		if err != nil {
			return err
		}
		for body := frame.bytes; len(body) > 0; {
			field, more, err := nextField(body)
			if err != nil {
				return err
			}
			if err := r.body(c, field); err != nil {
				return err
			}
			body = more
		}
		message = rest
	}
	return nil
}

func (r *returnCodec) body(c *conn, f field) error {
	switch f.tag {
	case frameID, frameWelcome, frameLockStep, frameResume:
		return nil
	case frameEnvelope:
		return r.envelope(f.bytes)
	case frameRoom:
		action, _, err := nextField(f.bytes)
		if err != nil {
			return err
		}
		switch action.tag {
		case roomJoined:
			return r.joined(action.bytes)
		case roomCaughtUp:
			return r.caughtUp(c, action.bytes)
		}
	}
	return fmt.Errorf("unexpected body %d: %x", f.tag>>3, f.bytes)
}

func (r *returnCodec) joined(joined []byte) error {
	backlog, err := lookUpBytes(joined, joinedBacklog)
	if err != nil {
		return err
	}
	if r.last, err = lookUp(backlog, backlogAfter); err != nil {
		return err
	}
	if isWhole, err := lookUp(backlog, backlogIsWhole); err != nil || isWhole != 1 {
		return fmt.Errorf("not all that is unread will come: %x", joined)
	}
	return nil
}

// envelope checks that it is the next one.
func (r *returnCodec) envelope(envelope []byte) error {
	stamp, err := lookUpBytes(envelope, envelopeStamp)
	if err != nil {
		return err
	}
	sequence, err := lookUp(stamp, stampSequence)
	if err != nil {
		return err
	}
	if replay, err := lookUp(stamp, stampReplay); err != nil || replay != replayHistory {
		return fmt.Errorf("no replay: stamp %x", stamp)
	}
	if sequence != r.last+1 {
		return fmt.Errorf("position %d after %d", sequence, r.last)
	}
	r.last = sequence
	r.crowd.messages++
	return nil
}

func (r *returnCodec) caughtUp(c *conn, told []byte) error {
	const sequence = 3<<3 | 0
	if last, err := lookUp(told, sequence); err != nil || last != r.last {
		return fmt.Errorf("caught up with %d, had %d", last, r.last)
	}
	r.crowd.caughtUp++
	r.crowd.latency.record(c.loop.now - r.crowd.began)
	return nil
}

// lookUpBytes finds a length-delimited field in a message; absent is empty.
func lookUpBytes(message []byte, tag uint64) ([]byte, error) {
	for len(message) > 0 {
		f, rest, err := nextField(message)
		if err != nil {
			return nil, err
		}
		if f.tag == tag {
			return f.bytes, nil
		}
		message = rest
	}
	return nil, nil
}
