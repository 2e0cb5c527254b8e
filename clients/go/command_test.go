//go:build gateway

package porthouse_test

import (
	"errors"
	"iter"
	"testing"

	porthouse "github.com/porthouse/porthouse/clients/go"
	roomv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/room/v1"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

func list[T any](t *testing.T, from iter.Seq2[T, error], name func(T) string) (names []string) {
	t.Helper()
	for item, err := range from {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name(item))
	}
	return names
}

// told gives the next event of a kind.
func told(t *testing.T, next func() porthouse.Event, kind porthousev1.EventKind) porthouse.Told {
	t.Helper()
	for {
		if event := until[porthouse.Told](t, next); event.GetKind() == kind {
			return event
		}
	}
}

func TestLists(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	full := "room:" + address
	anna, bert := pair(t, h, address)
	join(t, anna, address+"/news")
	join(t, bert, address)
	ctx := testContext(t)
	same(t, "sockets", list(t, anna.Sockets(ctx, ""), (*porthousev1.SocketInfo).GetSocket),
		anna.Socket())
	same(t, "rooms", list(t, anna.Rooms(ctx, ""), (*porthousev1.Allowance).GetAddress), full)
	same(t, "stats", list(t, bert.Stats(ctx, address), (*porthousev1.Occupancy).GetAddress),
		full, full+"/news")
	owner, err := porthouse.Connect(ctx, h.URL,
		porthouse.WithAnswerers(porthouse.ConnectionKey(h.ConnectionKey())))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	names := list(t, owner.Clients(ctx, full), (*porthousev1.ClientInfo).GetAddress)
	same(t, "clients", names[:2], "client:"+h.Account+"/anna", "client:"+h.Account+"/bert")
	for _, err := range anna.Clients(ctx, full) {
		if !errors.Is(err, porthouse.CodeCommandNotPermitted) {
			t.Error(err)
		}
	}
}

func TestMembers(t *testing.T) {
	h := hub.Open(t)
	present := &roomv1.Block{Kind: &roomv1.Block_Presence{Presence: &roomv1.Presence{Enabled: true}}}
	address := h.Room("hall", present)
	anna, bert := pair(t, h, address)
	events := pull(t, anna.Events(testContext(t)))
	hall := join(t, anna, address, porthouse.WithPresence())
	join(t, bert, address)
	name := "client:" + h.Account + "/bert"
	for came := false; !came; {
		for _, member := range until[porthouse.Presence](t, events).Joined {
			came = came || member.GetAddress() == name
		}
	}
	members := list(t, hall.Members(testContext(t)), (*porthousev1.Member).GetAddress)
	same(t, "members", members, "client:"+h.Account+"/anna", name)
}

func TestASocketIsDropped(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna, _ := pair(t, h, address)
	other := connect(t, h.URL, h.Token("anna", address))
	events := pull(t, other.Events(testContext(t)))
	ctx := testContext(t)
	if err := anna.DropSocket(ctx, other.Socket()); err != nil {
		t.Fatal(err)
	}
	if dropped := until[porthouse.Dropped](t, events); dropped.Err.Code != porthouse.CodeKicked {
		t.Errorf("%+v", dropped)
	}
	if closed := until[porthouse.Closed](t, events); closed.Err.Code != porthouse.CodeKicked {
		t.Errorf("%+v", closed)
	}
	if err := anna.DropSocket(ctx, "socket:aaaaaaaaaaaaaaaa"); !errors.Is(
		err, porthouse.CodeTargetUnknown) {
		t.Error(err)
	}
}

func TestWatching(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("", address), atOnce())
	bert := connect(t, h.URL, h.Token("", address))
	events := pull(t, anna.Events(testContext(t)))
	join(t, anna, address)
	if err := anna.Watch(testContext(t), ""); err != nil {
		t.Fatal(err)
	}
	hall := join(t, bert, address)
	joined := porthousev1.EventKind_EVENT_KIND_JOINED
	if event := told(t, events, joined); event.GetSocket() != bert.Socket() {
		t.Errorf("%v", event)
	}
	// Asked again on the next connection, before anything else is.
	w.Cut()
	until[porthouse.Reconnected](t, events)
	if err := anna.Watch(testContext(t), ""); err != nil {
		t.Fatal(err)
	}
	if err := hall.Leave(testContext(t)); err != nil {
		t.Fatal(err)
	}
	told(t, events, porthousev1.EventKind_EVENT_KIND_LEFT)
}

func TestKnocking(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall", hub.Locked("knock"))
	owner, err := porthouse.Connect(testContext(t), h.URL,
		porthouse.WithAnswerers(porthouse.ConnectionKey(h.ConnectionKey())))
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	events := pull(t, owner.Events(testContext(t)))
	if err := owner.Watch(testContext(t), "lobby:"+h.Account); err != nil {
		t.Fatal(err)
	}
	for _, admitted := range []bool{true, false} {
		guest := make(chan error)
		go func() {
			client, err := porthouse.Connect(testContext(t), h.URL+"/"+address,
				porthouse.WithAnswerers(porthouse.Knock("it is me")))
			if err == nil {
				client.Close()
			}
			guest <- err
		}()
		knocked := told(t, events, porthousev1.EventKind_EVENT_KIND_KNOCKED)
		if knocked.GetDetail() != "it is me" {
			t.Errorf("%v", knocked)
		}
		if err := owner.Admit(testContext(t), knocked.GetLock(), admitted); err != nil {
			t.Fatal(err)
		}
		if err := <-guest; admitted != (err == nil) {
			t.Errorf("admitted %v: %v", admitted, err)
		}
	}
}

func TestALobbyEchoes(t *testing.T) {
	h := hub.Open(t)
	anna := connect(t, h.URL, h.Token("", h.Room("hall")))
	lobby := join(t, anna, "lobby:"+h.Account)
	heard := pull(t, lobby.Messages(testContext(t)))
	if _, err := lobby.SendText(testContext(t), "echo"); err != nil {
		t.Fatal(err)
	}
	if m := heard(); m.Text != "echo" {
		t.Errorf("%+v", m)
	}
}
