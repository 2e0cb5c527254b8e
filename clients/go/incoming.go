package porthouse

import (
	"fmt"
	"strings"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Above this backlog, whoever floods the client with questions gets no more answers.
const replyMax = 1 << 20

// take takes a frame that came in: an answer to a question, or a push to whom it concerns. An error
// ends the connection.
func (c *Client) take(frame *porthousev1.Frame) error {
	if err := c.observe(frame.GetLockStep()); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// After a Drop nothing counts, nor after our own close.
	if c.conn.err != nil {
		return nil
	}
	c.inPacket = true
	switch body := frame.Body.(type) {
	case *porthousev1.Frame_Welcome:
		if frame.GetId() != c.handshake.helloID || c.handshake.welcomed {
			return errorf(CodeFrameNotAllowed, "a Welcome that answers no Hello")
		}
		return c.welcome(body.Welcome)
	case *porthousev1.Frame_LockStep:
		return c.takeLockStep(frame, body.LockStep)
	case *porthousev1.Frame_Envelope:
		if frame.GetId() != 0 {
			c.queue.takePart(frame.GetId(), body.Envelope)
			return nil
		}
		return c.takeEnvelope(body.Envelope)
	case *porthousev1.Frame_Receipt:
		return c.takeReceipt(frame, body.Receipt)
	case *porthousev1.Frame_Room:
		return c.takeRoom(frame, body.Room)
	case *porthousev1.Frame_Drop:
		return c.takeDrop(frame, body.Drop)
	case *porthousev1.Frame_Command:
		return c.takeCommand(frame, body.Command)
	case *porthousev1.Frame_Event:
		c.emit(Told{body.Event})
		return nil
	case *porthousev1.Frame_Resume:
		c.resume.keep(body.Resume)
		return nil
	case *porthousev1.Frame_Hello:
		return notForClient(frame)
	}
	return c.unknown(frame)
}

// packetOver is called at the end of each packet: what waited for the rest of it is done.
func (c *Client) packetOver() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inPacket = false
	for len(c.later) > 0 && c.conn.err == nil {
		next := c.later[0]
		c.later = c.later[1:]
		next()
	}
	c.later = nil
}

// afterPacket does something once the packet that is being handled is over, or else at once.
func (c *Client) afterPacket(f func()) {
	if c.inPacket {
		c.later = append(c.later, f)
	} else {
		f()
	}
}

// observe shows a step of a lock before anything comes of it.
func (c *Client) observe(step *porthousev1.LockStep) error {
	challenge, verdict := step.GetChallenge(), step.GetVerdict()
	if challenge != nil {
		if err := checkChallenge(step.GetLock(), challenge); err != nil {
			return err
		}
	}
	if f := c.opts.onStep; f != nil && (challenge != nil || verdict != nil) {
		f(Step{Lock: step.GetLock(), Challenge: challenge, Verdict: verdict})
	}
	return nil
}

func (c *Client) takeLockStep(frame *porthousev1.Frame, step *porthousev1.LockStep) error {
	id, lock := frame.GetId(), step.GetLock()
	switch body := step.Step.(type) {
	case *porthousev1.LockStep_Challenge:
		place := body.Challenge.GetPlace()
		if place != "" && c.isAborted(id) {
			// The join that led to it was aborted, so there is nothing to enter any more.
			return c.tellLeave(place)
		}
		return c.locks.challenge(id, lock, body.Challenge)
	case *porthousev1.LockStep_Verdict:
		c.own.proved(body.Verdict.GetValues()["client"])
		return c.locks.verdict(id, lock, body.Verdict)
	case *porthousev1.LockStep_Answer:
		return notForClient(frame)
	}
	return c.unknown(frame)
}

