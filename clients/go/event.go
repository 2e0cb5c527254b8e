package porthouse

import (
	"time"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// An Event is something that happened to a client, one of the types below; see [Client.Events].
type Event interface{ event() }

type (
	// Reconnecting: the connection is lost; the next attempt, counted from 1, comes after Delay.
	Reconnecting struct {
		Attempt int
		Delay   time.Duration
		Err     *Error
	}

	// Reconnected: it is back, with the rooms that were found again.
	Reconnected struct {
		Socket string
		Rooms  []Rejoined
	}

	// Told is what the gateway tells of sockets; beyond the public only what Watch asked for.
	Told struct{ *porthousev1.Event }

	// Gap: a room, or the client's own channel, could not go on where it was.
	Gap struct{ Lost }

	// Dropped: the gateway says why it ends the connection or, with an Address, a stay in a room.
	Dropped struct {
		Address string
		Err     *Error
	}

	// Missed: the gateway says what this socket will not get.
	Missed struct{ Lost }

	// Rejected: a message was rejected after it was accepted, Err.Receipt.ID says which; or one sent
	// at LevelNone was, and then it cannot be known which.
	Rejected struct{ Err *Error }

	// Closed: it is over. Err is nil where you closed it.
	Closed struct{ Err *Error }

	// CaughtUp: what was asked for of a room's past has come; what follows is live.
	CaughtUp struct {
		Room     *Room
		Position Position
	}

	// CursorMoved: the client has read up to there, on another of its sockets.
	CursorMoved struct {
		Room     *Room
		Position Position
	}

	// Presence: members of a room joined with [WithPresence] came and went; in a room of many
	// members, their number alone.
	Presence struct {
		Room   *Room
		Joined []*porthousev1.Member
		// Addresses of those whose last socket has left.
		Left  []string
		Count int
	}

	// Changed: a room's config is another now.
	Changed struct {
		Room     *Room
		Revision uint32
		// Kinds of the blocks that are different.
		Blocks []string
	}
)

// Rejoined is a room that was found again after a reconnection.
type Rejoined struct {
	Address string
	// The last position before listening began again.
	Position Position
	// Whether nothing was missed in between: what came meanwhile comes now. Else see [Gap].
	Recovered bool
}

func (Reconnecting) event() {}
func (Reconnected) event()  {}
func (Told) event()         {}
func (Gap) event()          {}
func (Dropped) event()      {}
func (Missed) event()       {}
func (Rejected) event()     {}
func (Closed) event()       {}
func (CaughtUp) event()     {}
func (CursorMoved) event()  {}
func (Presence) event()     {}
func (Changed) event()      {}
