package porthouse

import (
	"context"
	"slices"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A JoinOption is one of the options of [Client.Join].
type JoinOption func(*joining)

type joining struct {
	stay    stay
	backlog backlog
}

// backlog is what of a room's past comes before what is live.
type backlog struct {
	kind     since
	position Position
	last     uint32
}

// SendOnly enters to send, without listening.
func SendOnly() JoinOption { return func(j *joining) { j.stay.listening = false } }

// SinceStart has all that the room keeps come before what is live, without a gap or a double
// between them; see [Room.CaughtUp].
func SinceStart() JoinOption { return func(j *joining) { j.backlog = backlog{kind: sinceStart} } }

// Since has all after a position come first, such as that of the last message seen.
func Since(after Position) JoinOption {
	return func(j *joining) { j.backlog = backlog{kind: sincePosition, position: after} }
}

// SinceUnread has all after the client's cursor in the room come first.
func SinceUnread() JoinOption { return func(j *joining) { j.backlog = backlog{kind: sinceUnread} } }

// SinceLast has the last so many come first, at most 10,000.
func SinceLast(count uint32) JoinOption {
	return func(j *joining) { j.backlog = backlog{kind: sinceLast, last: count} }
}

// WithReplay has what this client sends there replayed to newcomers as long as it is connected,
// where the room keeps session histories.
func WithReplay() JoinOption { return func(j *joining) { j.stay.replayed = true } }

// WithPresence has members that come and go told, as the event [Presence].
func WithPresence() JoinOption { return func(j *joining) { j.stay.presence = true } }

// Join enters a room, room:{account}/{room}, to hear it and all its channels; with /{channel} that
// one alone, where * stands for one level and a last ** for all below. The room: may be left out.
// lobby:{account} is an account's lobby, which echoes. A room that was joined already is given
// again, and its past cannot be asked for by a join any more. While away, it waits for the
// reconnection.
func (c *Client) Join(ctx context.Context, address string, opts ...JoinOption) (*Room, error) {
	j := joining{stay: stay{listening: true}}
	for _, option := range opts {
		option(&j)
	}
	full := fullAddress(address)
	past := j.backlog.kind != sinceNow
	if past && !j.stay.listening {
		return nil, errorf(CodeArgumentInvalid, "who only sends has no past to hear")
	}
	c.mu.Lock()
	known := c.rooms[full]
	c.mu.Unlock()
	if known != nil && known.Listening() && past {
		return nil, errorf(CodeArgumentInvalid, "%s is joined already", full)
	}
	if known != nil && j.stay.within(known.staying()) {
		return known, nil
	}
	var t *turn
	if past {
		var err error
		if t, err = c.takeTurn(ctx, full); err != nil {
			return nil, err
		}
	}
	var room *Room
	err := c.ask(ctx, joinQuestion(full, j, true, func(joined *porthousev1.Joined) (err error) {
		if room, _, err = c.enter(joined, j.stay, j.backlog, false); err == nil {
			c.follow(room, t)
		}
		return err
	}))
	if err != nil {
		c.mu.Lock()
		c.turns.end(t)
		c.mu.Unlock()
		return nil, err
	}
	return room, nil
}

func (r *Room) staying() stay {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.stay
}

func (c *Client) takeTurn(ctx context.Context, address string) (*turn, error) {
	taken := make(chan *turn, 1)
	c.mu.Lock()
	c.turns.wait(address, func(t *turn) { taken <- t })
	c.mu.Unlock()
	select {
	case t := <-taken:
		return t, nil
	case <-c.done:
		return nil, c.err
	case <-ctx.Done():
		go func() {
			// It still comes, and is for others then.
			select {
			case t := <-taken:
				c.mu.Lock()
				defer c.mu.Unlock()
				c.turns.end(t)
			case <-c.done:
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// joinQuestion asks to enter a place; enter is called with the answer before what follows it is
// handled.
func joinQuestion(
	address string, j joining, repeatable bool, enter func(*porthousev1.Joined) error,
) *question {
	place, _ := splitRoom(address)
	return &question{
		bytes:      len(address) + 64,
		repeatable: repeatable,
		place:      place,
		encode:     always(joinFrame(address, j)),
		read: func(frame *porthousev1.Frame) (bool, error) {
			joined := frame.GetRoom().GetJoined()
			if joined == nil {
				return false, nil
			}
			return true, enter(joined)
		},
	}
}

func joinFrame(address string, j joining) *porthousev1.Frame {
	join := &porthousev1.Join{
		Address:  address,
		SendOnly: !j.stay.listening,
		Replayed: j.stay.replayed,
		Presence: j.stay.presence,
	}
	switch j.backlog.kind {
	case sinceStart:
		join.Backlog = &porthousev1.Join_After{After: &porthousev1.Position{}}
	case sincePosition:
		join.Backlog = &porthousev1.Join_After{After: wirePosition(j.backlog.position)}
	case sinceUnread:
		join.Backlog = &porthousev1.Join_Unread{Unread: true}
	case sinceLast:
		join.Backlog = &porthousev1.Join_Last{Last: j.backlog.last}
	}
	return roomFrame(&porthousev1.Room{Action: &porthousev1.Room_Join{Join: join}})
}

func wirePosition(p Position) *porthousev1.Position {
	return &porthousev1.Position{Epoch: p.Epoch, Sequence: p.Sequence}
}

// again is what a room asks for on a new connection: all after where its listener was.
func (r *Room) again() joining {
	j := joining{stay: r.stay}
	if r.stay.listening && r.course.begun {
		j.backlog = backlog{kind: sincePosition, position: r.course.at}
	}
	return j
}

// follow has others that would hear the same wait until the room has caught up.
func (c *Client) follow(room *Room, t *turn) {
	if t != nil && room.course.catchingUp {
		room.turn = t
	} else {
		c.turns.end(t)
	}
}

// A turn is somebody who catches up.
type turn struct{ address string }

// turns is who of a room's listeners may catch up at the same time. The gateway says what is of
// the past, but not for which of them; so those that may hear the same message take turns.
type turns struct {
	active  []*turn
	waiting []waiter
}

type waiter struct {
	address string
	proceed func(*turn)
}

// take returns nil where it is another one's turn.
func (ts *turns) take(address string) *turn {
	for _, other := range ts.active {
		if overlap(address, other.address) {
			return nil
		}
	}
	t := &turn{address}
	ts.active = append(ts.active, t)
	return t
}

// wait has proceed called when it is its turn.
func (ts *turns) wait(address string, proceed func(*turn)) {
	if t := ts.take(address); t != nil {
		proceed(t)
	} else {
		ts.waiting = append(ts.waiting, waiter{address, proceed})
	}
}

// end is called with a turn that is over, or with nil.
func (ts *turns) end(t *turn) {
	if i := slices.Index(ts.active, t); t != nil && i >= 0 {
		ts.active = slices.Delete(ts.active, i, i+1)
		ts.proceed()
	}
}

// clear is called when the connection on which they catch up is gone.
func (ts *turns) clear() {
	ts.active = nil
	ts.proceed()
}

func (ts *turns) proceed() {
	waiting := ts.waiting
	ts.waiting = nil
	for _, each := range waiting {
		ts.wait(each.address, each.proceed)
	}
}

func overlap(one, other string) bool {
	if one == other {
		return true
	}
	room, channel := splitRoom(one)
	otherRoom, otherChannel := splitRoom(other)
	return room == otherRoom && !(isOne(channel) && isOne(otherChannel))
}

// isOne reports whether it is a single channel, of which no other single one hears anything.
func isOne(channel string) bool { return channel != "" && !isFilter(channel) }
