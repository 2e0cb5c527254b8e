package porthouse

import (
	"fmt"
	"strings"
	"time"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A Position is a place in a room's one order. Those of different epochs have nothing to do with
// each other; epoch 0 is whichever the room has now.
type Position struct {
	Epoch, Sequence uint64
}

// A Message is a message as it arrived. What it refers to is shared by all who get it, and not to
// be changed.
type Message struct {
	// UUIDv7.
	ID string
	// The sender's address to answer to: socket:… or client:….
	From string
	// What it was sent to: room:{account}/{room}[/{channel}], socket:… or client:….
	Address string
	// Empty: the room itself, or no room.
	Channel string
	// Position in the room; 0 where it was sent to no room.
	Epoch, Sequence uint64
	// Why it comes now; empty: it is live.
	Replay Replay
	// When the gateway took it.
	Time time.Time
	// The content: in Text where it was sent as text, in Payload where it was sent as bytes.
	Text    string
	Payload []byte
	// Media type of the content.
	ContentType string
	Headers     map[string]string
	// An address to answer to, if not From.
	ReplyTo       string
	CorrelationID []byte
	// How long after Time it is worth nothing any more; 0: it does not expire.
	ExpiresAfter time.Duration
	// How it was published over MQTT; unspecified: it came by another way.
	Quality porthousev1.Quality
	// What this loop missed just before this message, or nil.
	Lost *Lost
}

// Bytes returns the content, whichever way it was sent.
func (m *Message) Bytes() []byte {
	if m.Payload != nil {
		return m.Payload
	}
	return []byte(m.Text)
}

// Position returns the message's place in its room.
func (m *Message) Position() Position { return Position{m.Epoch, m.Sequence} }

// A Replay says why a message comes now, if not because it was just sent.
type Replay string

const (
	// From the room's history.
	ReplayHistory Replay = "history"
	// From the session history of a connection that is still there.
	ReplaySession Replay = "session"
	// The last value of its channel.
	ReplayRetained Replay = "retained"
)

// Lost tells of messages that did not come.
type Lost struct {
	// The room, or what was joined; empty for direct messages.
	Address string
	// Of the positions; 0 where the gateway names none.
	Epoch uint64
	// First and last position lost; 0: not known, since it is of another epoch.
	From, To uint64
	// How many of the messages between them; 0: not known.
	Count int
	// [CodeSlowConsumer]; or, where a listener could not go on where it was, [CodeNoHistory],
	// [CodeRetention], [CodeEpochChanged] or [CodePositionUnknown].
	Code Code
}

// stampOf fails for an envelope without the gateway's stamp.
func stampOf(envelope *porthousev1.Envelope) (*porthousev1.Stamp, error) {
	if stamp := envelope.GetStamp(); len(stamp.GetId()) == 16 {
		return stamp, nil
	}
	return nil, errorf(CodeMalformedPacket, "an envelope without its stamp")
}

// readMessage reads an envelope that was sent to the room given, or to none.
func readMessage(
	envelope *porthousev1.Envelope, stamp *porthousev1.Stamp, room string, epoch uint64,
) Message {
	m := Message{
		ID:            formatUUID(stamp.GetId()),
		From:          stamp.GetFrom(),
		Address:       stamp.GetTarget(),
		Channel:       stamp.GetChannel(),
		Epoch:         stamp.GetEpoch(),
		Sequence:      stamp.GetSequence(),
		Time:          time.UnixMilli(int64(stamp.GetTimeMs())),
		Text:          envelope.GetText(),
		Payload:       envelope.GetPayload(),
		ContentType:   envelope.GetContentType(),
		Headers:       envelope.GetHeaders(),
		ReplyTo:       envelope.GetReplyTo(),
		CorrelationID: envelope.GetCorrelationId(),
		ExpiresAfter:  time.Duration(envelope.GetExpiresAfter()) * time.Second,
		Quality:       envelope.GetQuality(),
	}
	switch stamp.GetReplay() {
	case porthousev1.Replay_REPLAY_HISTORY:
		m.Replay = ReplayHistory
	case porthousev1.Replay_REPLAY_SESSION:
		m.Replay = ReplaySession
	case porthousev1.Replay_REPLAY_RETAINED:
		m.Replay = ReplayRetained
	}
	if room == "" {
		return m
	}
	m.Address = room
	if m.Channel != "" {
		m.Address += "/" + m.Channel
	}
	if m.Epoch == 0 {
		m.Epoch = epoch
	}
	return m
}

// heldBytes is what a message holds on to, near enough to bound a buffer by.
func heldBytes(envelope *porthousev1.Envelope) int {
	bytes := 512 + len(envelope.GetText()) + len(envelope.GetPayload())
	for name, value := range envelope.GetHeaders() {
		bytes += 64 + len(name) + len(value)
	}
	return bytes
}

// String names the message for a log, without its content.
func (m Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "message %s from %s to %s", m.ID, m.From, m.Address)
	if m.Sequence != 0 {
		fmt.Fprintf(&b, " at %d", m.Sequence)
	}
	return b.String()
}
