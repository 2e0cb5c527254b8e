// Package sshkey answers locks by SSH keys, of an agent, a file or whatever signs.
//
//	porthouse.WithAnswerers(&sshkey.Agent{Client: "acme/anna"})
//
// What is signed names the gateway that was dialled, this socket, the nonce and the place, so that
// it is of no use anywhere else.
package sshkey

import (
	"context"
	"sync"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/login"
)

const (
	acceptor   = "ssh-key"
	nonceBytes = 32
	// Far more than one client sees while it lives.
	noncesKept = 1024
)

// proof answers challenges to sign.
type proof struct {
	mu sync.Mutex
	// Locks by the nonces that they asked to sign.
	seen map[string]string
}

// answer has sign sign what the lock asks for, if that is in order. A nil signature: there is no
// (more) key to sign with.
func (p *proof) answer(
	x *porthouse.Exchange, client string, sign func(message []byte) ([]byte, error),
) (*porthousev1.Answer, error) {
	ask := x.Challenge.GetNonce()
	if ask == nil {
		return nil, porthouse.ErrPass
	}
	if ask.GetSocket() != x.Socket {
		return nil, refused("the gateway asks to sign for another socket", nil)
	}
	if len(ask.GetNonce()) != nonceBytes {
		return nil, refused("the gateway asks to sign no proper nonce", nil)
	}
	if !p.isOf(string(ask.GetNonce()), x.Lock) {
		return nil, refused("the gateway asks to sign the nonce of another lock", nil)
	}
	message := login.Message{
		Gateway: x.Gateway,
		Socket:  x.Socket,
		Nonce:   ask.GetNonce(),
		Client:  login.Client(client),
		Place:   x.Challenge.GetPlace(),
	}
	signature, err := sign(message.Bytes())
	if err != nil {
		return nil, err
	}
	if signature == nil {
		return nil, porthouse.ErrPass
	}
	return &porthousev1.Answer{Response: &porthousev1.Answer_Signature{
		Signature: &porthousev1.Signature{
			Client: message.Client, Gateway: x.Gateway, Signature: signature,
		},
	}}, nil
}

// isOf reports whether no lock but this one has asked for the nonce. The same lock asks once more
// where another one came between.
func (p *proof) isOf(nonce, lock string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, known := p.seen[nonce]
	if known {
		return before == lock
	}
	if p.seen == nil || len(p.seen) == noncesKept {
		p.seen = map[string]string{}
	}
	p.seen[nonce] = lock
	return true
}

func refused(detail string, cause error) error {
	if cause != nil {
		detail += ": " + cause.Error()
	}
	return &porthouse.Error{Code: porthouse.CodeUnauthenticated, Detail: detail, Cause: cause}
}

// Key proves a client by whatever signs.
type Key struct {
	// Who logs in: ACCOUNT/CLIENT, with or without its client:.
	Client string
	// Sign gives an SSHSIG of namespace porthouse, armoured or not, or the 64 bytes of a plain
	// Ed25519 signature; nil: there is no key to sign with.
	Sign func(ctx context.Context, message []byte) ([]byte, error)

	proof proof
}

// Acceptor is ssh-key.
func (*Key) Acceptor() string { return acceptor }

// Nominates is true: a signature proves an identity.
func (*Key) Nominates() bool { return true }

// Answer signs what the lock asks for.
func (k *Key) Answer(ctx context.Context, x *porthouse.Exchange) (*porthousev1.Answer, error) {
	return k.proof.answer(x, k.Client, func(message []byte) ([]byte, error) {
		return k.Sign(ctx, message)
	})
}
