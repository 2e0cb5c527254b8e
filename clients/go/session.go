package porthouse

import (
	"time"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// What this client knows beyond the first version.
var capabilities = []string{"resume", "events"}

// The gateway bounds what an unproved socket may send; further rooms follow when it is proved.
const firstJoins = 32

// run keeps a connection alive, by a new one where it ends with a code that allows it (PH-9.3).
func (c *Client) run() {
	defer close(c.done)
	wait := backoff{base: c.opts.backoffBase, limit: c.opts.backoffCap}
	for {
		established, err := c.connection()
		c.mu.Lock()
		reason := asError(err, CodeInternal)
		// The first attempt is the caller's to repeat: who mistyped an address wants to know.
		if c.closing || !c.opts.reconnect || !reason.Temporary() || !c.known {
			c.end(reason)
			c.mu.Unlock()
			c.cancel()
			c.tasks.Wait()
			return
		}
		// A gateway that lets in and drops at once is not one that is back.
		if !established.IsZero() && time.Since(established) >= wait.limit {
			wait.reset()
		}
		// Those that were told the same time still spread out.
		delay := reason.RetryAfter + wait.next()
		c.emit(Reconnecting{Attempt: wait.attempt, Delay: delay, Err: reason})
		c.mu.Unlock()
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-c.ctx.Done():
			timer.Stop()
		}
	}
}

// connection makes a connection and serves it until its end. It returns when it was established,
// if it was, and why it ended.
func (c *Client) connection() (established time.Time, err error) {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return time.Time{}, &Error{Code: CodeClosed}
	}
	k := newConn(c)
	c.conn = k
	err = c.greet()
	c.mu.Unlock()
	defer k.cancel()
	if err == nil {
		err = k.dial(c.url)
	}
	if err == nil {
		written := make(chan struct{})
		go func() {
			defer close(written)
			k.write(c.queue.settleSilent)
		}()
		err = k.read(c.take, c.packetOver)
		k.over()
		<-written
		_ = k.ws.CloseNow()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k.end()
	c.away()
	c.conn = nil
	return k.since, err
}

// greet makes the first packet: who it is, and which rooms it was in.
func (c *Client) greet() error {
	h := &handshake{
		helloID:   c.queue.newID(),
		entered:   !c.entering,
		rejoining: map[uint32]*Room{},
	}
	c.handshake = h
	token := c.resume.token()
	c.locks = newLocks(c, token != "")
	hello := &porthousev1.Hello{Agent: c.opts.agent, Capabilities: capabilities, Resume: token}
	if err := c.conn.push(&porthousev1.Frame{
		Id: h.helloID, Body: &porthousev1.Frame_Hello{Hello: hello},
	}); err != nil {
		return err
	}
	if err := c.locks.greet(); err != nil {
		return err
	}
	rooms := c.toRejoin()
	now := 0
	if c.locks.greeted() {
		now = min(len(rooms), firstJoins)
	}
	h.later = rooms[now:]
	for _, room := range rooms[:now] {
		if err := c.rejoin(room); err != nil {
			return err
		}
	}
	return nil
}

// A handshake is which answers to the greeting of a connection are still to come.
type handshake struct {
	helloID  uint32
	welcomed bool
	// The place that the URL names is entered.
	entered bool
	// Joins that are not answered yet, and those that wait for the proof.
	rejoining map[uint32]*Room
	later     []*Room
	// Rooms that were found again.
	rejoined []Rejoined
}

// isIn reports whether what connecting waits for is proved.
func (c *Client) isIn() bool {
	return c.handshake.welcomed && c.locks.settled() && c.handshake.entered
}

func (c *Client) welcome(welcome *porthousev1.Welcome) error {
	c.limits, c.conn.limits = welcome.GetLimits(), welcome.GetLimits()
	c.socket = welcome.GetSocket()
	c.handshake.welcomed = true
	if !welcome.GetResumed() {
		c.resume.forget()
	}
	c.conn.beat(milliseconds(welcome.GetHeartbeatMs()))
	if err := c.locks.welcomed(welcome.GetResumed()); err != nil {
		return err
	}
	return c.progress()
}

// progress looks whether all of the greeting is answered: each answer may be the last one missing.
func (c *Client) progress() error {
	h := c.handshake
	if !c.isIn() {
		return nil
	}
	for len(h.later) > 0 {
		room := h.later[0]
		h.later = h.later[1:]
		if err := c.rejoin(room); err != nil {
			return err
		}
	}
	if len(h.rejoining) > 0 || c.queue.conn != nil || c.conn.err != nil {
		return nil
	}
	c.conn.establish()
	c.locks.established = true
	c.locks.challenges = 0
	c.queue.open(c.conn)
	c.joinsEstablished()
	c.own.established()
	if c.known {
		c.emit(Reconnected{Socket: c.socket, Rooms: h.rejoined})
		c.watchAgain()
	} else {
		c.known = true
		close(c.opened)
	}
	return nil
}

// away is called when the connection is gone, or about to be.
func (c *Client) away() {
	c.socket = ""
	c.inPacket, c.later = false, nil
	c.locks.end()
	c.queue.close()
	clear(c.routes)
	for _, room := range c.rooms {
		room.away()
	}
	c.turns.clear()
	c.own.away()
}

// end is called when it is over.
func (c *Client) end(reason *Error) {
	var why error
	closed := Closed{}
	if !c.closing {
		why, closed.Err = reason, reason
	}
	c.closing = true
	c.err = reason
	c.queue.end(reason)
	for _, room := range c.rooms {
		room.end(why)
	}
	clear(c.rooms)
	c.feed.end(why)
	c.emit(closed)
	c.events.end(nil)
}

// emit tells an event to those who listen.
func (c *Client) emit(event Event) {
	const bytes = 512
	c.events.push(event, bytes)
}

// guard has the connection fail as the handling of a frame does.
func (c *Client) guard(err error) {
	if err != nil && c.conn != nil {
		c.conn.fail(asError(err, CodeInternal))
	}
}

// A resumption lets the next connection skip the locks that this one has resolved (R12). A token
// that was used is kept until the gateway gives another: the Welcome that took it may have been
// lost (PH-4.7).
type resumption struct {
	kept  string
	until time.Time
}

// A longer token is nothing to be kept.
const resumeMax = 4096

// token is empty where there is none that is still good.
func (r *resumption) token() string {
	if time.Now().Before(r.until) {
		return r.kept
	}
	return ""
}

func (r *resumption) keep(resume *porthousev1.Resume) {
	if len(resume.GetToken()) > resumeMax {
		r.forget()
		return
	}
	r.kept, r.until = resume.GetToken(), time.Now().Add(milliseconds(resume.GetExpiresMs()))
}

// forget is called where the gateway did not take it.
func (r *resumption) forget() { *r = resumption{} }
