// Package peer is a gateway whose every frame the test says.
package peer

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"google.golang.org/protobuf/proto"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Peer is a WebSocket server on a free port.
type Peer struct {
	URL   string
	t     testing.TB
	lines chan *Line
}

// New starts one, which ends with the test.
func New(t testing.TB, subprotocols ...string) *Peer {
	p := &Peer{t: t, lines: make(chan *Line, 64)}
	if len(subprotocols) == 0 {
		subprotocols = []string{"porthouse.v1"}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		options := &websocket.AcceptOptions{Subprotocols: subprotocols}
		socket, err := websocket.Accept(w, r, options)
		if err != nil {
			return
		}
		socket.SetReadLimit(16 << 20)
		ctx, cut := context.WithCancel(context.Background())
		line := &Line{t: t, ctx: ctx, cut: cut, socket: socket, packets: make(chan []byte, 1024)}
		t.Cleanup(cut)
		p.lines <- line
		line.read()
	}))
	t.Cleanup(server.Close)
	p.URL = "ws" + strings.TrimPrefix(server.URL, "http")
	return p
}

// Line waits for the next connection.
func (p *Peer) Line() *Line {
	p.t.Helper()
	select {
	case line := <-p.lines:
		return line
	case <-Context(p.t).Done():
		p.t.Fatal("nobody connects")
		return nil
	}
}

// Line is one connection.
type Line struct {
	t       testing.TB
	ctx     context.Context
	cut     context.CancelFunc
	socket  *websocket.Conn
	packets chan []byte
}

func (l *Line) read() {
	defer close(l.packets)
	for {
		_, packet, err := l.socket.Read(l.ctx)
		if err != nil {
			return
		}
		select {
		case l.packets <- packet:
		case <-l.ctx.Done():
			return
		}
	}
}

// Packet gives the frames of the next packet; nil when the connection is over.
func (l *Line) Packet() []*porthousev1.Frame {
	bytes, open := <-l.packets
	if !open {
		return nil
	}
	packet := &porthousev1.Packet{}
	if err := proto.Unmarshal(bytes, packet); err != nil {
		l.t.Error(err)
	}
	return packet.GetFrames()
}

// Closed waits until the client has gone.
func (l *Line) Closed() {
	for range l.packets {
	}
}

// Send sends one packet. Whether anybody is there to take it is no concern of the peer.
func (l *Line) Send(frames ...*porthousev1.Frame) error {
	bytes, err := proto.Marshal(&porthousev1.Packet{Frames: frames})
	if err != nil {
		l.t.Error(err)
	}
	return l.SendBytes(bytes)
}

// SendBytes sends one binary message.
func (l *Line) SendBytes(bytes []byte) error {
	return l.socket.Write(l.ctx, websocket.MessageBinary, bytes)
}

// SendText sends one text message, which is due nowhere.
func (l *Line) SendText(text string) error {
	return l.socket.Write(l.ctx, websocket.MessageText, []byte(text))
}

// Close ends the connection in order.
func (l *Line) Close(status int) { l.socket.Close(websocket.StatusCode(status), "") }

// Cut ends it as if the network had gone.
func (l *Line) Cut() { l.socket.CloseNow() }

// Welcome answers the first packet as a gateway does, its joins with routes from 1. It gives the
// frames that it answered.
func (l *Line) Welcome() []*porthousev1.Frame {
	asked := l.Packet()
	answers := []*porthousev1.Frame{}
	route := uint32(0)
	for _, frame := range asked {
		switch body := frame.GetBody().(type) {
		case *porthousev1.Frame_Hello:
			answers = append(answers, WelcomeTo(frame.GetId()))
		case *porthousev1.Frame_LockStep:
			answers = append(answers, Verdict(frame.GetId(), porthousev1.Outcome_OUTCOME_PASSED))
		case *porthousev1.Frame_Room:
			route++
			answers = append(answers, Joined(frame.GetId(), route, body.Room.GetJoin().GetAddress()))
		}
	}
	l.Send(answers...)
	return asked
}

// Met reports whether anybody has connected.
func (p *Peer) Met() bool { return len(p.lines) > 0 }
