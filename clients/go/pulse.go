package porthouse

import "time"

// Whatever the gateway says, no more than 20 heartbeats a second.
const pulseMin = 50 * time.Millisecond

// A pulse keeps a connection alive in both directions, and finds out when it is not (PH-10.1). The
// client's lock guards it.
type pulse struct {
	interval time.Duration
	timer    *time.Timer
	// When a packet came last, and when one went.
	heard, spoke time.Time
	// When the gateway was asked for a sign of life, and has to have given one; zero: it was not.
	asked, judged time.Time
	// A heartbeat is to be written.
	due bool
}

// beat begins the heartbeat.
func (k *conn) beat(interval time.Duration) {
	p := &k.pulse
	p.stop()
	if interval == 0 {
		return
	}
	p.interval = max(interval, pulseMin)
	p.heard, p.spoke = time.Now(), time.Now()
	p.timer = time.AfterFunc(p.interval, k.check)
}

func (p *pulse) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// heard notes a sign of life.
func (k *conn) heard() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.pulse.heard = time.Now()
}

func (k *conn) check() {
	k.mu.Lock()
	defer k.mu.Unlock()
	p, now := &k.pulse, time.Now()
	if k.err != nil {
		return
	}
	if !p.asked.IsZero() && p.heard.Before(p.asked) {
		// After a stall of this process the answer may be there unread: it gets another interval.
		if now.Sub(p.judged) < p.interval/2 {
			k.fail(errorf(CodeHeartbeatTimeout, "nothing was heard for %v", now.Sub(p.heard)))
			return
		}
		p.judged = now.Add(p.interval)
		p.timer.Reset(p.interval)
		return
	}
	p.asked = time.Time{}
	// The gateway too counts silence, so a client that only listens has to speak.
	since := p.heard
	if p.spoke.Before(since) {
		since = p.spoke
	}
	if quiet := now.Sub(since); quiet < p.interval {
		p.timer.Reset(p.interval - quiet)
		return
	}
	p.asked, p.judged, p.due = now, now.Add(p.interval), true
	k.notify()
	p.timer.Reset(p.interval)
}
