// The load generator of the bench: one process, one epoll thread, the same client side for every
// peer. It prints one line of JSON; a delivery that is lost, doubled, changed or out of order ends
// it with an error instead.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"time"
)

// Bounds of what is not measured.
const (
	enterLimit  = 20 * time.Second
	settleLimit = 10 * time.Second
	// quiet is how long a doubled message is listened for at the end.
	quiet = 100 * time.Millisecond
	// lapLimit bounds a lap, whose end somebody else tells.
	lapLimit = time.Minute
)

const almostAll = 1 - 1e-9

// result is what is printed.
type result struct {
	Deliveries uint64 `json:"deliveries"`
	// Calls is how often the generator read or wrote something: about as often as the server did.
	Calls   uint64  `json:"calls"`
	Seconds float64 `json:"seconds"`
	// CPU seconds of the server, of its database and of the generator, within the measured window.
	ServerCPU    float64 `json:"serverCpu"`
	StoreCPU     float64 `json:"storeCpu"`
	GeneratorCPU float64 `json:"generatorCpu"`
	// Milliseconds from the time at which a publish was due (open loop) or sent (closed loop).
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
	// Of the probe's publishes.
	ProbeP50 float64 `json:"probeP50"`
	ProbeP99 float64 `json:"probeP99"`
	// Published is the number of publishes before, within and after the measured window.
	Published uint64 `json:"published"`
}

// processes of the server and of its database; 0: it has none.
type processes struct{ server, store int }

// cpuSeconds of the server, of its database and of the generator.
func (p processes) cpuSeconds() (seconds [3]float64, err error) {
	if seconds[0], err = cpuSeconds(p.server); err != nil {
		return seconds, err
	}
	if p.store != 0 {
		if seconds[1], err = cpuSecondsWithChildren(p.store); err != nil {
			return seconds, err
		}
	}
	seconds[2], err = cpuSeconds(os.Getpid())
	return seconds, err
}

func main() {
	// One thread, and no garbage to speak of: collection would only add pauses.
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 30)
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generator:", err)
		os.Exit(1)
	}
}

// command is what the flags say.
type command struct {
	options
	workload     string
	laps         bool
	of           processes
	warmup, span time.Duration
}

