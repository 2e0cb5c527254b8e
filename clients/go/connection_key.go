package porthouse

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"regexp"
	"strings"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/login"
)

// ConnectionKey proves an account by one of its connection keys, by SCRAM-SHA-256 (RFC 5802): the
// key never leaves this machine, and the gateway proves in turn that it knows it. What is no such
// key fails with [CodeUnauthenticated] when it is to be used.
func ConnectionKey(secret string) Answerer {
	parts := connectionKeySecret.FindStringSubmatch(secret)
	if parts == nil {
		return connectionKey{}
	}
	random, err := base64.RawURLEncoding.DecodeString(parts[6])
	if err != nil {
		return connectionKey{}
	}
	return connectionKey{id: strings.Join(parts[1:6], "-"), random: random}
}

// connectionKeySecret is phk_, the key's id as 32 hex digits, _, and 32 random bytes as base64url.
var connectionKeySecret = regexp.MustCompile(
	`^phk_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})_([\w-]{43})$`)

const (
	nonceBytes = 32
	// The least of RFC 7677, and what a small machine still does in a blink.
	iterationsMin = 4096
	iterationsMax = 100_000
)

type connectionKey struct {
	id     string
	random []byte
}

// scram is the state of an exchange: our nonce and, once we have shown ours, the proof that is due.
type scram struct{ nonce, due []byte }

func (connectionKey) Acceptor() string { return "key" }

func (connectionKey) Nominates() bool { return true }

func (k connectionKey) Answer(_ context.Context, x *Exchange) (*porthousev1.Answer, error) {
	if k.random == nil {
		return nil, errorf(CodeUnauthenticated, "not a connection key")
	}
	if x.Challenge.GetAsk() == nil {
		return k.start(x), nil
	}
	state, started := x.State.(*scram)
	ask := x.Challenge.GetScram()
	if ask == nil || !started || state.due != nil {
		return nil, errorf(CodeUnauthenticated, "the gateway does not keep to the exchange")
	}
	if ask.GetSocket() != x.Socket {
		return nil, errorf(CodeUnauthenticated, "the gateway asks to sign for another socket")
	}
	rounds := ask.GetIterations()
	if rounds < iterationsMin || rounds > iterationsMax {
		return nil, errorf(CodeUnauthenticated, "the gateway asks for %d rounds", rounds)
	}
	message := login.Message{
		Gateway: x.Gateway,
		Socket:  x.Socket,
		Nonce:   append(state.nonce[:nonceBytes:nonceBytes], ask.GetNonce()...),
		Client:  k.id,
		Place:   x.Challenge.GetPlace(),
	}
	proof, err := login.Prove(k.random, message, ask.GetSalt(), int(rounds))
	if err != nil {
		return nil, asError(err, CodeUnauthenticated)
	}
	state.due = proof.Server
	return &porthousev1.Answer{Response: &porthousev1.Answer_ScramProof{
		ScramProof: &porthousev1.ScramProof{Proof: proof.Client},
	}}, nil
}

func (k connectionKey) start(x *Exchange) *porthousev1.Answer {
	nonce := make([]byte, nonceBytes)
	rand.Read(nonce) // Never fails.
	x.State = &scram{nonce: nonce}
	return &porthousev1.Answer{Response: &porthousev1.Answer_ScramStart{
		ScramStart: &porthousev1.ScramStart{Key: k.id, Nonce: nonce, Gateway: x.Gateway},
	}}
}

func (connectionKey) Passed(_ context.Context, x *Exchange, verdict *porthousev1.Verdict) error {
	state, started := x.State.(*scram)
	shown, err := base64.StdEncoding.DecodeString(verdict.GetValues()["server_signature"])
	if !started || state.due == nil || err != nil || !hmac.Equal(shown, state.due) {
		return errorf(CodeUnauthenticated, "the gateway does not know the key itself")
	}
	return nil
}
