package main

import (
	"fmt"
	"net/netip"
)

// options say what is run against whom.
type options struct {
	peer    string
	address netip.AddrPort
	// members is the number of subscribers, rooms or senders.
	members int
	// window is how many publishes a sender has outstanding, where rate is 0.
	window int
	// rate is the number of publishes a second, sent when they are due whatever is outstanding.
	rate float64
	// size of a payload in bytes.
	size int
	// room is where all members of a fan-out are.
	room string
	// durable: rooms that the senders are spread over, what a receipt claims, and whether one more
	// sender asks after each of its publishes that it is stored.
	rooms   int
	receipt string
	probe   bool
	// tokens is a file of them, for members who come back.
	tokens string
	// mqtt is where every second member of a fan-out speaks MQTT, as with mqttPublishes its publisher.
	mqtt          netip.AddrPort
	mqttPublishes bool
	// user and password are what MQTT clients log in with.
	user, password string
	// lastBuffer is the receive buffer of a fan-out's last member, in bytes; 0: the system's default.
	lastBuffer int
	// collect: SIGUSR2 has the server collect its garbage.
	collect bool
}

// workload is one shape of traffic. Its deliveries are checked for bytes, count and order as they
// come.
type workload interface {
	owner
	// open connects everybody; conns shall all be in before anything is sent.
	open(l *loop) (conns []*conn, err error)
	// send sends what is due at the end of a turn.
	send(l *loop)
	// settled says that nothing sent is still on its way.
	settled() bool
	// progress is shared by all workloads.
	progress() *progress
}

// progress is what a workload counts.
type progress struct {
	deliveries uint64
	latency    histogram
	// probed has the latencies of a probe, and published counts publishes of all time, where a
	// workload has them.
	probed    histogram
	published uint64
	// stopped: nothing new is sent.
	stopped bool
}

func newWorkload(name string, o options) (workload, error) {
	switch name {
	case "fanout":
		return &fanout{options: o}, nil
	case "exchange":
		return &exchange{options: o}, nil
	case "ingest":
		return &ingest{options: o}, nil
	case "durable":
		return &durable{options: o}, nil
	}
	return nil, fmt.Errorf("no workload %q: fanout, exchange, ingest or durable", name)
}

// connect opens one connection in a role, and waits until it is upgraded.
func (o options) connect(l *loop, index int, r role, owner owner) (*conn, error) {
	c, err := o.call(l, index, r, owner)
	if err != nil {
		return nil, err
	}
	return c, c.answered()
}

// call opens one connection in a role, and asks for its upgrade.
func (o options) call(l *loop, index int, r role, owner owner) (*conn, error) {
	r.user, r.password = o.user, o.password
	peer, address := o.peer, o.address
	if r.mqtt {
		peer, address = mqtt, o.mqtt
	}
	codec, err := newCodec(peer, r)
	if err != nil {
		return nil, err
	}
	return call(l, address, index, codec, owner, r.buffer)
}
