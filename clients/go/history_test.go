//go:build gateway

package porthouse_test

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"

	porthouse "github.com/porthouse/porthouse/clients/go"
	roomv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/room/v1"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

func unread() *roomv1.Block {
	return &roomv1.Block{Kind: &roomv1.Block_Unread{Unread: &roomv1.Unread{Enabled: true}}}
}

// fill says so many numbers in a room, from 1.
func fill(t *testing.T, room *porthouse.Room, count int) {
	t.Helper()
	for i := range count {
		if _, err := room.SendText(testContext(t), fmt.Sprint(i+1)); err != nil {
			t.Fatal(err)
		}
	}
}

// texts is what a loop gives until its end, or until so many.
func texts(t *testing.T, messages iter.Seq2[porthouse.Message, error], count int) (all []string) {
	t.Helper()
	for m, err := range messages {
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, m.Text); len(all) == count {
			break
		}
	}
	return all
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, not %v", what, got, want)
	}
}

func TestWhatWasBefore(t *testing.T) {
	h := hub.Open(t)
	for _, test := range []struct {
		name string
		past porthouse.JoinOption
		want []string
	}{
		{"start", porthouse.SinceStart(), []string{"1", "2", "3", "4", "5", "live"}},
		{"position", porthouse.Since(porthouse.Position{Sequence: 3}), []string{"4", "5", "live"}},
		{"last", porthouse.SinceLast(1), []string{"5", "live"}},
		{"unread", porthouse.SinceUnread(), []string{"3", "4", "5", "live"}},
	} {
		address := h.Room(test.name, durable(), unread())
		secret := h.Token("", address)
		board := join(t, connect(t, h.URL, secret), address)
		fill(t, board, 5)
		if err := board.Read(testContext(t), porthouse.Position{Sequence: 2}); err != nil {
			t.Fatal(err)
		}
		room := join(t, connect(t, h.URL, secret), address, test.past)
		if err := room.CaughtUp(testContext(t)); err != nil {
			t.Fatal(err)
		}
		if at, ok := room.Position(); !ok || at.Sequence != 5 {
			t.Errorf("%s: caught up at %+v", test.name, at)
		}
		if _, err := board.SendText(testContext(t), "live"); err != nil {
			t.Fatal(err)
		}
		heard := texts(t, room.Messages(testContext(t)), len(test.want))
		same(t, test.name, heard, test.want...)
	}
}

func TestPages(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("board", durable())
	anna := connect(t, h.URL, h.Token("", address))
	board := join(t, anna, address)
	fill(t, board, 5)
	ctx := testContext(t)
	all := []string{"1", "2", "3", "4", "5"}
	same(t, "forward", texts(t, board.History(ctx, porthouse.Position{}), 0), all...)
	same(t, "from", texts(t, board.History(ctx, porthouse.Position{Sequence: 3}), 0), "4", "5")
	same(t, "backward", texts(t, board.HistoryBackward(ctx, porthouse.Position{}), 0),
		"5", "4", "3", "2", "1")
	at := func(sequence uint64) *porthouse.Position {
		return &porthouse.Position{Sequence: sequence}
	}
	for _, test := range []struct {
		name   string
		of     porthouse.Range
		want   []string
		before bool
		after  bool
	}{
		{"the last", porthouse.Range{Limit: 2}, []string{"4", "5"}, true, false},
		{"after", porthouse.Range{After: at(1), Limit: 2}, []string{"2", "3"}, true, true},
		{"before", porthouse.Range{Before: at(3)}, []string{"1", "2"}, false, true},
		{"around", porthouse.Range{Around: at(3), Limit: 2}, []string{"3", "4"}, true, true},
		{"between", porthouse.Range{From: at(2), To: at(4)}, []string{"2", "3", "4"}, true, true},
	} {
		page, err := board.Fetch(ctx, test.of)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		var got []string
		for _, m := range page.Messages {
			got = append(got, m.Text)
		}
		same(t, test.name, got, test.want...)
		if page.MoreBefore != test.before || page.MoreAfter != test.after ||
			page.First != 1 || page.Last != 5 {
			t.Errorf("%s: %+v", test.name, page)
		}
	}
	_, err := board.Fetch(ctx, porthouse.Range{After: at(1), Before: at(2)})
	if !errors.Is(err, porthouse.CodeArgumentInvalid) {
		t.Error(err)
	}
	other := h.Room("hall")
	bert := connect(t, h.URL, h.Token("", other))
	_, err = join(t, bert, other).Fetch(ctx, porthouse.Range{})
	if !errors.Is(err, porthouse.CodeNoHistory) {
		t.Error(err)
	}
}

func TestReading(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("board", durable(), unread())
	anna, bert := pair(t, h, address)
	fill(t, join(t, anna, address), 5)
	board := join(t, bert, address)
	elsewhere := connect(t, h.URL, h.Token("bert", address))
	other := join(t, elsewhere, address)
	moves := pull(t, elsewhere.Events(testContext(t)))
	ctx := testContext(t)
	if err := board.Read(ctx, porthouse.Position{Sequence: 3}); err != nil {
		t.Fatal(err)
	}
	if cursor, known := board.Cursor(); cursor != 3 || !known {
		t.Errorf("a cursor at %d", cursor)
	}
	if moved := until[porthouse.CursorMoved](t, moves); moved.Room != other ||
		moved.Position.Sequence != 3 {
		t.Errorf("%+v", moved)
	}
	// Behind, it stays.
	if err := board.Read(ctx, porthouse.Position{Sequence: 1}); err != nil {
		t.Error(err)
	}
	if err := board.Read(ctx, porthouse.Position{Sequence: 9}); !errors.Is(
		err, porthouse.CodePositionUnknown) {
		t.Error(err)
	}
	var rooms []*porthousev1.RoomUnread
	for room, err := range bert.Unread(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		rooms = append(rooms, room)
	}
	if len(rooms) != 1 || rooms[0].GetAddress() != "room:"+address || rooms[0].GetCursor() != 3 ||
		rooms[0].GetCount() != 2 || rooms[0].GetLastSequence() != 5 {
		t.Errorf("%v", rooms)
	}
}
