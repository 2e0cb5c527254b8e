package porthouse

import (
	"context"
	"iter"
	"slices"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Unread ranges over how much of which rooms this client has not read, without being in them,
// ordered by address: of rooms that keep cursors. As all lists, it is asked for a page at a time as
// the loop needs it.
func (c *Client) Unread(ctx context.Context) iter.Seq2[*porthousev1.RoomUnread, error] {
	return pages(func(after string) ([]*porthousev1.RoomUnread, bool, error) {
		list := &porthousev1.ListUnread{After: after}
		answer, err := c.command(ctx, true, &porthousev1.Command{
			Action: &porthousev1.Command_ListUnread{ListUnread: list},
		}, func(answer *porthousev1.Command) bool { return answer.GetUnread() != nil })
		return answer.GetUnread().GetRooms(), answer.GetUnread().GetMore(), err
	}, (*porthousev1.RoomUnread).GetAddress)
}

// Stats ranges over the occupancy and traffic of a room, then of its channels by name; or of one
// channel alone.
func (c *Client) Stats(
	ctx context.Context, address string,
) iter.Seq2[*porthousev1.Occupancy, error] {
	return pages(func(after string) ([]*porthousev1.Occupancy, bool, error) {
		get := &porthousev1.GetStats{Of: fullAddress(address), After: after}
		answer, err := c.command(ctx, true, &porthousev1.Command{
			Action: &porthousev1.Command_GetStats{GetStats: get},
		}, func(answer *porthousev1.Command) bool { return answer.GetStats_() != nil })
		return answer.GetStats_().GetOccupancies(), answer.GetStats_().GetMore(), err
	}, (*porthousev1.Occupancy).GetAddress)
}

// Clients ranges over the clients and tokens' connections that are in a room:… or lobby:… whose
// account this client owns, or in a group:….
func (c *Client) Clients(
	ctx context.Context, of string,
) iter.Seq2[*porthousev1.ClientInfo, error] {
	return pages(func(after string) ([]*porthousev1.ClientInfo, bool, error) {
		list := &porthousev1.ListClients{Of: of, After: after}
		answer, err := c.command(ctx, true, &porthousev1.Command{
			Action: &porthousev1.Command_ListClients{ListClients: list},
		}, func(answer *porthousev1.Command) bool { return answer.GetClients() != nil })
		return answer.GetClients().GetClients(), answer.GetClients().GetMore(), err
	}, (*porthousev1.ClientInfo).GetAddress)
}

// Sockets ranges over live sockets, ordered by address: of a client:… or token:… that this socket
// is, of a room:… or lobby:… whose account it owns; of "", of all that this socket is.
func (c *Client) Sockets(
	ctx context.Context, of string,
) iter.Seq2[*porthousev1.SocketInfo, error] {
	return pages(func(after string) ([]*porthousev1.SocketInfo, bool, error) {
		list := &porthousev1.ListSockets{Of: of, After: after}
		answer, err := c.command(ctx, true, &porthousev1.Command{
			Action: &porthousev1.Command_ListSockets{ListSockets: list},
		}, func(answer *porthousev1.Command) bool { return answer.GetSockets() != nil })
		return answer.GetSockets().GetSockets(), answer.GetSockets().GetMore(), err
	}, (*porthousev1.SocketInfo).GetSocket)
}

// Rooms ranges over the rooms that a client:… is in, ordered by address; of lobby:{account} over
// all of the account that it owns; of "", over those that this socket is in.
func (c *Client) Rooms(ctx context.Context, of string) iter.Seq2[*porthousev1.Allowance, error] {
	return pages(func(after string) ([]*porthousev1.Allowance, bool, error) {
		list := &porthousev1.ListRooms{Of: of, After: after}
		answer, err := c.command(ctx, true, &porthousev1.Command{
			Action: &porthousev1.Command_ListRooms{ListRooms: list},
		}, func(answer *porthousev1.Command) bool { return answer.GetRooms() != nil })
		return answer.GetRooms().GetRooms(), answer.GetRooms().GetMore(), err
	}, (*porthousev1.Allowance).GetAddress)
}

// DropSocket ends another socket of a client or token that this one is, or of an account that it
// owns.
func (c *Client) DropSocket(ctx context.Context, socket string) error {
	drop := &porthousev1.DropSocket{Socket: socket}
	_, err := c.command(ctx, false, &porthousev1.Command{
		Action: &porthousev1.Command_DropSocket{DropSocket: drop},
	}, isDone)
	return err
}

// Admit lets in, or turns away, a socket that knocks; its lock is told by an event KNOCKED.
func (c *Client) Admit(ctx context.Context, lock string, admitted bool) error {
	admit := &porthousev1.Admit{Lock: lock, Admitted: admitted}
	_, err := c.command(ctx, false, &porthousev1.Command{
		Action: &porthousev1.Command_Admit{Admit: admit},
	}, isDone)
	return err
}

// Watch asks for events, which come as [Told]: of lobby:{account}, of a client:… that this socket
// is, or, of "", of the rooms that it is in. It is asked again after each reconnection.
func (c *Client) Watch(ctx context.Context, of string) error {
	if _, err := c.command(ctx, true, watch(of, false), isDone); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Contains(c.watched, of) {
		c.watched = append(c.watched, of)
	}
	return nil
}

// Unwatch ends what Watch began.
func (c *Client) Unwatch(ctx context.Context, of string) error {
	c.mu.Lock()
	c.watched = slices.DeleteFunc(c.watched, func(each string) bool { return each == of })
	c.mu.Unlock()
	_, err := c.command(ctx, true, watch(of, true), isDone)
	return err
}

// watchAgain asks on a new connection for what was watched. Where it may not be any more, nothing
// is told of it. It is called with the lock held.
func (c *Client) watchAgain() {
	for _, of := range c.watched {
		asked, _ := commandQuestion(false, watch(of, false), isDone)
		asked.then = func(error) {}
		_ = c.queue.add(asked, 0)
	}
}

func watch(of string, stop bool) *porthousev1.Command {
	return &porthousev1.Command{
		Action: &porthousev1.Command_Watch{Watch: &porthousev1.Watch{Of: of, Stop: stop}},
	}
}

func isDone(answer *porthousev1.Command) bool { return answer.GetDone() != nil }

func (c *Client) command(
	ctx context.Context, repeatable bool, command *porthousev1.Command,
	answers func(*porthousev1.Command) bool,
) (*porthousev1.Command, error) {
	asked, answer := commandQuestion(repeatable, command, answers)
	if err := c.ask(ctx, asked); err != nil {
		return nil, err
	}
	return *answer, nil
}

func commandQuestion(
	repeatable bool, command *porthousev1.Command, answers func(*porthousev1.Command) bool,
) (*question, **porthousev1.Command) {
	var answer *porthousev1.Command
	return &question{
		bytes:      1024,
		repeatable: repeatable,
		encode: func() (*porthousev1.Frame, error) {
			return &porthousev1.Frame{Body: &porthousev1.Frame_Command{Command: command}}, nil
		},
		read: func(frame *porthousev1.Frame) (bool, error) {
			answer = frame.GetCommand()
			return answer != nil && answers(answer), nil
		},
	}, &answer
}

// Members ranges over who is in the room, ordered by address, a page at a time as the loop needs
// it.
func (r *Room) Members(ctx context.Context) iter.Seq2[*porthousev1.Member, error] {
	return pages(func(after string) ([]*porthousev1.Member, bool, error) {
		var members *porthousev1.Members
		list := &porthousev1.ListMembers{Of: r.room, After: after}
		action := &porthousev1.Room_ListMembers{ListMembers: list}
		err := r.ask(ctx, &question{
			bytes:      1024,
			repeatable: true,
			encode: func() (*porthousev1.Frame, error) {
				return roomFrame(&porthousev1.Room{Action: action}), nil
			},
			read: func(frame *porthousev1.Frame) (bool, error) {
				members = frame.GetRoom().GetMembers()
				return members != nil, nil
			},
		})
		return members.GetMembers(), members.GetMore(), err
	}, (*porthousev1.Member).GetAddress)
}

// pages ranges over a list that is asked for a page at a time, each by the name before it.
func pages[T any](
	page func(after string) (items []T, more bool, err error), name func(T) string,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		after := ""
		for {
			items, more, err := page(after)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if !more {
				return
			}
			if len(items) == 0 || name(items[len(items)-1]) == after {
				yield(none, errorf(CodeFrameNotAllowed, "a page that leads nowhere"))
				return
			}
			after = name(items[len(items)-1])
		}
	}
}
