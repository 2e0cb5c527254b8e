package porthouse

import (
	"time"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// since says what of a room's past comes before what is live.
type since int

const (
	sinceNow since = iota
	sinceStart
	sincePosition
	sinceUnread
	sinceLast
)

// pastWait is how long what was promised of the past may take to come on, so that what is live does
// not wait for ever.
const pastWait = time.Minute

// heldMax bounds what is live and waits for what was before it.
const heldMax = 16 << 20

// A course is how far one listener is in one order of messages, over all its connections, so that
// each message is delivered once (R43): positions rise, what does not rise is known already.
type course struct {
	deliver func(Message, int)
	// Of the last message delivered, or of what it began after; begun is false before that.
	at    Position
	begun bool
	// All that was to be heard after from, up to at, was delivered. All up to floor was delivered, or
	// told as missed, before the connection there is now.
	from, floor uint64
	// What is live waits here while it catches up.
	catchingUp bool
	held       []heldMessage
	heldBytes  int
	// Looks whether what was promised comes.
	watch *time.Timer
}

type heldMessage struct {
	message Message
	bytes   int
}

// has reports whether it has delivered a message that it is to hear.
func (c *course) has(m *Message) bool {
	return c.begun && m.Epoch == c.at.Epoch && m.Sequence > c.from && m.Sequence <= c.at.Sequence
}

// begin is called where listening begins: what the application asked for, by kind and position,
// or sinceNow to go on where it ended. It returns what was missed, or nil.
func (c *course) begin(joined *porthousev1.Joined, kind since, asked Position) (*Lost, error) {
	before, known := c.at, c.begun
	switch kind {
	case sinceNow:
	case sincePosition:
		before, known = asked, true
		if before.Epoch == 0 {
			before.Epoch = joined.GetEpoch()
		}
	default:
		before, known = Position{}, false
	}
	backlog := joined.GetBacklog()
	replays := backlog != nil && (backlog.Recovered || Code(backlog.Code) != CodeNoHistory)
	start := joined.GetSequence()
	if replays {
		start = backlog.AfterSequence
	}
	same := known && before.Epoch == joined.GetEpoch()
	goesOn := same && (before.Sequence == start || backlog.GetRecovered())
	again := same && kind == sinceNow
	c.floor = 0
	if again {
		c.floor = before.Sequence
	}
	if !goesOn || !again {
		c.from = start
	}
	if !goesOn || !again || start > before.Sequence {
		c.at, c.begun = Position{joined.GetEpoch(), start}, true
	}
	if replays {
		c.catchingUp = true
	} else if err := c.caughtUp(0); err != nil {
		return nil, err
	}
	if backlog.GetRecovered() || goesOn || (!known && backlog == nil) {
		return nil, nil
	}
	// Whoever wants all that is kept misses nothing, unless nothing ever is.
	if kind == sinceStart && replays {
		return nil, nil
	}
	return missed(joined, before, known, same, start), nil
}

func missed(joined *porthousev1.Joined, before Position, known, same bool, start uint64) *Lost {
	lost := &Lost{Epoch: joined.GetEpoch(), Code: CodeEpochChanged}
	if known {
		lost.Epoch, lost.From = before.Epoch, before.Sequence+1
	}
	if same || !known {
		lost.To = start
	}
	if code := joined.GetBacklog().GetCode(); code != 0 {
		lost.Code = wireCode(code)
	} else if same {
		lost.Code = CodeNoHistory
	}
	return lost
}

// renew is called where positions begin anew and nothing was missed.
func (c *course) renew(joined *porthousev1.Joined) {
	if !c.begun || c.at.Epoch == joined.GetEpoch() {
		return
	}
	c.at = Position{joined.GetEpoch(), joined.GetSequence()}
	c.from, c.floor = joined.GetSequence(), 0
}

// wait has what is live wait for what is to be asked for.
func (c *course) wait() { c.catchingUp = true }

// caughtUp is called when what was asked for has come, up to a position.
func (c *course) caughtUp(sequence uint64) error {
	if !c.catchingUp {
		return nil
	}
	held := c.held
	c.away()
	// First what waited: of a client's own channel some of it is not in the history as well.
	for _, each := range held {
		if err := c.take(each.message, each.bytes); err != nil {
			return err
		}
	}
	if c.begun && sequence > c.at.Sequence {
		c.at.Sequence = sequence
	}
	return nil
}

// away is called when the connection is gone; what was held comes again.
func (c *course) away() {
	c.catchingUp, c.held, c.heldBytes = false, nil, 0
	if c.watch != nil {
		c.watch.Stop()
	}
}

// take delivers what is new. It fails where more is live than can wait.
func (c *course) take(m Message, bytes int) error {
	switch {
	case m.Sequence == 0:
		c.deliver(m, bytes)
		return nil
	case m.Replay == ReplaySession || m.Replay == ReplayRetained:
		// What lies after the start comes in its turn; of the rest, what came before is known.
		same := c.begun && m.Epoch == c.at.Epoch
		if !same || (m.Sequence > c.floor && m.Sequence <= c.from) {
			c.deliver(m, bytes)
		}
		return nil
	case m.Replay == ReplayHistory && !c.catchingUp:
		// History that was not asked for is another listener's.
		return nil
	case m.Replay == "" && c.catchingUp:
		if c.heldBytes += bytes; c.heldBytes > heldMax {
			return errorf(CodeSlowConsumer, "more than %d bytes came before what was asked for", heldMax)
		}
		c.held = append(c.held, heldMessage{m, bytes})
		return nil
	}
	if c.begun && c.at.Epoch == m.Epoch {
		if m.Sequence <= c.at.Sequence {
			return nil
		}
	} else {
		c.from, c.floor = m.Sequence-1, 0
	}
	c.at, c.begun = m.Position(), true
	c.deliver(m, bytes)
	return nil
}
