package porthouse_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/peer"
)

// closed waits for the end of a client, and gives its reason.
func closed(t *testing.T, client *porthouse.Client) error {
	t.Helper()
	for event, err := range client.Events(peer.Context(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if over, ok := event.(porthouse.Closed); ok {
			if over.Err == nil {
				return nil
			}
			return over.Err
		}
	}
	t.Fatal("it does not close")
	return nil
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return bytes
}

// A gateway that does not keep to the protocol is left with the code of its fault, which ends
// everything that waits.
func TestFaults(t *testing.T) {
	sends := func(text string) func(*peer.Line) {
		return func(line *peer.Line) { line.SendBytes(unhex(text)) }
	}
	malformed, notAllowed := porthouse.CodeMalformedPacket, porthouse.CodeFrameNotAllowed
	for name, each := range map[string]struct {
		does func(*peer.Line)
		want porthouse.Code
	}{
		"a truncated frame":           {sends("0a05"), malformed},
		"a length beyond the packet":  {sends("0affffffff0f"), malformed},
		"a varint that does not end":  {sends("0affffffffffffffffffffff"), malformed},
		"a group that does not end":   {sends("0b"), malformed},
		"groups in each other":        {sends(string(bytes.Repeat([]byte("13"), 20_000))), malformed},
		"text that is no UTF-8":       {sends("0a0742051203ff"), malformed},
		"an envelope without a stamp": {sends("0a042a022a00"), malformed},
		"a hello":                     {sends("0a021200"), notAllowed},
		"a join":                      {sends("0a043a020a00"), notAllowed},
		"an answer to a lock":         {sends("0a0422021a00"), notAllowed},
		"text where bytes are due": {
			func(l *peer.Line) { l.SendText("hello") }, porthouse.CodeWrongDataType,
		},
		"a packet beyond all measure": {
			func(l *peer.Line) { l.SendBytes(make([]byte, 17<<20)) }, porthouse.CodePacketTooLarge,
		},
		"another welcome": {
			func(l *peer.Line) { l.Send(peer.WelcomeTo(0)) }, notAllowed,
		},
		"ever more rooms": {func(l *peer.Line) {
			for i := range 2000 {
				l.Send(peer.Joined(0, uint32(i+1), fmt.Sprintf("room:acme/r%d", i)))
			}
		}, porthouse.CodeRoomLimit},
		"a close for good": {func(l *peer.Line) { l.Close(4500) }, porthouse.CodeClosed},
		"a drop with a code of its own": {func(l *peer.Line) {
			l.Send(peer.Drop(0, 9999))
			l.Close(4999)
		}, porthouse.CodeClosed},
	} {
		t.Run(name, func(t *testing.T) {
			talk := peer.New(t).Connect(t)
			sent := make(chan error, 1)
			go func() {
				_, err := talk.SendText(peer.Context(t), []string{"acme/boiler"}, "x")
				sent <- err
			}()
			talk.Line.Packet()
			messages := talk.Messages(peer.Context(t))
			each.does(talk.Line)
			if err := closed(t, talk.Client); !errors.Is(err, each.want) {
				t.Errorf("closed by %v, want %v", err, each.want)
			}
			if err := <-sent; !errors.Is(err, each.want) {
				t.Errorf("the send fails with %v", err)
			}
			for _, err := range messages {
				if !errors.Is(err, each.want) {
					t.Errorf("the loop fails with %v", err)
				}
			}
			if _, err := talk.Join(peer.Context(t), "acme/boiler"); !errors.Is(err, each.want) {
				t.Errorf("after it: %v", err)
			}
			talk.Line.Closed()
		})
	}
}

// What a later gateway may say, and what nobody asked for, does no harm.
func TestHarmless(t *testing.T) {
	nowhere := "room:acme/nowhere"
	talk := peer.New(t).Connect(t)
	room := talk.Room("acme/boiler")
	messages := room.Messages(peer.Context(t))
	talk.Line.Send(&porthousev1.Frame{Id: 77})
	answer := talk.Line.Packet()
	unimplemented := porthousev1.Code_CODE_UNIMPLEMENTED
	if len(answer) != 1 || answer[0].GetId() != 77 || answer[0].GetDrop().GetCode() != unimplemented {
		t.Errorf("a frame that it does not know is answered by %v", answer)
	}
	elsewhere := peer.Message(99, "who?")
	elsewhere.GetEnvelope().Stamp.Route = 99
	old := peer.Message(100, "old")
	old.GetEnvelope().Stamp.Replay = porthousev1.Replay_REPLAY_HISTORY
	talk.Line.Send(
		&porthousev1.Frame{},
		peer.Receipt(12_345, &porthousev1.Receipt{Status: 2}),
		peer.Verdict(4711, porthousev1.Outcome_OUTCOME_PASSED),
		peer.Drop(4711, porthousev1.Code_CODE_INTERNAL),
		peer.Joined(4711, 9, nowhere),
		peer.Room(4711, &porthousev1.Room{Action: &porthousev1.Room_Left{Left: &porthousev1.Left{}}}),
		peer.Room(0, &porthousev1.Room{Action: &porthousev1.Room_CaughtUp{
			CaughtUp: &porthousev1.CaughtUp{Address: nowhere, Sequence: 99},
		}}),
		peer.Room(0, &porthousev1.Room{Action: &porthousev1.Room_Cursor{
			Cursor: &porthousev1.Cursor{Address: nowhere},
		}}),
		peer.Room(0, &porthousev1.Room{Action: &porthousev1.Room_Presence{
			Presence: &porthousev1.Presence{Route: 99, Count: 4_000_000_000},
		}}),
		peer.Room(0, &porthousev1.Room{Action: &porthousev1.Room_Changed{
			Changed: &porthousev1.Changed{},
		}}),
		elsewhere,
		old,
		peer.Message(8, "live"),
	)
	for message, err := range messages {
		if err != nil || message.Text != "live" {
			t.Errorf("hears %v, %v", message.Text, err)
		}
		break
	}
}

// What it is told of one question that is not true ends that question, or the connection.
func TestLies(t *testing.T) {
	page := func(id uint32) []*porthousev1.Frame {
		frames := []*porthousev1.Frame{}
		for i := range uint64(1001) {
			message := peer.Message(i+1, "old")
			message.Id = id
			frames = append(frames, message)
		}
		return frames
	}
	send := func(ctx context.Context, room *porthouse.Room) error {
		_, err := room.SendText(ctx, "x")
		return err
	}
	fetch := func(ctx context.Context, room *porthouse.Room) error {
		_, err := room.Fetch(ctx, porthouse.Range{Limit: 2})
		return err
	}
	for name, each := range map[string]struct {
		asks    func(context.Context, *porthouse.Room) error
		answers func(id uint32) []*porthousev1.Frame
		want    porthouse.Code
		ends    bool
	}{
		"a stay for a receipt": {send, func(id uint32) []*porthousev1.Frame {
			return []*porthousev1.Frame{peer.Joined(id, 3, "room:acme/boiler")}
		}, porthouse.CodeFrameNotAllowed, true},
		"a code of its own": {send, func(id uint32) []*porthousev1.Frame {
			receipt := &porthousev1.Receipt{Status: 6, Code: 9999}
			return []*porthousev1.Frame{peer.Receipt(id, receipt)}
		}, porthouse.CodeUnknown, false},
		"a refusal without a code": {send, func(id uint32) []*porthousev1.Frame {
			return []*porthousev1.Frame{peer.Drop(id, 0)}
		}, porthouse.CodeUnknown, false},
		"more of the past than was asked for": {fetch, page, porthouse.CodeFrameNotAllowed, false},
		"a receipt for a page": {fetch, func(id uint32) []*porthousev1.Frame {
			return []*porthousev1.Frame{peer.Receipt(id, &porthousev1.Receipt{Status: 2})}
		}, porthouse.CodeFrameNotAllowed, true},
	} {
		t.Run(name, func(t *testing.T) {
			talk := peer.New(t).Connect(t)
			room := talk.Room("acme/boiler")
			go func() {
				for _, frame := range talk.Line.Packet() {
					talk.Line.Send(each.answers(frame.GetId())...)
				}
			}()
			if err := each.asks(peer.Context(t), room); !errors.Is(err, each.want) {
				t.Errorf("fails with %v, want %v", err, each.want)
			}
			if each.ends {
				if err := closed(t, talk.Client); !errors.Is(err, each.want) {
					t.Errorf("closed by %v", err)
				}
				return
			}
			heard := room.Messages(peer.Context(t))
			talk.Line.Send(peer.Message(8, "live"))
			for message, err := range heard {
				if err != nil || message.Text != "live" {
					t.Errorf("then hears %q, %v", message.Text, err)
				}
				break
			}
		})
	}
}

// Whoever is silent is left, as a connection that is lost.
func TestSilence(t *testing.T) {
	p := peer.New(t)
	go func() {
		line := p.Line()
		welcome := peer.WelcomeTo(line.Packet()[0].GetId())
		welcome.GetWelcome().HeartbeatMs = 1
		line.Send(welcome)
	}()
	client, err := porthouse.Connect(peer.Context(t), p.URL, porthouse.WithReconnect(false))
	if err != nil {
		t.Fatal(err)
	}
	if err := closed(t, client); !errors.Is(err, porthouse.CodeHeartbeatTimeout) {
		t.Errorf("closed by %v", err)
	}
}

// A loop that does not keep up loses its place, not the process its memory.
func TestFlood(t *testing.T) {
	talk := peer.New(t).Connect(t, porthouse.WithBufferBytes(64<<10))
	room := talk.Room("acme/boiler")
	slow, other := room.Messages(peer.Context(t)), talk.Messages(peer.Context(t))
	for i := range uint64(1000) {
		talk.Line.Send(peer.Message(8+i, "flood"), peer.Message(8+i, "again"))
	}
	count := 0
	for _, err := range slow {
		if err == nil {
			count++
		} else if !errors.Is(err, porthouse.CodeSlowConsumer) {
			t.Error(err)
		}
	}
	if count == 0 || count > 64<<10/512 {
		t.Errorf("%d messages waited", count)
	}
	for _, err := range other {
		if err != nil && !errors.Is(err, porthouse.CodeSlowConsumer) {
			t.Error(err)
		}
	}
	go func() {
		for _, frame := range talk.Line.Packet() {
			talk.Line.Send(peer.Receipt(frame.GetId(), &porthousev1.Receipt{Status: 2}))
		}
	}()
	if _, err := room.SendText(peer.Context(t), "still here"); err != nil {
		t.Error(err)
	}
}

// A gateway that refuses for now, again and again, is asked so long and no longer.
func TestRefusedForNow(t *testing.T) {
	talk := peer.New(t).Connect(t, porthouse.WithBackoff(time.Millisecond, time.Millisecond))
	room := talk.Room("acme/boiler")
	go func() {
		for frames := talk.Line.Packet(); frames != nil; frames = talk.Line.Packet() {
			for _, frame := range frames {
				talk.Line.Send(peer.Receipt(frame.GetId(), &porthousev1.Receipt{
					Status: 6, Code: porthousev1.Code_CODE_UNAVAILABLE,
				}))
			}
		}
	}()
	_, err := room.SendText(peer.Context(t), "x", porthouse.WithLevel(porthouse.LevelStored),
		porthouse.WithRetry(20*time.Millisecond))
	var failed *porthouse.Error
	if !errors.As(err, &failed) || failed.Code != porthouse.CodeUnavailable || !failed.Temporary() {
		t.Error(err)
	}
}

// One that drops whoever comes is tried again with growing waits, and no more where it says so.
func TestDropsWhoeverComes(t *testing.T) {
	p := peer.New(t)
	talk := p.Connect(t, porthouse.WithBackoff(time.Millisecond, time.Minute))
	events := talk.Events(peer.Context(t))
	go func() {
		talk.Line.Send(peer.Drop(0, porthousev1.Code_CODE_DRAINING))
		talk.Line.Close(1012)
		for range 3 {
			line := p.Line()
			line.Welcome()
			line.Send(peer.Drop(0, porthousev1.Code_CODE_DRAINING))
			line.Close(1012)
		}
		line := p.Line()
		line.Packet()
		line.Send(peer.Drop(0, porthousev1.Code_CODE_REVOKED))
		line.Close(4551)
	}()
	attempts := []int{}
	for event, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		switch event := event.(type) {
		case porthouse.Reconnecting:
			attempts = append(attempts, event.Attempt)
			if !errors.Is(event.Err, porthouse.CodeDraining) {
				t.Errorf("reconnects after %v", event.Err)
			}
		case porthouse.Closed:
			if !errors.Is(event.Err, porthouse.CodeRevoked) {
				t.Errorf("closed by %v", event.Err)
			}
		}
	}
	if fmt.Sprint(attempts) != "[1 2 3 4]" {
		t.Errorf("attempts %v", attempts)
	}
}
