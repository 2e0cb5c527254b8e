package peer

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

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
	client, err := porthouse.Connect(Context(t), p.URL, options...)
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
	room, err := talk.Client.Join(Context(talk.t), address)
	if err != nil {
		talk.t.Fatal(err)
	}
	return room
}

// NothingLeft fails where a goroutine runs code of the client, and goes on to.
func NothingLeft(t testing.TB) {
	t.Helper()
	until := time.Now().Add(patience)
	for left := running(); left != ""; left = running() {
		if time.Now().After(until) {
			t.Fatalf("a goroutine is left:\n%s", left)
		}
		// Its last deed may have been to say that it is over.
		runtime.Gosched()
	}
}

// running is the stack of one goroutine that runs code of the client.
func running() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		frames, _, _ := strings.Cut(stack, "\ncreated by ")
		if strings.Contains(frames, "porthouse/clients/go.(*") {
			return stack
		}
	}
	return ""
}

// patience is for a machine that does much else.
const patience = 20 * time.Second

// Context ends with the test, or where that waits for what does not come.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
