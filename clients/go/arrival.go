package porthouse

import (
	"context"
	"slices"
	"strings"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/proto"
)

// How rooms are come into: by a join, by the URL, by being added to them, and again on each new
// connection; and what becomes of those that cannot be. All is called with the client's lock held.

// unaskedMax bounds the rooms that a gateway may add a client to; it adds to few.
const unaskedMax = 1024

func isClient(address string) bool { return strings.HasPrefix(address, "client:") }

// enter notes that a room is joined, which may be one that is known already, and returns what its
// listener missed.
func (c *Client) enter(
	joined *porthousev1.Joined, s stay, asked backlog, later bool,
) (*Room, *Lost, error) {
	room := c.rooms[joined.GetAddress()]
	if room == nil {
		room = newRoom(c, joined)
		c.rooms[room.address] = room
		c.siblings[room.room] = append(c.siblings[room.room], room)
	}
	if room.route() != joined.GetRoute() {
		remove(c.routes, room.route(), room)
	}
	// An account's lobby has no number: what it echoes names it.
	if route := joined.GetRoute(); route != 0 && !slices.Contains(c.routes[route], room) {
		c.routes[route] = append(c.routes[route], room)
	}
	lost, err := room.enter(joined, s, asked, later)
	if lost != nil {
		c.gap(*lost)
	}
	return room, lost, err
}

func (c *Client) gap(lost Lost) {
	c.feed.miss(lost)
	c.emit(Gap{lost})
}

// toRejoin is the rooms that a new connection begins with, but for the one that its URL names, and
// those that have to wait for their turn.
func (c *Client) toRejoin() []*Room {
	c.byURL, c.late = nil, nil
	var now []*Room
	for _, room := range c.rooms {
		if room == c.entered {
			continue
		}
		room.turn = nil
		if room.course.begun {
			if room.turn = c.turns.take(room.address); room.turn == nil {
				c.late = append(c.late, room)
				continue
			}
		}
		now = append(now, room)
	}
	return now
}

// rejoin asks for a room again, and for what was missed there.
func (c *Client) rejoin(room *Room) error {
	frame := joinFrame(room.address, room.again())
	frame.Id = c.queue.newID()
	c.handshake.rejoining[frame.Id] = room
	return c.conn.push(frame)
}

// joined takes a Joined that no question of the application's has asked for.
func (c *Client) joined(id uint32, joined *porthousev1.Joined) error {
	h := c.handshake
	again := h.rejoining[id] != nil
	if c.rooms[joined.GetAddress()] == nil {
		if c.unasked++; c.unasked > unaskedMax {
			return errorf(CodeRoomLimit, "more than %d rooms that nobody asked for", unaskedMax)
		}
	}
	// The join was aborted, or the room that the URL names was left.
	left := !again
	if id == 0 {
		left = c.entered != nil && c.entered.address == joined.GetAddress()
	}
	var err error
	if left && c.rooms[joined.GetAddress()] == nil {
		err = c.tellLeave(joined.GetAddress())
	} else {
		err = c.welcomed(id, joined)
	}
	if err != nil {
		return err
	}
	delete(h.rejoining, id)
	if id == 0 && !h.entered {
		h.entered = true
		if err := c.locks.entered(); err != nil {
			return err
		}
	}
	return c.progress()
}

func (c *Client) welcomed(id uint32, joined *porthousev1.Joined) error {
	before := c.rooms[joined.GetAddress()]
	opening := c.queue.conn == nil
	// The room of the URL comes back by itself, and has to ask for what it missed.
	later := id == 0 && opening && before != nil && before.isElsewhere(joined)
	// Joined again, a room listens as before.
	s := stay{listening: id == 0 && joined.GetListening()}
	var was Position
	if before != nil {
		s, was = before.stay, before.course.at
	}
	room, lost, err := c.enter(joined, s, backlog{}, later)
	if err != nil {
		return err
	}
	// Others that come unasked were added while the socket lived (R51).
	if id == 0 && c.entering && c.entered == nil {
		c.entered = room
	}
	if id == 0 && before != nil && opening {
		c.byURL = &refill{room: room, joined: joined, was: was, needed: later}
	} else {
		c.follow(room, room.turn)
	}
	if opening {
		c.handshake.rejoined = append(c.handshake.rejoined, Rejoined{
			Address:   joined.GetAddress(),
			Position:  Position{joined.GetEpoch(), joined.GetSequence()},
			Recovered: !later && lost == nil,
		})
	}
	return nil
}

// isElsewhere reports whether messages may have come since the room was last heard.
func (r *Room) isElsewhere(joined *porthousev1.Joined) bool {
	return r.stay.listening && r.course.at != Position{joined.GetEpoch(), joined.GetSequence()}
}

// refused takes the answer to a join of the connection's own.
func (c *Client) refused(id uint32, err error) error {
	room := c.handshake.rejoining[id]
	delete(c.handshake.rejoining, id)
	return c.notRejoined(room, err)
}

func (c *Client) notRejoined(room *Room, err error) error {
	reason := asError(err, CodeInternal)
	// What passes is waited for: the whole connection is tried again later.
	if reason.Temporary() {
		return reason
	}
	if room != nil && c.leave(room.address, reason) {
		c.emit(Dropped{Address: room.address, Err: reason})
	}
	return c.progress()
}

// isAborted reports whether nobody waits any more for what the frame led to.
func (c *Client) isAborted(id uint32) bool {
	h := c.handshake
	waits := c.queue.entries[id] != nil || h.rejoining[id] != nil || c.locks.has(id)
	return c.queue.conn != nil && id != 0 && !waits
}

