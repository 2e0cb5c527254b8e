package porthouse

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/login"
)

const (
	keySecret = "phk_6ba7b8109dad41d180b400c04fd430c8_vo7A6_iZkyIlJwOrauWZuqu2U3ChZO7VW8J7RvQPSWw"
	keySocket = "socket:abcdefgh234567ab"
)

// scramAsk is what an honest gateway asks.
func scramAsk() *porthousev1.ScramAsk {
	return &porthousev1.ScramAsk{
		Nonce: bytes.Repeat([]byte{7}, 32), Salt: []byte("salt"), Iterations: 4096, Socket: keySocket,
	}
}

func asking(ask *porthousev1.ScramAsk) *porthousev1.Challenge {
	return &porthousev1.Challenge{
		Acceptor: "key", Place: "room:acme/boiler", Ask: &porthousev1.Challenge_Scram{Scram: ask},
	}
}

func TestConnectionKey(t *testing.T) {
	ctx := context.Background()
	key := ConnectionKey(keySecret)
	x := &Exchange{Gateway: "https://hub.example", Socket: keySocket, Attempt: 1}
	start, err := key.Answer(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	first := start.GetScramStart()
	if first.GetKey() != "6ba7b810-9dad-41d1-80b4-00c04fd430c8" || len(first.GetNonce()) != 32 ||
		first.GetGateway() != x.Gateway {
		t.Fatalf("begins with %v", first)
	}
	x.Challenge = asking(scramAsk())
	answer, err := key.Answer(ctx, x)
	if err != nil {
		t.Fatal(err)
	}
	random, _ := base64.RawURLEncoding.DecodeString(keySecret[len(keySecret)-43:])
	want, err := login.Prove(random, login.Message{
		Gateway: x.Gateway,
		Socket:  keySocket,
		Nonce:   append(first.GetNonce(), scramAsk().Nonce...),
		Client:  first.GetKey(),
		Place:   "room:acme/boiler",
	}, []byte("salt"), 4096)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(answer.GetScramProof().GetProof(), want.Client) {
		t.Errorf("shows %x, want %x", answer.GetScramProof().GetProof(), want.Client)
	}
	for shown, good := range map[string]bool{
		base64.StdEncoding.EncodeToString(want.Server): true,
		base64.StdEncoding.EncodeToString(want.Client): false,
		"no base64": false,
		"":          false,
	} {
		verdict := &porthousev1.Verdict{Values: map[string]string{"server_signature": shown}}
		err := key.(Verifier).Passed(ctx, x, verdict)
		if good && err != nil || !good && !errors.Is(err, CodeUnauthenticated) {
			t.Errorf("shown %q: %v", shown, err)
		}
	}
}

// A gateway that does not keep to the exchange gets no proof.
func TestConnectionKeyIsNotLured(t *testing.T) {
	ctx := context.Background()
	for name, change := range map[string]func(*porthousev1.ScramAsk){
		"another socket":  func(ask *porthousev1.ScramAsk) { ask.Socket = "socket:zzzzzzzzzzzzzzzz" },
		"too few rounds":  func(ask *porthousev1.ScramAsk) { ask.Iterations = 1 },
		"too many rounds": func(ask *porthousev1.ScramAsk) { ask.Iterations = 1 << 30 },
	} {
		x := &Exchange{Socket: keySocket}
		key := ConnectionKey(keySecret)
		if _, err := key.Answer(ctx, x); err != nil {
			t.Fatal(err)
		}
		ask := scramAsk()
		change(ask)
		x.Challenge = asking(ask)
		if _, err := key.Answer(ctx, x); !errors.Is(err, CodeUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unasked := &Exchange{Socket: keySocket, Challenge: asking(scramAsk())}
	if _, err := ConnectionKey(keySecret).Answer(ctx, unasked); !errors.Is(err, CodeUnauthenticated) {
		t.Errorf("asked before it has begun: %v", err)
	}
	if err := ConnectionKey(keySecret).(Verifier).Passed(ctx, &Exchange{}, nil); err == nil {
		t.Error("let in without an exchange")
	}
}

func TestNoConnectionKey(t *testing.T) {
	for _, secret := range []string{
		"", "pht_x", keySecret + "A", strings.ToUpper(keySecret), keySecret[:40],
	} {
		_, err := ConnectionKey(secret).Answer(context.Background(), &Exchange{})
		if !errors.Is(err, CodeUnauthenticated) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
