package porthouse

import (
	"context"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A SendOption is one of the options of Send and SendText.
type SendOption func(*sending)

type sending struct {
	c        *Client
	level    Level
	key      string
	as       string
	channel  *string
	retain   bool
	retry    time.Duration
	expires  time.Duration
	pending  *Pending
	where    destination
	envelope *porthousev1.Envelope
	// The socket that it was handed to first, and until when it is sent again.
	socket string
	until  time.Time
}

// WithLevel sets how far the message must have come. Default [LevelRouted].
func WithLevel(level Level) SendOption { return func(s *sending) { s.level = level } }

// WithKey sets the idempotency key: messages with the same key to the same destination are sent
// once within the gateway's window; the others get [StatusDuplicate]. Default: one made for this
// message, which makes it safe to send again after a reconnection.
func WithKey(key string) SendOption { return func(s *sending) { s.key = key } }

// WithHeader adds a header.
func WithHeader(name, value string) SendOption {
	return func(s *sending) {
		if s.envelope.Headers == nil {
			s.envelope.Headers = map[string]string{}
		}
		s.envelope.Headers[name] = value
	}
}

// WithContentType sets the media type of the content.
func WithContentType(mediaType string) SendOption {
	return func(s *sending) { s.envelope.ContentType = mediaType }
}

// WithReplyTo sets an address to answer to, if not your own.
func WithReplyTo(address string) SendOption {
	return func(s *sending) { s.envelope.ReplyTo = address }
}

// WithCorrelationID ties an answer to its question.
func WithCorrelationID(id []byte) SendOption {
	return func(s *sending) { s.envelope.CorrelationId = id }
}

// WithRetain keeps the message as the last value of its channel, where the room keeps those that
// ask for it.
func WithRetain() SendOption { return func(s *sending) { s.retain = true } }

// WithExpiry has what still waits or is kept so long after the gateway has taken it not be
// delivered; a begun second counts. Default: it does not expire.
func WithExpiry(after time.Duration) SendOption { return func(s *sending) { s.expires = after } }

// WithRetry has a message that is refused for now, or of which the gateway does not know yet
// whether it is stored, sent again for so long, under the same key and with backoff; what was sent
// after it may then come before it. 0: not at all, the default but at [LevelStored], where it is
// 30 s.
func WithRetry(during time.Duration) SendOption { return func(s *sending) { s.retry = during } }

// WithIdentity says which of the clients and tokens that this socket is sends it. Default: the
// first that may.
func WithIdentity(address string) SendOption { return func(s *sending) { s.as = address } }

// WithPending has the send return nil at once, when the message is handed over, and p tell what
// became of it. Messages are sent in the order in which they are handed over; so one goroutine may
// have many on their way. The send's context is for all of the way.
func WithPending(p *Pending) SendOption { return func(s *sending) { s.pending = p } }

// OnChannel sends to a channel of the room, or with "" to the room itself. Default: what was
// joined, if that is one channel, else the room itself. It means something to a [Room] only.
func OnChannel(channel string) SendOption { return func(s *sending) { s.channel = &channel } }

type content struct {
	payload []byte
	text    string
	isText  bool
}

// A destination is a room, or addresses.
type destination struct {
	room *Room
	to   []string
}

const retryStored = 30 * time.Second

func (c *Client) send(
	ctx context.Context, what content, where destination, opts []SendOption,
) (*Receipt, error) {
	s := sending{c: c, level: LevelRouted, retry: -1, where: where}
	s.envelope = &porthousev1.Envelope{}
	for _, option := range opts {
		option(&s)
	}
	if err := s.fill(what); err != nil {
		return nil, err
	}
	if s.retry < 0 && s.level == LevelStored {
		s.retry = retryStored
	}
	if s.retry < 0 || s.level == LevelNone {
		s.retry = 0
	}
	c.mu.Lock()
	s.socket = c.socket
	// The gateway knows keys by client or token; without, a new socket's key is not the old one's.
	if s.key == "" && (c.hasIdentity && s.level != LevelNone || s.retry > 0) {
		s.key = c.newKey()
	}
	c.mu.Unlock()
	s.until = time.Now().Add(s.retry)
	wait, err := s.start(ctx)
	switch {
	case err != nil:
		return nil, err
	case s.pending == nil:
		return s.finish(ctx, wait)
	}
	s.pending.done = make(chan struct{})
	go func() {
		defer close(s.pending.done)
		s.pending.receipt, s.pending.err = s.finish(ctx, wait)
	}()
	return nil, nil
}

// finish waits for the receipt, and sends again what is refused for now while there is time.
func (s *sending) finish(ctx context.Context, wait func() (*Receipt, error)) (*Receipt, error) {
	delays := backoff{base: 100 * time.Millisecond, limit: 5 * time.Second}
	for {
		receipt, err := wait()
		reason := asError(err, CodeInternal)
		if err == nil || reason.Receipt == nil || !reason.Temporary() {
			return receipt, err
		}
		delay := delays.next()
		if time.Now().Add(delay).After(s.until) {
			return nil, err
		}
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-s.c.done:
			timer.Stop()
			// Nothing more is known than what was said.
			return nil, err
		case <-ctx.Done():
			timer.Stop()
			return nil, context.Cause(ctx)
		}
		if reason.Code == CodeUncertain && !s.c.hasIdentity && s.c.Socket() != s.socket {
			return nil, err
		}
		if wait, err = s.start(ctx); err != nil {
			return nil, err
		}
	}
}