func parse() (c command, err error) {
	o := &c.options
	flag.StringVar(&o.peer, "peer", "", "porthouse, ws, socketio, nats or mqtt")
	flag.IntVar(&o.members, "members", 1, "subscribers, rooms or senders")
	flag.IntVar(&o.window, "window", 1, "publishes outstanding a sender")
	flag.Float64Var(&o.rate, "rate", 0, "fanout: publishes a second, 0 for a closed loop")
	flag.IntVar(&o.size, "size", 128, "bytes of a payload")
	flag.StringVar(&o.room, "room", "w1", "fanout, stalled: the room that all are in")
	flag.IntVar(&o.rooms, "rooms", 1, "durable, idle: rooms that all are spread over")
	flag.StringVar(&o.receipt, "receipt", "stored", "durable: accepted or stored")
	flag.BoolVar(&o.probe, "probe", false, "durable: one more sender, with one publish to be stored")
	flag.StringVar(&c.workload, "workload", "",
		"fanout, exchange, ingest, durable, return, idle or stalled")
	flag.BoolVar(&c.laps, "laps", false, "each byte on standard input ends a lap, and its end all")
	flag.StringVar(&o.tokens, "tokens", "", "return: file with a token a line, one a member")
	flag.StringVar(&o.user, "user", "", "of MQTT; none where it is empty")
	flag.StringVar(&o.password, "password", "", "of MQTT")
	flag.BoolVar(&o.mqttPublishes, "mqtt-publishes", false, "fanout: the publisher speaks MQTT there")
	flag.BoolVar(&o.collect, "collect", false, "idle: the server collects garbage at SIGUSR2")
	port := flag.Uint("port", 0, "of the server, on loopback")
	mqttPort := flag.Uint("mqtt", 0, "fanout: port where every second member speaks MQTT; 0: none")
	flag.IntVar(&c.of.server, "pid", 0, "of the server")
	flag.IntVar(&c.of.store, "store", 0, "pid of its database, whose children count too")
	flag.DurationVar(&c.warmup, "warmup", time.Second, "before anything is measured")
	flag.DurationVar(&c.span, "span", 5*time.Second, "that is measured")
	flag.Parse()
	if o.size < payloadMin || *port == 0 || max(*port, *mqttPort) > 65535 ||
		min(o.members, o.window, o.rooms) < 1 {
		return c, fmt.Errorf("size ≥ %d, port, members, window and rooms ≥ 1 are needed", payloadMin)
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	o.address = netip.AddrPortFrom(loopback, uint16(*port))
	if *mqttPort > 0 {
		o.mqtt = netip.AddrPortFrom(loopback, uint16(*mqttPort))
	}
	return c, nil
}

func run() error {
	c, err := parse()
	if err != nil {
		return err
	}
	print := func(what any) error { return json.NewEncoder(os.Stdout).Encode(what) }
	switch c.workload {
	case "return":
		return comeBack(c.options, print)
	case "idle":
		return measureIdle(c.options, c.of.server, c.span, print)
	case "stalled":
		return measureStalled(c.options, c.of.server, c.warmup, c.span, print)
	}
	w, err := newWorkload(c.workload, c.options)
	if err != nil {
		return err
	}
	return drive(w, c.warmup, func(l *loop) error {
		if c.laps {
			return measureLaps(l, w.progress(), c.of, print)
		}
		measured, err := measure(l, w.progress(), c.of, func() error { return l.during(c.span) })
		if err != nil {
			return err
		}
		if err := settle(l, w); err != nil {
			return err
		}
		measured.Published = w.progress().published
		return print(measured)
	})
}

// drive takes a workload through its life: open, enter, warm up, measure, settle.
func drive(w workload, warmup time.Duration, measured func(*loop) error) error {
	l, err := newLoop()
	if err != nil {
		return err
	}
	conns, err := w.open(l)
	if err != nil {
		return err
	}
	missing := 0
	if err := l.run(enterLimit, func() bool {
		for missing < len(conns) && conns[missing].isIn {
			missing++
		}
		return missing == len(conns)
	}); err != nil {
		return fmt.Errorf("%d of %d connections got in: %w", missing, len(conns), err)
	}
	l.endOfTurn = func() { w.send(l) }
	l.wake(1)
	if err := l.during(warmup); err != nil {
		return err
	}
	return measured(l)
}

func settle(l *loop, w workload) error {
	w.progress().stopped = true
	if err := l.run(settleLimit, w.settled); err != nil {
		return fmt.Errorf("messages or acknowledgements are missing: %w", err)
	}
	return l.during(quiet)
}

// measureLaps measures lap after lap, and tells of each.
func measureLaps(l *loop, p *progress, of processes, print func(any) error) error {
	if err := l.hear(); err != nil {
		return err
	}
	for lap := 1; ; lap++ {
		measured, err := measure(l, p, of, func() error {
			return l.run(lapLimit, func() bool { return l.laps >= lap || l.ended })
		})
		if err != nil || l.ended {
			return err
		}
		if err := print(measured); err != nil {
			return err
		}
	}
}

func measure(l *loop, p *progress, of processes, span func() error) (*result, error) {
	p.deliveries, p.latency, p.probed, l.calls = 0, histogram{}, histogram{}, 0
	before, err := of.cpuSeconds()
	if err != nil {
		return nil, err
	}
	began := l.clock()
	if err := span(); err != nil {
		return nil, err
	}
	seconds, deliveries, calls := float64(l.clock()-began)/1e9, p.deliveries, l.calls
	after, err := of.cpuSeconds()
	if err != nil {
		return nil, err
	}
	return &result{
		Deliveries: deliveries, Calls: calls, Seconds: seconds,
		ServerCPU: after[0] - before[0], StoreCPU: after[1] - before[1],
		GeneratorCPU: after[2] - before[2],
		P50:          p.latency.quantile(0.5), P99: p.latency.quantile(0.99),
		Max:      p.latency.quantile(almostAll),
		ProbeP50: p.probed.quantile(0.5), ProbeP99: p.probed.quantile(0.99),
	}, nil
}
