package porthouse

import (
	"context"
	"crypto/rand"
	"iter"
	"slices"
	"strconv"
	"sync"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A Client is a client of a gateway, made by [Connect].
type Client struct {
	opts options
	// What is dialled, whether that names a place, and what the gateway is called in what is signed.
	url      string
	entering bool
	gateway  string
	// In the order of preference, those for any acceptor last.
	answerers   []*answerer
	hasIdentity bool
	keyPrefix   string

	// Ends with the client. What the client has started is in tasks, and over before done is closed.
	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	opened chan struct{}
	done   chan struct{}

	mu    sync.Mutex // Guards what follows.
	kept  *kept      // Messages for first loops.
	keys  uint64
	queue queue
	// All messages, and all events.
	feed   *feed[Message]
	events *feed[Event]
	// Rooms that it is in, by address, all of one room together, and by this connection's route
	// numbers; and the one that the URL names.
	rooms    map[string]*Room
	siblings map[string][]*Room
	routes   map[uint32][]*Room
	entered  *Room
	turns    turns
	// Rooms that are joined again when it is their turn, and what the one of the URL has to ask.
	late     []*Room
	byURL    *refill
	unasked  int
	own      ownChannels
	resume   resumption
	accepted accepted
	watched  []string
	// Of the connection there is; conn is nil while away.
	conn      *conn
	handshake *handshake
	locks     *locks
	socket    string
	limits    *porthousev1.Limits
	// What is to be done when the packet that is being handled is over.
	inPacket bool
	later    []func()
	// Of the run as a whole.
	known   bool
	closing bool
	err     error
}

// Connect connects to a gateway, ws://host:port, in one round trip; a URL with a room's path enters
// that room, see [Client.Entered]. It fails with an [*Error] or the context's cause. The first
// attempt is not repeated, later ones are. The context is for connecting alone.
func Connect(ctx context.Context, address string, opts ...Option) (*Client, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	c, err := newClient(address, newOptions(opts))
	if err != nil {
		return nil, err
	}
	go c.run()
	select {
	case <-c.opened:
	case <-c.done:
	case <-ctx.Done():
		c.Close()
		return nil, context.Cause(ctx)
	}
	select {
	case <-c.opened:
		return c, nil
	default:
		return nil, c.err
	}
}

func newClient(address string, opts options) (*Client, error) {
	target, err := dialled(address)
	if err != nil {
		return nil, err
	}
	c := &Client{
		opts:      opts,
		url:       target.String(),
		entering:  target.Path != lobbyPath,
		gateway:   origin(target),
		keyPrefix: rand.Text(),
		opened:    make(chan struct{}),
		done:      make(chan struct{}),
		rooms:     map[string]*Room{},
		routes:    map[uint32][]*Room{},
		siblings:  map[string][]*Room{},
	}
	if opts.gateway != "" {
		named, err := dialled(opts.gateway)
		if err != nil {
			return nil, err
		}
		c.gateway = origin(named)
	}
	for _, each := range opts.answerers {
		a := newAnswerer(each)
		c.answerers = append(c.answerers, a)
		c.hasIdentity = c.hasIdentity || a.nominates
	}
	slices.SortStableFunc(c.answerers, func(a, b *answerer) int { return a.rank() - b.rank() })
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.queue = queue{limit: opts.queueBytes, entries: map[uint32]*question{}}
	c.kept = newKept(opts.bufferBytes)
	c.feed = newFeed(c.kept, markLost)
	c.events = newFeed[Event](newKept(opts.bufferBytes), nil)
	c.own = ownChannels{c: c, courses: map[string]*course{}}
	return c, nil
}

func markLost(m *Message, lost *Lost) { m.Lost = lost }

// Socket returns this socket's own address, socket:…; another one after a reconnection, empty
// while away.
func (c *Client) Socket() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.socket
}

// Entered returns the room that the URL named, or nil.
func (c *Client) Entered() *Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entered
}

// Messages ranges over all messages, those to this socket or client itself too, from the first
// connection on where no loop over a room's comes before; otherwise as [Room.Messages]. What is
// sent to a client while it is away is taken up again from the first call on.
func (c *Client) Messages(ctx context.Context) iter.Seq2[Message, error] {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.own.hear()
	return loop(ctx, c, c.feed)
}

// Events ranges over what happens to the client and its rooms, from its first connection on where
// this is the first such loop. The loop ends with the client, by an event [Closed].
func (c *Client) Events(ctx context.Context) iter.Seq2[Event, error] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return loop(ctx, c, c.events)
}

// loop begins a loop now, not with its first turn; what is never ranged over ends with its context.
func loop[T any](ctx context.Context, c *Client, f *feed[T]) iter.Seq2[T, error] {
	r := f.read()
	drop := func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(f.readers, r)
	}
	stop := context.AfterFunc(ctx, drop)
	return r.all(ctx, func() { stop(); drop() })
}

// Send sends bytes to one address or several; to none, to the default target of the place that the
// socket entered by. See [Room.Send].
func (c *Client) Send(
	ctx context.Context, to []string, payload []byte, opts ...SendOption,
) (*Receipt, error) {
	return c.send(ctx, content{payload: payload}, destination{to: to}, opts)
}

// SendText sends a text; otherwise as [Client.Send].
func (c *Client) SendText(
	ctx context.Context, to []string, text string, opts ...SendOption,
) (*Receipt, error) {
	return c.send(ctx, content{text: text, isText: true}, destination{to: to}, opts)
}

// Close sends what was handed over and closes. What still waits for an answer fails with
// [CodeClosed], loops over messages end. When it returns, nothing that the client has started is
// left but answerers that do not heed their context. It always returns nil.
func (c *Client) Close() error {
	c.mu.Lock()
	if !c.closing {
		c.closing = true
		if c.conn != nil {
			c.conn.close()
		}
		// A wait for the next attempt ends at once, a connection within closeWait.
		if c.conn == nil {
			c.cancel()
		}
	}
	c.mu.Unlock()
	<-c.done
	return nil
}

// newKey makes an idempotency key.
func (c *Client) newKey() string {
	c.keys++
	return c.keyPrefix + "-" + strconv.FormatUint(c.keys, 36)
}
