package porthouse

import (
	"context"
	"iter"
	"slices"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A Room is a room that the client is in, or a channel of one. It stays good across reconnections.
type Room struct {
	c *Client
	// What was joined, and its parts.
	address, room, channel string
	feed                   *feed[Message]
	course                 course
	reading                reading

	// Guarded by the client's lock, as is what the fields above refer to.
	joined *porthousev1.Joined
	stay   stay
	// On this connection it is in, so that its route is good.
	present bool
	// Closed when what was asked for of the past has come.
	caught chan struct{}
	// While it catches up.
	turn *turn
	err  error
}

// A stay is what being in a room asks for; another one in the same room may ask for more.
type stay struct {
	listening, replayed, presence bool
}

// within reports whether what is there does what is asked for.
func (s stay) within(there stay) bool {
	return (!s.listening || there.listening) && (!s.replayed || there.replayed) &&
		(!s.presence || there.presence)
}

func (s stay) and(other stay) stay {
	return stay{
		listening: s.listening || other.listening,
		replayed:  s.replayed || other.replayed,
		presence:  s.presence || other.presence,
	}
}

func newRoom(c *Client, joined *porthousev1.Joined) *Room {
	r := &Room{c: c, address: joined.GetAddress(), joined: joined}
	r.room, r.channel = splitRoom(r.address)
	r.feed = newFeed(c.kept, markLost)
	r.feed.address = r.address
	r.course.deliver = func(m Message, bytes int) {
		r.feed.push(m, bytes)
		c.heardBy(r, m, bytes)
	}
	r.caught = make(chan struct{})
	close(r.caught)
	return r
}

// Address returns what was joined, as slugs: room:{account}/{room}[/{channel}].
func (r *Room) Address() string { return r.address }

// Listening reports whether its messages are heard; false where it was joined to send only.
func (r *Room) Listening() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.stay.listening
}

// MaySend reports whether the client may send there.
func (r *Room) MaySend() bool {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.joined.GetMaySend()
}

// Revision returns that of the room's config.
func (r *Room) Revision() uint32 {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.joined.GetRevision()
}

// Position returns that of the last message heard, or of what came before the first; false where
// the room hears nothing.
func (r *Room) Position() (Position, bool) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.course.at, r.course.begun
}

// CaughtUp waits until what was asked for of the past, by the join or the last reconnection, has
// come. It fails where the room is left before.
func (r *Room) CaughtUp(ctx context.Context) error {
	r.c.mu.Lock()
	caught, err := r.caught, r.err
	r.c.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-caught:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.err
}

// Send sends bytes to the room, and returns the receipt at the level asked for; at [LevelNone] it
// returns nil once the message is in the socket. A message that was rejected is an [*Error] with
// its receipt. Where the context ends first, the message may arrive all the same.
func (r *Room) Send(ctx context.Context, payload []byte, opts ...SendOption) (*Receipt, error) {
	return r.c.send(ctx, content{payload: payload}, destination{room: r}, opts)
}

// SendText sends a text; otherwise as [Room.Send].
func (r *Room) SendText(ctx context.Context, text string, opts ...SendOption) (*Receipt, error) {
	return r.c.send(ctx, content{text: text, isText: true}, destination{room: r}, opts)
}

// Messages ranges over the room's messages, those of the past that the join asked for among them:
// the first loop from the join on, later ones from the call on. Each has a buffer of its own; see
// [WithBufferBytes]. A loop ends without an error where the room is left or the client closed by
// you. It can be ranged over once; one that never is takes up its buffer until its context ends.
func (r *Room) Messages(ctx context.Context) iter.Seq2[Message, error] {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	// The application reads by rooms.
	r.c.feed.forget()
	return loop(ctx, r.c, r.feed)
}

