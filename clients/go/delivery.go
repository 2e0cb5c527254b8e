package porthouse

import (
	"time"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// What is pushed to rooms and to the client itself. All is called with the client's lock held.

func (c *Client) takeEnvelope(envelope *porthousev1.Envelope) error {
	stamp, err := stampOf(envelope)
	if err != nil {
		return err
	}
	bytes := heldBytes(envelope)
	if stamp.GetRoute() == 0 {
		m := readMessage(envelope, stamp, "", 0)
		if room := c.rooms[stamp.GetTarget()]; room != nil {
			return room.course.take(m, bytes)
		}
		return c.own.take(m, bytes)
	}
	rooms := c.routes[stamp.GetRoute()]
	if len(rooms) == 0 {
		// Left a moment ago.
		return nil
	}
	m := readMessage(envelope, stamp, rooms[0].room, rooms[0].joined.GetEpoch())
	heard := false
	for _, room := range rooms {
		if room.hears(m.Channel) {
			heard = true
			if err := room.course.take(m, bytes); err != nil {
				return err
			}
		}
	}
	if !heard {
		c.feed.push(m, bytes)
	}
	return nil
}

// heardBy gives to the readers of all rooms what one room has given to its own. The first of those
// who hear a message does, those among them that are not back yet on this connection.
func (c *Client) heardBy(room *Room, m Message, bytes int) {
	for _, other := range c.siblings[room.room] {
		if other != room && other.has(&m) {
			return
		}
	}
	c.feed.push(m, bytes)
}

// expectPast ends the connection where what was promised of the past does not come.
func (c *Client) expectPast(who *course) {
	if !who.catchingUp {
		return
	}
	if who.watch != nil {
		who.watch.Stop()
	}
	k, at := c.conn, who.at
	who.watch = time.AfterFunc(pastWait, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		switch {
		case c.conn != k || !who.catchingUp:
		case who.at == at:
			k.fail(errorf(CodeUnavailable, "what was before has not come on for %v", pastWait))
		default:
			c.expectPast(who)
		}
	})
}

// takeLost tells the readers concerned what the gateway says they lost.
func (c *Client) takeLost(wire *porthousev1.Lost) {
	lost := Lost{
		From:  wire.GetFromSequence(),
		To:    wire.GetToSequence(),
		Count: int(wire.GetCount()),
		Code:  wireCode(wire.GetCode()),
	}
	rooms := c.routes[wire.GetRoute()]
	if len(rooms) > 0 {
		lost.Address, lost.Epoch = rooms[0].room, rooms[0].joined.GetEpoch()
	}
	for _, room := range rooms {
		if room.stay.listening {
			room.feed.miss(lost)
		}
	}
	c.feed.miss(lost)
	c.emit(Missed{lost})
}

func (c *Client) caughtUp(wire *porthousev1.CaughtUp) error {
	if room := c.rooms[wire.GetAddress()]; room != nil {
		return room.arrive(wire.GetSequence())
	}
	return c.own.caughtUp(wire.GetAddress(), wire.GetSequence())
}

func (c *Client) cursorMoved(wire *porthousev1.Cursor) {
	to := Position{wire.GetPosition().GetEpoch(), wire.GetPosition().GetSequence()}
	for _, room := range c.siblings[wire.GetAddress()] {
		room.reading.is(to.Sequence)
		c.emit(CursorMoved{Room: room, Position: to})
	}
}

func (c *Client) presence(wire *porthousev1.Presence) {
	for _, room := range c.routes[wire.GetRoute()] {
		if room.stay.presence {
			c.emit(Presence{
				Room:   room,
				Joined: wire.GetJoined(),
				Left:   wire.GetLeft(),
				Count:  int(wire.GetCount()),
			})
		}
	}
}

func (c *Client) changed(wire *porthousev1.Changed) {
	address, _ := splitRoom(wire.GetAddress())
	for _, room := range c.siblings[address] {
		room.joined.Revision = wire.GetRevision()
		c.emit(Changed{Room: room, Revision: wire.GetRevision(), Blocks: wire.GetBlocks()})
	}
}

// ownChannels is the channels of the clients that this one is: what is sent to a client comes
// unasked, and what came while it was away is asked for (R43, PH-16.11).
type ownChannels struct {
	c       *Client
	courses map[string]*course
	// Somebody reads what is sent to them; until then nobody misses anything.
	heard bool
}

// What the gateway says is proved is counted, as all that it says.
const ownMax = 64

// proved is called with a client that was proved, or with anything else.
func (o *ownChannels) proved(client string) {
	if !isClient(client) || o.courses[client] != nil || len(o.courses) == ownMax {
		return
	}
	o.courses[client] = &course{deliver: o.c.feed.push}
	o.ask(client)
}

func (o *ownChannels) hear() {
	if !o.heard {
		o.heard = true
		o.established()
	}
}

// established is called when there is a connection to ask on.
func (o *ownChannels) established() {
	for client := range o.courses {
		o.ask(client)
	}
}

func (o *ownChannels) take(m Message, bytes int) error {
	if course := o.courses[m.Address]; course != nil {
		return course.take(m, bytes)
	}
	o.c.feed.push(m, bytes)
	return nil
}

func (o *ownChannels) caughtUp(client string, sequence uint64) error {
	if course := o.courses[client]; course != nil {
		return course.caughtUp(sequence)
	}
	return nil
}

// away is called when the connection is gone. On the next one messages come before they are asked
// for.
func (o *ownChannels) away() {
	for _, course := range o.courses {
		course.away()
		if o.heard && course.begun {
			course.wait()
		}
	}
}

// ask asks for what came after the last message; where there was none, for the position.
func (o *ownChannels) ask(client string) {
	k, course := o.c.conn, o.courses[client]
	if !o.heard || o.c.queue.conn == nil || o.c.rooms[client] != nil {
		return
	}
	asked := joining{stay: stay{listening: true}}
	if course.begun {
		asked.backlog = backlog{kind: sincePosition, position: course.at}
	}
	known := course.begun
	join := joinQuestion(client, asked, false, func(joined *porthousev1.Joined) error {
		if course.begun && !known {
			// A message has told the position meanwhile, so the answer is older.
			return nil
		}
		lost, err := course.begin(joined, sinceNow, Position{})
		o.c.expectPast(course)
		if lost != nil {
			lost.Address = client
			o.c.gap(*lost)
		}
		return err
	})
	join.then = func(err error) {
		if err != nil && o.c.conn == k && k.err == nil {
			o.c.guard(o.giveUp(client, course, err))
		}
	}
	o.c.expectPast(course)
	if err := o.c.queue.add(join, 0); err != nil {
		join.then(err)
	}
}

func (o *ownChannels) giveUp(client string, course *course, reason error) error {
	if !course.catchingUp || !course.begun {
		return nil
	}
	o.c.gap(Lost{
		Address: client,
		Epoch:   course.at.Epoch,
		From:    course.at.Sequence + 1,
		Code:    asError(reason, CodeUnavailable).Code,
	})
	return course.caughtUp(0)
}
