//go:build gateway

package porthouse_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	porthouse "github.com/porthouse/porthouse/clients/go"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

// pair is two clients of an account, anna in the room and bert.
func pair(t *testing.T, h *hub.Hub, address string) (anna, bert *porthouse.Client) {
	t.Helper()
	h.Client("anna", nil, address)
	h.Client("bert", nil, address)
	anna = connect(t, h.URL, h.Token("anna", address))
	return anna, connect(t, h.URL, h.Token("bert", address))
}

func TestReceipts(t *testing.T) {
	h := hub.Open(t)
	address, kept := h.Room("hall"), h.Room("board", durable())
	secret := h.Token("", address, kept)
	anna := connect(t, h.URL, secret)
	hall, board := join(t, anna, address), join(t, anna, kept)
	none := porthouse.WithLevel(porthouse.LevelNone)
	stored := porthouse.WithLevel(porthouse.LevelStored)
	key := porthouse.WithKey("once")
	tooLong := string(make([]byte, 1<<20))
	for _, test := range []struct {
		name string
		room *porthouse.Room
		opts []porthouse.SendOption
		want porthouse.Status
		code porthouse.Code
	}{
		{"nobody is there", hall, nil, porthouse.StatusVoid, 0},
		{"accepted", hall, []porthouse.SendOption{porthouse.WithLevel(porthouse.LevelAccepted)},
			porthouse.StatusAccepted, 0},
		{"nothing is asked", hall, []porthouse.SendOption{none}, 0, 0},
		{"nothing is kept", hall, []porthouse.SendOption{stored}, 0, porthouse.CodeNoHistory},
		{"stored", board, []porthouse.SendOption{stored}, porthouse.StatusStored, 0},
		{"the first of a key", board, []porthouse.SendOption{key, stored}, porthouse.StatusStored, 0},
		{"the second", board, []porthouse.SendOption{key, stored}, porthouse.StatusDuplicate, 0},
		{"too large", hall, []porthouse.SendOption{porthouse.WithHeader("a", tooLong)},
			0, porthouse.CodeHeadersTooLarge},
	} {
		receipt, err := test.room.SendText(testContext(t), "x", test.opts...)
		var status porthouse.Status
		if receipt != nil {
			status = receipt.Status
		}
		if status != test.want || test.code == 0 != (err == nil) || test.code != 0 &&
			!errors.Is(err, test.code) {
			t.Errorf("%s: %+v, %v", test.name, receipt, err)
		}
	}
	var known *porthouse.Error
	if _, err := hall.Send(testContext(t), nil, stored); !errors.As(err, &known) ||
		known.Receipt == nil || known.Receipt.Status != porthouse.StatusRejected {
		t.Errorf("a rejection without its receipt: %v", err)
	}
}