// stuck is called where nobody answers a place's locks, so that it cannot be entered. id is of the
// frame that led there, 0 where it came by itself.
func (c *Client) stuck(id uint32, place string, reason error) error {
	h := c.handshake
	switch {
	case place == "":
		// The main lobby only offers to be shown a proof.
		return nil
	case !h.entered && id == 0:
		return reason
	}
	if err := c.tellLeave(place); err != nil {
		return err
	}
	again, one := false, h.rejoining[id] != nil
	for each, room := range h.rejoining {
		if each == id || !one && room.room == place {
			again = true
			if err := c.refused(each, reason); err != nil {
				return err
			}
		}
	}
	if again || c.queue.refuse(id, reason) {
		return nil
	}
	for _, each := range c.queue.entering(place) {
		c.queue.settle(each, reason)
	}
	return nil
}

// tellLeave leaves without waiting for the answer, where a join went wrong.
func (c *Client) tellLeave(address string) error {
	frame := leaveFrame(address)
	frame.Id = c.queue.newID()
	return c.conn.push(frame)
}

// joinsEstablished is called when all that was asked at once is answered.
func (c *Client) joinsEstablished() {
	late := c.late
	c.late = nil
	for _, room := range late {
		c.returnLate(room)
	}
	url := c.byURL
	if c.byURL = nil; url == nil {
		return
	}
	if url.needed {
		ctx := c.conn.ctx
		c.tasks.Go(func() { c.refill(ctx, url) })
	}
	// A URL says no more than where; what else a stay is to be is asked for.
	if s := url.room.stay; s.replayed || s.presence {
		asked := joinQuestion(url.room.address, joining{stay: s}, false,
			func(joined *porthousev1.Joined) error {
				_, _, err := c.enter(joined, s, backlog{}, false)
				return err
			})
		asked.then = func(error) {}
		_ = c.queue.add(asked, 0)
	}
}

// returnLate joins a room again when it is its turn.
func (c *Client) returnLate(room *Room) {
	k := c.conn
	c.turns.wait(room.address, func(t *turn) {
		gone := func() bool { return c.conn != k || k.err != nil || c.rooms[room.address] != room }
		if gone() {
			c.turns.end(t)
			return
		}
		j := room.again()
		asked := joinQuestion(room.address, j, false, func(joined *porthousev1.Joined) error {
			_, _, err := c.enter(joined, j.stay, backlog{}, false)
			if err == nil {
				c.follow(room, t)
			}
			return err
		})
		asked.then = func(err error) {
			if err == nil {
				return
			}
			c.turns.end(t)
			if !gone() {
				c.guard(c.notRejoined(room, err))
			}
		}
		if err := c.queue.add(asked, 0); err != nil {
			asked.then(err)
		}
	})
}

// A refill is what the room of the URL has to ask for on a new connection.
type refill struct {
	room   *Room
	joined *porthousev1.Joined
	was    Position
	needed bool
}

// refill asks for what was missed page by page; what is live waits for it as after a Join. It is
// called without the lock.
func (c *Client) refill(ctx context.Context, r *refill) {
	for first := true; ; first = false {
		page, err := r.fetch(ctx)
		c.mu.Lock()
		gone := ctx.Err() != nil || c.conn == nil || c.conn.ctx != ctx
		over := gone
		if !gone {
			over, err = c.refilled(r, page, err, first)
			c.guard(err)
		}
		c.mu.Unlock()
		if over || err != nil {
			return
		}
	}
}

func (r *refill) fetch(ctx context.Context) (*Page, error) {
	if r.was.Epoch != r.joined.GetEpoch() {
		return nil, &Error{Code: CodeEpochChanged}
	}
	return r.room.fetch(ctx, Range{After: &r.was, Limit: pageMax})
}

// refilled takes a page, or why there is none; over: it was the last one.
func (c *Client) refilled(r *refill, page *Page, failure error, first bool) (over bool, err error) {
	room, last := r.room, r.joined.GetSequence()
	switch {
	case failure != nil:
		if err = c.begin(r, last, asError(failure, CodeUnavailable).Code); err == nil {
			err = room.arrive(last)
		}
		return true, err
	case first && page.First > r.was.Sequence+1:
		err = c.begin(r, page.First-1, CodeRetention)
	case first:
		err = c.begin(r, r.was.Sequence, 0)
	}
	for _, m := range page.Messages {
		if err == nil && m.Sequence <= last {
			err = room.course.take(m, 0)
		}
	}
	if err != nil {
		return true, err
	}
	if page.MoreAfter && len(page.Messages) > 0 {
		end := page.Messages[len(page.Messages)-1].Position()
		if of := (Range{After: &r.was}); !of.leadsTo(end) {
			return true, errorf(CodeFrameNotAllowed, "a page that leads nowhere")
		}
		if r.was = end; end.Sequence < last {
			return false, nil
		}
	}
	return true, room.arrive(last)
}

// begin has the room go on after a position, as the answer to a Join does.
func (c *Client) begin(r *refill, after uint64, code Code) error {
	joined := proto.CloneOf(r.joined)
	joined.Backlog = &porthousev1.Backlog{
		Recovered: code == 0, AfterSequence: after, Code: porthousev1.Code(code),
	}
	_, _, err := c.enter(joined, r.room.stay, backlog{}, false)
	return err
}
