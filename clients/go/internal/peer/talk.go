package peer

import (
	"runtime"
	"strings"
	"testing"

	"github.com/porthouse/porthouse/clients/go"
)

// Talk is a client that has connected to a peer.
type Talk struct {
	*porthouse.Client
	Line *Line
	t    testing.TB
}

// Connect has a client connect with a token. It is closed at the end of the test, and nothing of it
// may be left then.
func (p *Peer) Connect(t testing.TB, options ...porthouse.Option) *Talk {
	t.Helper()
	lines := make(chan *Line, 1)
	go func() {
		line := p.Line()
		line.Welcome()
		lines <- line
	}()
	options = append([]porthouse.Option{porthouse.WithToken("secret")}, options...)
	client, err := porthouse.Connect(t.Context(), p.URL, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		NothingLeft(t)
	})
	return &Talk{Client: client, Line: <-lines, t: t}
}

// Room has the client join a room, with route 1.
func (talk *Talk) Room(address string) *porthouse.Room {
	talk.t.Helper()
	go func() {
		for _, frame := range talk.Line.Packet() {
			talk.Line.Send(Joined(frame.GetId(), 1, frame.GetRoom().GetJoin().GetAddress()))
		}
	}()
	room, err := talk.Client.Join(talk.t.Context(), address)
	if err != nil {
		talk.t.Fatal(err)
	}
	return room
}

// NothingLeft fails where a goroutine of the client is left.
func NothingLeft(t testing.TB) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "porthouse/clients/go.(*") && !strings.Contains(stack, "testing.") {
			t.Errorf("a goroutine is left:\n%s", stack)
		}
	}
}