func TestMessagesAreAsTheyWereSent(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna, bert := pair(t, h, address)
	heard := pull(t, join(t, anna, address+"/news/*").Messages(testContext(t)))
	say := join(t, bert, address)
	_, err := say.Send(testContext(t), []byte{0, 255}, porthouse.OnChannel("news/today"),
		porthouse.WithContentType("application/x-two"), porthouse.WithHeader("a", "b"),
		porthouse.WithReplyTo("room:"+address), porthouse.WithCorrelationID([]byte("7")),
		porthouse.WithExpiry(1500*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	m := heard()
	if string(m.Payload) != "\x00\xff" || m.Text != "" || m.Channel != "news/today" ||
		m.Address != "room:"+address+"/news/today" || m.ContentType != "application/x-two" ||
		m.Headers["a"] != "b" || m.ReplyTo != "room:"+address || string(m.CorrelationID) != "7" ||
		m.ExpiresAfter != 2*time.Second || m.From != "client:"+h.Account+"/bert" ||
		time.Since(m.Time).Abs() > time.Hour {
		t.Errorf("%+v", m)
	}
}

func TestDirectMessages(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna, bert := pair(t, h, address)
	join(t, anna, address)
	heard := pull(t, anna.Messages(testContext(t)))
	for _, to := range []string{anna.Socket(), "client:" + h.Account + "/anna", address} {
		receipt, err := bert.SendText(testContext(t), []string{to}, to)
		if err != nil || receipt.Sockets != 1 {
			t.Fatalf("%+v, %v", receipt, err)
		}
		if m := heard(); m.Text != to {
			t.Errorf("%v instead of one to %s", m, to)
		}
	}
}

func TestLeaving(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna, bert := pair(t, h, address)
	hall, channel := join(t, anna, address), join(t, anna, address+"/news")
	if again := join(t, anna, address); again != hall {
		t.Error("a room that is joined twice is another one")
	}
	messages := channel.Messages(testContext(t))
	if err := hall.Leave(testContext(t)); err != nil {
		t.Fatal(err)
	}
	for m, err := range messages {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := hall.SendText(testContext(t), "x"); !errors.Is(err, porthouse.CodeClosed) {
		t.Error(err)
	}
	if receipt, err := join(t, bert, address).SendText(testContext(t), "x"); err != nil ||
		receipt.Status != porthouse.StatusVoid {
		t.Errorf("%+v, %v", receipt, err)
	}
}

func TestASlowLoopEndsByItself(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna := connect(t, h.URL, h.Token("", address), porthouse.WithBufferBytes(4096))
	bert := connect(t, h.URL, h.Token("", address))
	hall := join(t, anna, address)
	slow, quick := hall.Messages(testContext(t)), pull(t, hall.Messages(testContext(t)))
	say := join(t, bert, address)
	const count = 20
	for range count {
		if _, err := say.SendText(testContext(t), "x"); err != nil {
			t.Fatal(err)
		}
		quick()
	}
	heard := 0
	var last error
	for _, err := range slow {
		if err == nil {
			heard++
		}
		last = err
	}
	if heard == 0 || heard == count || !errors.Is(last, porthouse.CodeSlowConsumer) {
		t.Errorf("heard %d, then %v", heard, last)
	}
}

func TestLoopsEndWithTheirContextAndTheClient(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna := connect(t, h.URL, h.Token("", address))
	hall := join(t, anna, address)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	messages := hall.Messages(ctx)
	cancel(why)
	for m, err := range messages {
		if !errors.Is(err, why) {
			t.Errorf("%v, %v", m, err)
		}
	}
	open := hall.Messages(testContext(t))
	events := anna.Events(testContext(t))
	anna.Close()
	for m, err := range open {
		t.Errorf("%v, %v", m, err)
	}
	var all []porthouse.Event
	for event, err := range events {
		if err != nil {
			t.Error(err)
		}
		all = append(all, event)
	}
	if !slices.Equal(all, []porthouse.Event{porthouse.Closed{}}) {
		t.Errorf("%+v", all)
	}
	if _, err := anna.Join(testContext(t), address); !errors.Is(err, porthouse.CodeClosed) {
		t.Error(err)
	}
}

func TestARoomThatIsNotThere(t *testing.T) {
	h := hub.Open(t)
	anna := connect(t, h.URL, h.Token("", h.Room("hall")))
	_, err := anna.Join(testContext(t), h.Account+"/nowhere")
	if !errors.Is(err, porthouse.CodeRoomUnknown) {
		t.Error(err)
	}
	_, err = anna.Join(testContext(t), "hall", porthouse.SendOnly(), porthouse.SinceStart())
	if !errors.Is(err, porthouse.CodeArgumentInvalid) {
		t.Error(err)
	}
}

func TestManyAreOnTheirWayInOrder(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna, bert := pair(t, h, address)
	heard := join(t, anna, address).Messages(testContext(t))
	say := join(t, bert, address)
	var pending [100]porthouse.Pending
	want := []string{}
	for i := range pending {
		want = append(want, fmt.Sprint(i))
		receipt, err := say.SendText(testContext(t), want[i], porthouse.WithPending(&pending[i]))
		if receipt != nil || err != nil {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	for i := range pending {
		receipt, err := pending[i].Receipt(testContext(t))
		if err != nil || receipt.Sequence != uint64(i+1) {
			t.Fatalf("%+v, %v", receipt, err)
		}
	}
	same(t, "in order", texts(t, heard, len(want)), want...)
}