// Leave returns when the gateway has let go. Leaving a room ends its channels too.
func (r *Room) Leave(ctx context.Context) error {
	r.c.mu.Lock()
	gone := r.err != nil
	r.c.leave(r.address, nil)
	// Away, there is nothing to leave: it is not joined again.
	away := r.c.queue.conn == nil
	r.c.mu.Unlock()
	if gone || away {
		return nil
	}
	err := r.c.ask(ctx, &question{
		bytes:  len(r.address) + 64,
		encode: always(leaveFrame(r.address)),
		read: func(frame *porthousev1.Frame) (bool, error) {
			return frame.GetRoom().GetLeft() != nil, nil
		},
	})
	// A connection that ends, or a client that closes, leaves as well.
	if code := asError(err, 0).Code; err != nil && (code == CodeClosed || code == CodeUnavailable) {
		return nil
	}
	return err
}

func leaveFrame(address string) *porthousev1.Frame {
	leave := &porthousev1.Leave{Address: address}
	return roomFrame(&porthousev1.Room{Action: &porthousev1.Room_Leave{Leave: leave}})
}

// What follows is called with the client's lock held.

func (r *Room) route() uint32 { return r.joined.GetRoute() }

func (r *Room) hears(channel string) bool {
	return r.stay.listening && hears(r.channel, channel)
}

// has reports whether it has heard a message.
func (r *Room) has(m *Message) bool { return r.hears(m.Channel) && r.course.has(m) }

// enter is called where it is joined, for the first time or again, in this connection or a new
// one; asked is what the application asked for of the past. It returns what the listener missed;
// with later, the answer to what is yet to be asked tells that.
func (r *Room) enter(joined *porthousev1.Joined, s stay, asked backlog, later bool) (*Lost, error) {
	isNew := !r.present || !r.stay.listening
	r.present, r.joined, r.stay = true, joined, r.stay.and(s)
	if !r.stay.listening {
		return nil, nil
	}
	// What comes unasked while it listens tells of its rights, or that positions begin anew.
	if !isNew && joined.GetBacklog() == nil {
		r.course.renew(joined)
		return nil, nil
	}
	if later {
		r.course.wait()
		r.c.expectPast(&r.course)
		return nil, nil
	}
	if asked.kind == sinceUnread && joined.GetBacklog() != nil {
		r.reading.is(joined.GetBacklog().GetAfterSequence())
	}
	lost, err := r.course.begin(joined, asked.kind, asked.position)
	if err != nil {
		return nil, err
	}
	r.arrived()
	r.c.expectPast(&r.course)
	if r.course.catchingUp {
		r.caught = make(chan struct{})
	}
	if lost != nil {
		lost.Address = r.address
		r.feed.miss(*lost)
	}
	return lost, nil
}

// arrive is called when what was asked for of the past has come.
func (r *Room) arrive(sequence uint64) error {
	if !r.course.catchingUp {
		return nil
	}
	if err := r.course.caughtUp(sequence); err != nil {
		return err
	}
	r.arrived()
	r.c.emit(CaughtUp{Room: r, Position: Position{r.joined.GetEpoch(), sequence}})
	r.c.turns.end(r.turn)
	return nil
}

func (r *Room) arrived() {
	select {
	case <-r.caught:
	default:
		close(r.caught)
	}
}

// away is called when the connection that knew its route is gone.
func (r *Room) away() {
	r.present = false
	r.course.away()
	// What is sent to a client comes before it is asked for.
	if isClient(r.address) && r.course.begun {
		r.course.wait()
	}
}

// end is called when the room is left; err is nil where the application did that.
func (r *Room) end(err error) {
	if r.err != nil {
		return
	}
	r.err = err
	if err == nil {
		r.err = errorf(CodeClosed, "the room was left")
	}
	r.feed.end(err)
	r.arrived()
	r.c.turns.end(r.turn)
}

// leave ends the room or channel, and with a room its channels. It reports whether it was known.
func (c *Client) leave(address string, err error) bool {
	whole, _ := splitRoom(address)
	known := false
	for _, room := range c.rooms {
		if room.address != address && (address != whole || room.room != whole) {
			continue
		}
		known = true
		delete(c.rooms, room.address)
		remove(c.siblings, room.room, room)
		remove(c.routes, room.route(), room)
		room.end(err)
		room.feed.forget()
	}
	return known
}

func remove[K comparable](from map[K][]*Room, key K, room *Room) {
	from[key] = slices.DeleteFunc(from[key], func(each *Room) bool { return each == room })
	if len(from[key]) == 0 {
		delete(from, key)
	}
}
