package sshkey

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

const (
	// Keys that are tried where none is named.
	triesMax = 6
	// An agent tells at once what it holds; before it signs it may ask its person, and the lock's
	// deadline bounds that.
	listTimeout = 10 * time.Second
)

// Agent proves a client by a key of an SSH agent (RFC 9987), which never hands it out. What is
// wrong with the agent fails with [porthouse.CodeUnauthenticated].
type Agent struct {
	// Who logs in: ACCOUNT/CLIENT, with or without its client:.
	Client string
	// Where the agent listens. Default: SSH_AUTH_SOCK.
	Socket string
	// Which of its keys: a fingerprint SHA256:…, a line of a .pub file, or the comment. Default:
	// all that may do, one after the other, while the lock has tries left.
	Key string

	proof proof
}

// Acceptor is ssh-key.
func (*Agent) Acceptor() string { return acceptor }

// Nominates is true: a signature proves an identity.
func (*Agent) Nominates() bool { return true }

// Tries is one for each key that may do.
func (a *Agent) Tries() int {
	if a.Key != "" {
		return 1
	}
	return triesMax
}

// Answer has the agent sign what the lock asks for.
func (a *Agent) Answer(ctx context.Context, x *porthouse.Exchange) (*porthousev1.Answer, error) {
	return a.proof.answer(x, a.Client, func(message []byte) ([]byte, error) {
		signature, err := a.sign(ctx, message, x.Attempt)
		if err != nil {
			return nil, refused("no help from the SSH agent", err)
		}
		return signature, nil
	})
}

// sign uses the key whose turn it is; nil where there is none left.
func (a *Agent) sign(ctx context.Context, message []byte, attempt int) ([]byte, error) {
	socket := a.Socket
	if socket == "" {
		socket = os.Getenv("SSH_AUTH_SOCK")
	}
	if socket == "" {
		return nil, errors.New("SSH_AUTH_SOCK is not set")
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	defer context.AfterFunc(ctx, func() { connection.Close() })()
	client := agent.NewClient(connection)
	connection.SetDeadline(time.Now().Add(listTimeout))
	keys, err := client.List()
	if err != nil {
		return nil, err
	}
	connection.SetDeadline(time.Time{})
	turn := 0
	for _, key := range keys {
		if !taken(key.Format) || !isNamed(key, a.Key) {
			continue
		}
		if turn++; turn == attempt {
			return sign(held{client, key}, message)
		}
	}
	if turn == 0 {
		return nil, errors.New("it holds no such key")
	}
	return nil, nil
}

func isNamed(key *agent.Key, name string) bool {
	if name == "" || name == key.Comment || name == ssh.FingerprintSHA256(key) {
		return true
	}
	line, _, _, _, err := ssh.ParseAuthorizedKey([]byte(name))
	return err == nil && bytes.Equal(line.Marshal(), key.Blob)
}

// held is a key that the agent holds, as a signer.
type held struct {
	agent agent.ExtendedAgent
	key   *agent.Key
}

func (h held) PublicKey() ssh.PublicKey { return h.key }

func (h held) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	return h.agent.Sign(h.key, data)
}

// SignWithAlgorithm is asked for rsa-sha2-512 alone.
func (h held) SignWithAlgorithm(_ io.Reader, data []byte, _ string) (*ssh.Signature, error) {
	return h.agent.SignWithFlags(h.key, data, agent.SignatureFlagRsaSha512)
}
