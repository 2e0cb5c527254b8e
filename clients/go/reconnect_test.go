//go:build gateway

package porthouse_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	porthouse "github.com/porthouse/porthouse/clients/go"
	roomv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/room/v1"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

// windowed keeps a thousand messages in memory.
func windowed() *roomv1.Block {
	history := &roomv1.History{
		Keep: roomv1.Keep_KEEP_WINDOW, Window: &roomv1.Window{Messages: 1000},
	}
	return &roomv1.Block{Kind: &roomv1.Block_History{History: history}}
}

func durable() *roomv1.Block {
	history := &roomv1.History{Keep: roomv1.Keep_KEEP_DURABLE}
	return &roomv1.Block{Kind: &roomv1.Block_History{History: history}}
}

func atOnce() porthouse.Option {
	return porthouse.WithBackoff(time.Millisecond, 50*time.Millisecond)
}

// until gives the first event of a kind.
func until[E porthouse.Event](t *testing.T, next func() porthouse.Event) E {
	t.Helper()
	for {
		if event, ok := next().(E); ok {
			return event
		}
	}
}

func TestNothingIsMissed(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall", windowed())
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("", address), atOnce())
	bert := connect(t, h.URL, h.Token("", address))
	events := pull(t, anna.Events(testContext(t)))
	heard := pull(t, join(t, anna, address).Messages(testContext(t)))
	all := pull(t, anna.Messages(testContext(t)))
	say := join(t, bert, address, porthouse.SendOnly())
	for i := range 30 {
		switch i % 10 {
		case 3:
			w.Down()
		case 7:
			w.Up()
		}
		if _, err := say.SendText(testContext(t), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30 {
		for _, next := range []func() porthouse.Message{heard, all} {
			if m := next(); m.Text != fmt.Sprint(i) || m.Lost != nil {
				t.Fatalf("%d: %v %q, lost %+v", i, m, m.Text, m.Lost)
			}
		}
	}
	again := until[porthouse.Reconnected](t, events)
	if len(again.Rooms) != 1 || !again.Rooms[0].Recovered {
		t.Errorf("%+v", again)
	}
}

func TestNothingIsDoubled(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall", durable())
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("", address), atOnce())
	bert := connect(t, h.URL, h.Token("", address))
	hall := join(t, anna, address)
	heard := pull(t, join(t, bert, address).Messages(testContext(t)))
	const count = 60
	sent := make(chan error, count)
	for i := range count {
		if i%20 == 10 {
			w.Cut()
		}
		go func() {
			_, err := hall.SendText(testContext(t), fmt.Sprint(i))
			sent <- err
		}()
	}
	for range count {
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for range count {
		m := heard()
		if seen[m.Text] {
			t.Errorf("%s came twice", m.Text)
		}
		seen[m.Text] = true
	}
}

func TestAGapIsTold(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("", address), atOnce())
	bert := connect(t, h.URL, h.Token("", address))
	events := pull(t, anna.Events(testContext(t)))
	heard := pull(t, join(t, anna, address).Messages(testContext(t)))
	say := join(t, bert, address)
	w.Down()
	if _, err := say.SendText(testContext(t), "missed"); err != nil {
		t.Fatal(err)
	}
	w.Up()
	gap := until[porthouse.Gap](t, events)
	if gap.Code != porthouse.CodeNoHistory || gap.From != 1 || gap.To != 1 ||
		gap.Address != "room:"+address {
		t.Errorf("%+v", gap)
	}
	until[porthouse.Reconnected](t, events)
	if _, err := say.SendText(testContext(t), "heard"); err != nil {
		t.Fatal(err)
	}
	if m := heard(); m.Text != "heard" || m.Lost == nil || m.Lost.To != 1 {
		t.Errorf("%q, lost %+v", m.Text, m.Lost)
	}
}

func TestTheRoomOfTheURLGoesOn(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall", windowed())
	w := newWire(t, h.URL)
	anna := connect(t, w.URL+"/"+address, h.Token("", address), atOnce())
	bert := connect(t, h.URL, h.Token("", address))
	events := pull(t, anna.Events(testContext(t)))
	if anna.Entered() == nil || anna.Entered().Address() != "room:"+address {
		t.Fatalf("entered %v", anna.Entered())
	}
	heard := pull(t, anna.Entered().Messages(testContext(t)))
	say := join(t, bert, address)
	for i := range 5 {
		if i == 2 {
			w.Down()
		}
		if _, err := say.SendText(testContext(t), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	w.Up()
	until[porthouse.Reconnected](t, events)
	for i := range 5 {
		if m := heard(); m.Text != fmt.Sprint(i) {
			t.Fatalf("%d: %q", i, m.Text)
		}
	}
}

func TestWhatIsSentToAClientIsTakenUpAgain(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	h.Client("anna", nil, address)
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("anna", address), atOnce())
	bert := connect(t, h.URL, h.Token("", address))
	join(t, anna, address)
	join(t, bert, address)
	heard := pull(t, anna.Messages(testContext(t)))
	say := func(text string) {
		t.Helper()
		to := []string{"client:" + h.Account + "/anna"}
		if _, err := bert.SendText(testContext(t), to, text); err != nil {
			t.Fatal(err)
		}
	}
	// What it is to go on after has to be known.
	say("0")
	if m := heard(); m.Text != "0" {
		t.Fatalf("%q", m.Text)
	}
	w.Down()
	say("1")
	say("2")
	w.Up()
	say("3")
	for i := 1; i < 4; i++ {
		if m := heard(); m.Text != fmt.Sprint(i) {
			t.Fatalf("%d: %q", i, m.Text)
		}
	}
}

func TestWithoutAnIdentityWhatWasInFlightIsUncertain(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("", address), porthouse.WithReconnect(false))
	hall := join(t, anna, address)
	w.Down()
	_, err := hall.SendText(testContext(t), "gone")
	if !errors.Is(err, porthouse.CodeUnavailable) {
		t.Error(err)
	}
	if _, err := anna.Join(testContext(t), address); !errors.Is(err, porthouse.CodeUnavailable) {
		t.Error(err)
	}
}
