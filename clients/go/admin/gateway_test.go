//go:build gateway

package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"connectrpc.com/connect"

	"github.com/porthouse/porthouse/clients/go"
	"github.com/porthouse/porthouse/clients/go/admin"
	adminv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/admin/v1"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

func TestPages(t *testing.T) {
	h := hub.Open(t)
	want := []string{}
	for i := range 5 {
		h.Room(fmt.Sprintf("room-%d", i))
		want = append(want, h.Name("rooms", fmt.Sprintf("room-%d", i)))
	}
	request := &adminv1.ListRoomsRequest{Parent: "accounts/" + h.Account, PageSize: 2}
	calls := 0
	list := func(
		ctx context.Context, request *adminv1.ListRoomsRequest,
	) (*adminv1.ListRoomsResponse, error) {
		calls++
		return h.Admin.Rooms.ListRooms(ctx, request)
	}
	got := []string{}
	rooms := admin.All(t.Context(), list, request, (*adminv1.ListRoomsResponse).GetRooms)
	for room, err := range rooms {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, room.GetName())
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || calls != 3 {
		t.Errorf("%v in %d calls", got, calls)
	}
	for range rooms {
		break
	}
	if calls != 4 {
		t.Errorf("a loop that ends with the first asks %d times more", calls-3)
	}
	request.PageToken = "none"
	for _, err := range rooms {
		if !errors.Is(err, porthouse.CodePageTokenInvalid) {
			t.Errorf("a page token of nothing: %v", err)
		}
	}
}

func TestFailures(t *testing.T) {
	h := hub.Open(t)
	h.Room("hall")
	ctx := t.Context()
	room := &adminv1.GetRoomRequest{Name: h.Name("rooms", "nowhere")}
	// gRPC is HTTP/2 from the first byte, where there is no TLS to agree on it.
	plain := &http.Transport{Protocols: new(http.Protocols)}
	plain.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(plain.CloseIdleConnections)
	for name, protocol := range map[string][]admin.Option{
		"Connect":  nil,
		"gRPC-Web": {admin.WithConnect(connect.WithGRPCWeb())},
		"gRPC": {
			admin.WithConnect(connect.WithGRPC()),
			admin.WithHTTPClient(&http.Client{Transport: plain}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			stranger := admin.New(h.HTTP, "pha_nobody", protocol...)
			if _, err := stranger.Rooms.GetRoom(ctx, room); !errors.Is(err, porthouse.CodeUnauthenticated) {
				t.Errorf("a stranger: %v", err)
			}
			token := admin.New(h.HTTP, h.Token("", h.Account+"/hall"), protocol...)
			if _, err := token.Rooms.GetRoom(ctx, room); !errors.Is(err, porthouse.CodeRoleNotPermitted) {
				t.Errorf("a token: %v", err)
			}
			watch, err := stranger.Sockets.WatchSockets(ctx, &adminv1.WatchSocketsRequest{})
			if err == nil {
				watch.Receive()
				err = watch.Err()
			}
			if !errors.Is(err, porthouse.CodeUnauthenticated) {
				t.Errorf("a stranger that watches: %v", err)
			}
		})
	}
	_, err := h.Admin.Rooms.GetRoom(ctx, room)
	if !errors.Is(err, porthouse.CodeResourceUnknown) || connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("no such room: %v", err)
	}
	_, err = h.Admin.Rooms.CreateRoom(ctx, &adminv1.CreateRoomRequest{RoomId: "hall"})
	var failed *admin.Error
	if !errors.As(err, &failed) || failed.Temporary() || len(failed.Violations) != 1 ||
		failed.Violations[0].GetField() != "parent" {
		t.Errorf("a room of nobody: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := h.Admin.Rooms.GetRoom(gone, room); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that nobody waits for: %v", err)
	}
}

func TestWatch(t *testing.T) {
	h := hub.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch, err := h.Admin.Stats.WatchStats(ctx, &adminv1.WatchStatsRequest{
		Name: "accounts/" + h.Account,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !watch.Receive() {
		t.Fatal(watch.Err())
	}
	cancel()
	for watch.Receive() {
	}
	if err := watch.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("a watch that is ended: %v", err)
	}
}
