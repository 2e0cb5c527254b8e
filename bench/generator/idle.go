package main

import (
	"bytes"
	"fmt"
	"syscall"
	"time"
)

// idle is W4: members of many rooms who say nothing, member n in room n modulo their number. At the
// end each room gets one message, so that it is known that all of them are there and listen.
type idle struct {
	options
	payload []byte
	// speakers are the first in each room.
	speakers []*conn
	// heard has whether a member got its room's message, and missing counts those who have not.
	heard   []bool
	missing int
}

// held is what idle connections have cost.
type held struct {
	Connections int `json:"connections"`
	// Seconds until all were in their rooms, and the server's CPU seconds meanwhile.
	Seconds   float64 `json:"seconds"`
	ServerCPU float64 `json:"serverCpu"`
	// Resident bytes of the server, before the first connection and with all of them, its garbage
	// collected where it does that when it is asked to; and with all of them before it was asked.
	Before      int `json:"before"`
	With        int `json:"with"`
	Uncollected int `json:"uncollected"`
}

// crowdMax is how many are on their way in at a time: fewer than the backlog of any server here.
const crowdMax = 64

// collectFor is how long a server may take to collect its garbage.
const collectFor = 3 * time.Second

func newIdle(o options) *idle {
	return &idle{
		options: o,
		payload: newPayload(0, o.size),
		heard:   make([]bool, o.members),
		missing: o.members,
	}
}

func measureIdle(o options, pid int, span time.Duration, print func(any) error) error {
	l, err := newLoop()
	if err != nil {
		return err
	}
	i, found := newIdle(o), held{Connections: o.members}
	if found.Before, err = i.collected(l, pid); err != nil {
		return err
	}
	before, err := cpuSeconds(pid)
	if err != nil {
		return err
	}
	began := l.clock()
	if err := i.enter(l); err != nil {
		return err
	}
	after, err := cpuSeconds(pid)
	if err != nil {
		return err
	}
	found.Seconds, found.ServerCPU = float64(l.clock()-began)/1e9, after-before
	if err := l.during(span); err != nil {
		return err
	}
	if found.Uncollected, err = residentBytes(pid); err != nil {
		return err
	}
	if found.With, err = i.collected(l, pid); err != nil {
		return err
	}
	if err := i.prove(l); err != nil {
		return err
	}
	return print(found)
}

// collected is what the server has in memory once it has collected its garbage.
func (i *idle) collected(l *loop, pid int) (int, error) {
	if i.collect {
		if err := syscall.Kill(pid, syscall.SIGUSR2); err != nil {
			return 0, err
		}
		if err := l.during(collectFor); err != nil {
			return 0, err
		}
	}
	return residentBytes(pid)
}

// enter connects all of them, so many at a time.
func (i *idle) enter(l *loop) error {
	conns := make([]*conn, 0, i.members)
	for len(conns) < i.members {
		first := len(conns)
		for n := first; n < min(first+crowdMax, i.members); n++ {
			r := role{room: fmt.Sprintf("w2-%d", n%i.rooms), listens: true}
			c, err := i.call(l, n, r, i)
			if err != nil {
				return err
			}
			conns = append(conns, c)
		}
		for _, c := range conns[first:] {
			if err := c.answered(); err != nil {
				return err
			}
		}
		if err := wait(l, conns[first:]); err != nil {
			return err
		}
	}
	i.speakers = conns[:min(i.rooms, i.members)]
	return nil
}

// wait until all of them are in.
func wait(l *loop, conns []*conn) error {
	in := 0
	if err := l.run(enterLimit, func() bool {
		for in < len(conns) && conns[in].isIn {
			in++
		}
		return in == len(conns)
	}); err != nil {
		return fmt.Errorf("connection %d did not get in: %w", conns[in].index, err)
	}
	return nil
}

// prove has each member hear its room once; who speaks hears himself by MQTT alone.
func (i *idle) prove(l *loop) error {
	for _, c := range i.speakers {
		c.codec.publish(c, i.payload, 1)
		if i.peer != mqtt {
			i.heard[c.index] = true
			i.missing--
		}
	}
	if err := l.run(settleLimit, func() bool { return i.missing == 0 }); err != nil {
		return fmt.Errorf("%d of %d did not hear their room: %w", i.missing, i.members, err)
	}
	return l.during(quiet)
}

func (i *idle) delivered(c *conn, payload []byte) error {
	if i.heard[c.index] || !bytes.Equal(payload, i.payload) {
		return mismatch(i.payload, payload)
	}
	i.heard[c.index] = true
	i.missing--
	return nil
}

func (i *idle) acknowledged(*conn, uint32) error { return errUnasked }
