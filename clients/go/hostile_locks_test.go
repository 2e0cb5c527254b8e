package porthouse_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/peer"
)

const hostileKey = "phk_6ba7b8109dad41d180b400c04fd430c8_" +
	"vo7A6_iZkyIlJwOrauWZuqu2U3ChZO7VW8J7RvQPSWw"

// enters has a client enter a place of a gateway that says this after Welcome.
func enters(
	t *testing.T, says func(*peer.Line), answerers ...porthouse.Answerer,
) error {
	t.Helper()
	p := peer.New(t)
	go func() {
		line := p.Line()
		line.Send(peer.WelcomeTo(line.Packet()[0].GetId()))
		says(line)
	}()
	client, err := porthouse.Connect(peer.Context(t), p.URL+"/acme/boiler",
		porthouse.WithAnswerers(answerers...))
	if err == nil {
		client.Close()
	}
	peer.NothingLeft(t)
	return err
}

// A challenge beyond what the protocol allows is not shown to anybody.
func TestImpossibleChallenges(t *testing.T) {
	visit := func(url string) *porthousev1.Challenge {
		return &porthousev1.Challenge{Acceptor: "oidc", Ask: &porthousev1.Challenge_Visit{
			Visit: &porthousev1.Visit{Url: url, UserCode: "BDWP-HQPK"},
		}}
	}
	nine := &porthousev1.Prompts{Prompts: slices.Repeat([]*porthousev1.Prompt{{Text: "?"}}, 9)}
	long := &porthousev1.Prompts{Instruction: strings.Repeat("x", 4097)}
	for name, challenge := range map[string]*porthousev1.Challenge{
		"a script":       visit("javascript:alert(1)"),
		"a file":         visit("file:///etc/passwd"),
		"no page":        visit("http://[::"),
		"nine prompts":   {Acceptor: "tty", Ask: &porthousev1.Challenge_Prompts{Prompts: nine}},
		"too many words": {Acceptor: "tty", Ask: &porthousev1.Challenge_Prompts{Prompts: long}},
		"a long name":    {Acceptor: strings.Repeat("x", 513)},
		"too many more":  {Acceptor: "tty", Others: slices.Repeat([]string{"x"}, 17)},
		"too much data": {
			Acceptor: "preset", Ask: &porthousev1.Challenge_Data{Data: make([]byte, 4097)},
		},
	} {
		shown := 0
		show := porthouse.DeviceFlow(func(context.Context, *porthousev1.Visit) { shown++ })
		say := porthouse.Prompts(func(context.Context, *porthousev1.Prompts) ([]string, error) {
			shown++
			return nil, porthouse.ErrPass
		})
		err := enters(t, func(line *peer.Line) {
			line.Send(peer.Challenge(0, "lock:aaaaaaaaaaaaaaaa", challenge))
		}, show, say)
		if !errors.Is(err, porthouse.CodeMalformedPacket) || shown > 0 {
			t.Errorf("%s: %v, shown %d times", name, err, shown)
		}
	}
}

// Whoever asks on and on, or for more locks than there may be, is left.
func TestChallengesWithoutEnd(t *testing.T) {
	asked := 0
	say := porthouse.Prompts(func(context.Context, *porthousev1.Prompts) ([]string, error) {
		asked++
		return []string{"again"}, nil
	})
	challenge := &porthousev1.Challenge{Acceptor: "tty", Ask: &porthousev1.Challenge_Prompts{
		Prompts: &porthousev1.Prompts{Prompts: []*porthousev1.Prompt{{Text: "?"}}},
	}}
	for name, lock := range map[string]func(int) string{
		"of one lock":   func(int) string { return "lock:aaaaaaaaaaaaaaaa" },
		"of many locks": func(i int) string { return fmt.Sprintf("lock:a%015d", i) },
	} {
		err := enters(t, func(line *peer.Line) {
			for i := range 1 << 16 {
				if line.Send(peer.Challenge(0, lock(i), challenge)) != nil {
					return
				}
			}
		}, say)
		var failed *porthouse.Error
		if !errors.As(err, &failed) || failed.Temporary() || asked > 64 {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
	}
}

// A gateway that does not know the connection key cannot play the one that does.
func TestGatewayWithoutTheKey(t *testing.T) {
	ask := func(line *peer.Line, first *porthousev1.Frame) {
		line.Send(peer.Challenge(first.GetId(), "lock:aaaaaaaaaaaaaaaa", &porthousev1.Challenge{
			Acceptor: "key", Place: "room:acme/boiler", DeadlineMs: 10_000,
			Ask: &porthousev1.Challenge_Scram{Scram: &porthousev1.ScramAsk{
				Nonce: make([]byte, 32), Salt: make([]byte, 16), Iterations: 4096, Socket: peer.Socket,
			}},
		}))
	}
	for name, asks := range map[string]bool{"that asks": true, "that does not even ask": false} {
		p := peer.New(t)
		go func() {
			line := p.Line()
			frames := line.Packet()
			line.Send(peer.WelcomeTo(frames[0].GetId()))
			first := frames[1]
			if asks {
				ask(line, first)
				first = line.Packet()[0]
			}
			line.Send(
				peer.LockStep(first.GetId(), &porthousev1.LockStep{
					Lock: "lock:aaaaaaaaaaaaaaaa",
					Step: &porthousev1.LockStep_Verdict{Verdict: &porthousev1.Verdict{
						Outcome: porthousev1.Outcome_OUTCOME_PASSED,
						Values:  map[string]string{"account": "acme", "server_signature": "AAAA"},
					}},
				}),
				peer.Joined(0, 1, "room:acme/boiler"),
			)
		}()
		client, err := porthouse.Connect(peer.Context(t), p.URL+"/acme/boiler",
			porthouse.WithAnswerers(porthouse.ConnectionKey(hostileKey)))
		if err == nil {
			client.Close()
		}
		if !errors.Is(err, porthouse.CodeUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
