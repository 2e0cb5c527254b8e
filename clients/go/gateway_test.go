//go:build gateway

package porthouse_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"time"

	porthouse "github.com/porthouse/porthouse/clients/go"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

// patience is for a machine that does much else.
const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// connect connects with a token, until the test ends.
func connect(t *testing.T, url, secret string, opts ...porthouse.Option) *porthouse.Client {
	t.Helper()
	opts = append([]porthouse.Option{porthouse.WithToken(secret)}, opts...)
	client, err := porthouse.Connect(testContext(t), url, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func join(
	t *testing.T, client *porthouse.Client, address string, opts ...porthouse.JoinOption,
) *porthouse.Room {
	t.Helper()
	room, err := client.Join(testContext(t), address, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return room
}

// pull gives what comes, one at a time.
func pull[T any](t *testing.T, from iter.Seq2[T, error]) func() T {
	t.Helper()
	next, stop := iter.Pull2(from)
	t.Cleanup(stop)
	return func() T {
		t.Helper()
		value, err, ok := next()
		if err != nil || !ok {
			t.Fatalf("nothing more comes: %v", err)
		}
		return value
	}
}

func TestHello(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall")
	anna := connect(t, h.URL, h.Token("", address))
	bert := connect(t, h.URL, h.Token("", address))
	hall := join(t, anna, address)
	heard := pull(t, hall.Messages(testContext(t)))
	receipt, err := join(t, bert, address).SendText(testContext(t), "hello")
	if err != nil || receipt.Status != porthouse.StatusRouted || receipt.Sockets != 1 {
		t.Fatalf("%+v, %v", receipt, err)
	}
	m := heard()
	if m.Text != "hello" || m.From != bert.Socket() || m.ID != receipt.ID ||
		m.Address != "room:"+address || m.Sequence != receipt.Sequence {
		t.Errorf("%+v, %+v", m, receipt)
	}
}

func TestUnauthenticated(t *testing.T) {
	h := hub.Open(t)
	_, err := porthouse.Connect(testContext(t), h.URL, porthouse.WithToken("no such secret"))
	if !errors.Is(err, porthouse.CodeUnauthenticated) {
		t.Error(err)
	}
}
