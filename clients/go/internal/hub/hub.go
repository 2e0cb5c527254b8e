//go:build gateway

// Package hub lends tests a real gateway, on which each has an account of its own. Tests that need
// it have the build tag gateway, and are given it by the environment:
//
//	PORTHOUSE_TEST_URL=http://127.0.0.1:8080 PORTHOUSE_TEST_KEY=pho_… go test -tags gateway ./...
package hub

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"

	"github.com/porthouse/porthouse/clients/go/admin"
	adminv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/admin/v1"
	roomv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/room/v1"
)

// Hub is a gateway as one test sees it.
type Hub struct {
	// HTTP is where the gateway listens; URL is the same for WebSockets.
	HTTP, URL string
	Admin     *admin.Client
	// Account is the slug of the test's own account.
	Account string

	t testing.TB
}

// Open makes an account on the gateway.
func Open(t testing.TB) *Hub {
	t.Helper()
	url, key := os.Getenv("PORTHOUSE_TEST_URL"), os.Getenv("PORTHOUSE_TEST_KEY")
	if url == "" || key == "" {
		t.Fatal("PORTHOUSE_TEST_URL and PORTHOUSE_TEST_KEY name no gateway")
	}
	h := &Hub{
		HTTP:    url,
		URL:     "ws" + strings.TrimPrefix(url, "http"),
		Admin:   admin.New(url, key),
		Account: "t-" + strings.ToLower(rand.Text()),
		t:       t,
	}
	account := &adminv1.CreateAccountRequest{AccountId: h.Account}
	_, err := h.Admin.Accounts.CreateAccount(t.Context(), account)
	h.must(err)
	return h
}

func (h *Hub) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// Name is the name of something in the account, for instance of "rooms", "hall".
func (h *Hub) Name(collection, id string) string {
	return "accounts/" + h.Account + "/" + collection + "/" + id
}

// Room makes a room of these blocks, and gives its address.
func (h *Hub) Room(slug string, blocks ...*roomv1.Block) string {
	h.t.Helper()
	_, err := h.Admin.Rooms.CreateRoom(h.t.Context(), &adminv1.CreateRoomRequest{
		Parent: "accounts/" + h.Account,
		RoomId: slug,
		Room:   &adminv1.Room{Config: &roomv1.Config{Blocks: blocks}},
	})
	h.must(err)
	return h.Account + "/" + slug
}

// Locked is a block of a room that asks for these acceptors, one after the other.
func Locked(acceptors ...string) *roomv1.Block {
	access := &roomv1.Access{Locks: acceptors}
	return &roomv1.Block{Kind: &roomv1.Block_Access{Access: access}}
}

// Token gives the secret of a token that may send and listen in the rooms. With a client it speaks
// in that one's name.
func (h *Hub) Token(client string, rooms ...string) string {
	h.t.Helper()
	token := &adminv1.Token{Grants: h.grants(rooms)}
	if client != "" {
		token.Client = h.Name("clients", client)
	}
	made, err := h.Admin.Tokens.CreateToken(h.t.Context(), &adminv1.CreateTokenRequest{
		Parent: "accounts/" + h.Account, Token: token,
	})
	h.must(err)
	return made.GetSecret()
}

// Client makes a client that proves itself by these, and may send and listen in the rooms. It gives
// the client's UUID.
func (h *Hub) Client(slug string, by []*adminv1.Credential, rooms ...string) string {
	h.t.Helper()
	made, err := h.Admin.Clients.CreateClient(h.t.Context(), &adminv1.CreateClientRequest{
		Parent:      "accounts/" + h.Account,
		ClientId:    slug,
		Client:      &adminv1.Client{Grants: h.grants(rooms)},
		Credentials: by,
	})
	h.must(err)
	return made.GetUid()
}

func (h *Hub) grants(rooms []string) (grants []*adminv1.Grant) {
	for _, room := range rooms {
		_, slug, _ := strings.Cut(room, "/")
		grants = append(grants, &adminv1.Grant{
			Room: h.Name("rooms", slug), Send: true, Receive: true,
		})
	}
	return grants
}

// ConnectionKey gives the secret of a connection key of the account.
func (h *Hub) ConnectionKey() string {
	h.t.Helper()
	request := &adminv1.CreateConnectionKeyRequest{Parent: "accounts/" + h.Account}
	made, err := h.Admin.ConnectionKeys.CreateConnectionKey(h.t.Context(), request)
	h.must(err)
	return made.GetSecret()
}