func (c *Client) takeRoom(frame *porthousev1.Frame, room *porthousev1.Room) error {
	switch body := room.Action.(type) {
	case *porthousev1.Room_Joined:
		if c.queue.entries[frame.GetId()] != nil {
			return c.answered(frame)
		}
		return c.joined(frame.GetId(), body.Joined)
	case *porthousev1.Room_Left:
		if frame.GetId() != 0 {
			return c.answered(frame)
		}
		err := &Error{Code: wireCode(body.Left.GetCode()), Detail: body.Left.GetDetail()}
		if c.leave(body.Left.GetAddress(), err) {
			c.emit(Dropped{Address: body.Left.GetAddress(), Err: err})
		}
		return nil
	case *porthousev1.Room_Lost:
		c.takeLost(body.Lost)
		return nil
	case *porthousev1.Room_CaughtUp:
		return c.caughtUp(body.CaughtUp)
	case *porthousev1.Room_Fetched, *porthousev1.Room_Members:
		return c.answered(frame)
	case *porthousev1.Room_Cursor:
		if frame.GetId() != 0 {
			return c.answered(frame)
		}
		c.cursorMoved(body.Cursor)
		return nil
	case *porthousev1.Room_Presence:
		c.presence(body.Presence)
		return nil
	case *porthousev1.Room_Changed:
		c.changed(body.Changed)
		return nil
	case nil:
		return c.unknown(frame)
	}
	return notForClient(frame)
}

func (c *Client) takeCommand(frame *porthousev1.Frame, command *porthousev1.Command) error {
	switch command.Action.(type) {
	case *porthousev1.Command_Sockets, *porthousev1.Command_Rooms, *porthousev1.Command_Clients,
		*porthousev1.Command_Unread, *porthousev1.Command_Stats_, *porthousev1.Command_Done:
		return c.answered(frame)
	case nil:
		return c.unknown(frame)
	}
	return notForClient(frame)
}

func (c *Client) takeDrop(frame *porthousev1.Frame, drop *porthousev1.Drop) error {
	id, err := frame.GetId(), dropError(drop)
	switch {
	case id == 0:
		c.conn.dropped(err)
		c.away()
		c.emit(Dropped{Err: err})
		return nil
	case id == c.handshake.helloID:
		return err
	case c.locks.has(id):
		return c.locks.refused(id, err)
	case c.handshake.rejoining[id] != nil:
		return c.refused(id, err)
	}
	return c.answered(frame)
}

func (c *Client) takeReceipt(frame *porthousev1.Frame, receipt *porthousev1.Receipt) error {
	id := frame.GetId()
	if id == 0 {
		c.emit(Rejected{receiptError(receipt)})
		return nil
	}
	if c.queue.entries[id] != nil {
		c.accepted.note(id, receipt)
		return c.answered(frame)
	}
	if receipt.GetStatus() != porthousev1.ReceiptStatus_RECEIPT_STATUS_REJECTED {
		return nil
	}
	// Accepted, and then refused by the store.
	if message := c.accepted.take(id); message != "" {
		err := receiptError(receipt)
		err.Receipt.ID = message
		c.emit(Rejected{err})
	}
	return nil
}

func (c *Client) answered(frame *porthousev1.Frame) error {
	if c.queue.answer(frame) {
		return nil
	}
	return errorf(CodeFrameNotAllowed, "an answer of another kind than the question: %s", kind(frame))
}

// unknown answers what this side does not know (PH-2.5).
func (c *Client) unknown(frame *porthousev1.Frame) error {
	if frame.GetId() == 0 || c.conn.outBytes > replyMax {
		return nil
	}
	drop := &porthousev1.Drop{Code: porthousev1.Code_CODE_UNIMPLEMENTED}
	return c.conn.push(&porthousev1.Frame{
		Id: frame.GetId(), Body: &porthousev1.Frame_Drop{Drop: drop},
	})
}

func notForClient(frame *porthousev1.Frame) error {
	return errorf(CodeFrameNotAllowed, "a client was sent %s", kind(frame))
}

// kind names a frame for a person.
func kind(frame *porthousev1.Frame) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", frame.GetBody()), "*porthousev1.Frame_")
}

// accepted is messages that were accepted, by the ids of their frames: the store may refuse one
// later (PH-8.1). Only the latest are remembered.
type accepted struct {
	messages map[uint32]string
	order    []uint32
}

const acceptedMax = 4096

func (a *accepted) note(id uint32, receipt *porthousev1.Receipt) {
	message := formatUUID(receipt.GetId())
	accepted := porthousev1.ReceiptStatus_RECEIPT_STATUS_ACCEPTED
	if receipt.GetStatus() != accepted || message == "" {
		return
	}
	if a.messages == nil {
		a.messages = map[uint32]string{}
	}
	a.messages[id] = message
	if a.order = append(a.order, id); len(a.order) > acceptedMax {
		delete(a.messages, a.order[0])
		a.order = a.order[1:]
	}
}

// take returns the id of the message that was refused after all.
func (a *accepted) take(id uint32) string {
	message := a.messages[id]
	delete(a.messages, id)
	return message
}