// A Pending is a message on its way, one at a time; see [WithPending].
type Pending struct {
	done    chan struct{}
	receipt *Receipt
	err     error
}

// Receipt waits for what Send would have returned. The message goes on where the context ends.
func (p *Pending) Receipt(ctx context.Context) (*Receipt, error) {
	select {
	case <-p.done:
		return p.receipt, p.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (s *sending) fill(what content) error {
	if s.pending != nil {
		// They may wait, and are the caller's to change.
		what.payload = slices.Clone(what.payload)
		s.envelope.CorrelationId = slices.Clone(s.envelope.CorrelationId)
	}
	if what.isText {
		if !utf8.ValidString(what.text) {
			return errorf(CodeInvalidUTF8, "a text that is not UTF-8")
		}
		s.envelope.Content = &porthousev1.Envelope_Text{Text: what.text}
	} else {
		s.envelope.Content = &porthousev1.Envelope_Payload{Payload: what.payload}
	}
	seconds := math.Ceil(s.expires.Seconds())
	if s.expires < 0 || seconds > math.MaxUint32 {
		return errorf(CodeArgumentInvalid, "an expiry of %v", s.expires)
	}
	s.envelope.ExpiresAfter = uint32(seconds)
	return nil
}

// start hands the message over.
func (s *sending) start(ctx context.Context) (wait func() (*Receipt, error), err error) {
	var receipt *Receipt
	answered, err := s.c.start(ctx, &question{
		bytes: contentBytes(s.envelope) + headerBytes(s.envelope) + 256,
		// Without a key the gateway cannot know one that has arrived.
		repeatable: s.c.hasIdentity && s.key != "",
		silent:     s.level == LevelNone,
		encode:     s.encode,
		read: func(frame *porthousev1.Frame) (bool, error) {
			wire := frame.GetReceipt()
			if wire == nil {
				return false, nil
			}
			receipt = readReceipt(wire)
			switch {
			case receipt == nil:
				return true, errorf(CodeUnknown, "a receipt of unknown status")
			case receipt.Status == StatusRejected:
				return true, receiptError(wire)
			}
			return true, nil
		},
	})
	if err != nil {
		return nil, err
	}
	return func() (*Receipt, error) {
		if err := answered(); err != nil {
			return nil, err
		}
		return receipt, nil
	}, nil
}

// encode is called with the client's lock held.
func (s *sending) encode() (*porthousev1.Frame, error) {
	routing := &porthousev1.Routing{
		Receipt:        porthousev1.ReceiptLevel(s.level),
		IdempotencyKey: s.key,
		Acting:         s.as,
		Retain:         s.retain,
	}
	if err := s.where.fill(routing, s.channel); err != nil {
		return nil, err
	}
	s.envelope.Routing = routing
	if err := checkLimits(s.envelope, s.c.limits); err != nil {
		return nil, err
	}
	return &porthousev1.Frame{Body: &porthousev1.Frame_Envelope{Envelope: s.envelope}}, nil
}

// receiptError is what a REJECTED says.
func receiptError(wire *porthousev1.Receipt) *Error {
	receipt := readReceipt(wire)
	if receipt == nil {
		receipt = &Receipt{}
	}
	return &Error{Code: wireCode(wire.GetCode()), Detail: wire.GetDetail(), Receipt: receipt}
}

// fill says where to, as it is known when the message is handed over.
func (d destination) fill(routing *porthousev1.Routing, channel *string) error {
	if d.room == nil {
		for _, address := range d.to {
			routing.To = append(routing.To, fullAddress(address))
		}
		return nil
	}
	if d.room.err != nil {
		return d.room.err
	}
	on := d.room.channel
	if isFilter(on) {
		on = ""
	}
	if channel != nil {
		on = *channel
	}
	if d.room.present && d.room.route() != 0 {
		routing.Route, routing.Channel = d.room.route(), on
		return nil
	}
	address := d.room.room
	if on != "" {
		address += "/" + on
	}
	routing.To = []string{address}
	return nil
}

func contentBytes(envelope *porthousev1.Envelope) int {
	return len(envelope.GetText()) + len(envelope.GetPayload())
}

func headerBytes(envelope *porthousev1.Envelope) int {
	bytes := 0
	for name, value := range envelope.GetHeaders() {
		bytes += len(name) + len(value)
	}
	return bytes
}

// checkLimits refuses here, where it ends one send, what the gateway may end the connection for. A
// bound that was not told is none.
func checkLimits(envelope *porthousev1.Envelope, limits *porthousev1.Limits) error {
	over := func(size int, most uint32) bool { return most > 0 && size > int(most) }
	content := contentBytes(envelope)
	switch {
	case over(content, limits.GetPayloadBytes()):
		return errorf(CodePayloadTooLarge,
			"%d bytes, the gateway takes %d", content, limits.GetPayloadBytes())
	case over(len(envelope.GetHeaders()), limits.GetHeaders()),
		over(headerBytes(envelope), limits.GetHeadersBytes()):
		return errorf(CodeHeadersTooLarge, "the gateway takes %d headers of %d bytes",
			limits.GetHeaders(), limits.GetHeadersBytes())
	case over(len(envelope.GetRouting().GetTo()), limits.GetDestinations()):
		return errorf(CodeTooManyDestinations, "the gateway takes %d", limits.GetDestinations())
	}
	return nil
}
