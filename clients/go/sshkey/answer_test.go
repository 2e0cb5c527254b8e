package sshkey

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/login"
)

const socket = "socket:abcdefgh234567ab"

// exchange is one in which the lock asks to sign a nonce of 32 such bytes.
func exchange(lock string, nonce byte, attempt int) *porthouse.Exchange {
	ask := &porthousev1.Nonce{Nonce: bytes.Repeat([]byte{nonce}, 32), Socket: socket}
	return &porthouse.Exchange{
		Gateway: "https://hub.example",
		Socket:  socket,
		Attempt: attempt,
		Lock:    lock,
		Challenge: &porthousev1.Challenge{
			Acceptor: "ssh-key",
			Place:    "room:acme/boiler",
			Ask:      &porthousev1.Challenge_Nonce{Nonce: ask},
		},
	}
}

// verify holds an answer against the line of a .pub file.
func verify(t *testing.T, x *porthouse.Exchange, answer *porthousev1.Answer, line []byte) {
	t.Helper()
	key, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		t.Fatal(err)
	}
	given := answer.GetSignature()
	if given.GetClient() != "client:acme/anna" || given.GetGateway() != x.Gateway {
		t.Fatalf("answers for %s at %s", given.GetClient(), given.GetGateway())
	}
	message := login.Message{
		Gateway: x.Gateway,
		Socket:  x.Socket,
		Nonce:   x.Challenge.GetNonce().GetNonce(),
		Client:  given.GetClient(),
		Place:   x.Challenge.GetPlace(),
	}
	signature := open(t, given.GetSignature())
	if err := key.Verify(covered(message.Bytes()), signature); err != nil {
		t.Error(err)
	}
	if signature.Format == ssh.KeyAlgoRSA {
		t.Error("signed with SHA-1")
	}
}

// keygen has OpenSSH make a key, and gives its path and the line of its .pub file.
func keygen(t *testing.T, kind string, options ...string) (path string, line []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "key")
	args := append([]string{"-q", "-t", kind, "-C", "anna@desk", "-f", path}, options...)
	if said, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	line, err := os.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return path, line
}

func TestFilesOfOpenSSH(t *testing.T) {
	const passphrase = "ört of it"
	for _, options := range [][]string{
		{"ed25519", "-N", ""},
		{"ed25519", "-N", passphrase, "-a", "1"},
		{"ecdsa", "-b", "256", "-N", ""},
		{"ecdsa", "-b", "384", "-N", "", "-m", "PEM"},
		{"ecdsa", "-b", "521", "-N", "", "-m", "PKCS8"},
		{"rsa", "-b", "2048", "-N", ""},
		{"rsa", "-b", "2048", "-N", passphrase, "-m", "PEM"},
	} {
		t.Run(fmt.Sprint(options), func(t *testing.T) {
			path, line := keygen(t, options[0], options[1:]...)
			asked := 0
			file := &File{Client: "acme/anna", Path: path, Passphrase: func(
				context.Context,
			) (string, error) {
				asked++
				return passphrase, nil
			}}
			for nonce := range byte(2) {
				x := exchange(fmt.Sprintf("lock:%d", nonce), nonce, 1)
				answer, err := file.Answer(t.Context(), x)
				if err != nil {
					t.Fatal(err)
				}
				verify(t, x, answer, line)
			}
			if asked > 1 {
				t.Errorf("asked for the passphrase %d times", asked)
			}
		})
	}
}

func TestFilesThatAreOfNoUse(t *testing.T) {
	sealed, _ := keygen(t, "ed25519", "-N", "secret", "-a", "1")
	wrong := func(context.Context) (string, error) { return "wrong", nil }
	damaged := filepath.Join(t.TempDir(), "damaged")
	text := []byte("-----BEGIN OPENSSH PRIVATE KEY-----\n")
	if err := os.WriteFile(damaged, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]*File{
		"that are missing":      {Path: filepath.Join(t.TempDir(), "none")},
		"that need more":        {Path: sealed},
		"with another word":     {Path: sealed, Passphrase: wrong},
		"that are damaged":      {Path: damaged},
		"that have no end":      {Path: "/dev/zero"},
		"that hold public keys": {Path: sealed + ".pub"},
	} {
		_, err := file.Answer(t.Context(), exchange("lock:a", 1, 1))
		if !errors.Is(err, porthouse.CodeUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A gateway that asks for what it could use elsewhere gets no signature.
func TestIsNotLured(t *testing.T) {
	path, _ := keygen(t, "ed25519", "-N", "")
	file := &File{Client: "acme/anna", Path: path}
	if _, err := file.Answer(t.Context(), exchange("lock:a", 1, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Answer(t.Context(), exchange("lock:a", 1, 1)); err != nil {
		t.Errorf("the same lock once more: %v", err)
	}
	elsewhere := exchange("lock:b", 2, 1)
	elsewhere.Challenge.GetNonce().Socket = "socket:zzzzzzzzzzzzzzzz"
	short := exchange("lock:c", 3, 1)
	short.Challenge.GetNonce().Nonce = []byte("short")
	for name, x := range map[string]*porthouse.Exchange{
		"another lock's nonce": exchange("lock:b", 1, 1),
		"another socket":       elsewhere,
		"a short nonce":        short,
	} {
		if _, err := file.Answer(t.Context(), x); !errors.Is(err, porthouse.CodeUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	unasked := &porthouse.Exchange{Challenge: &porthousev1.Challenge{}}
	if _, err := file.Answer(t.Context(), unasked); err != porthouse.ErrPass {
		t.Errorf("asked for no signature: %v", err)
	}
}

func TestKey(t *testing.T) {
	x := exchange("lock:a", 1, 1)
	var message []byte
	key := &Key{Client: "client:acme/anna", Sign: func(_ context.Context, m []byte) ([]byte, error) {
		message = m
		return []byte("signed"), nil
	}}
	answer, err := key.Answer(t.Context(), x)
	if err != nil || string(answer.GetSignature().GetSignature()) != "signed" || len(message) == 0 {
		t.Errorf("%v, %v of %q", answer, err, message)
	}
	none := &Key{Sign: func(context.Context, []byte) ([]byte, error) { return nil, nil }}
	if _, err := none.Answer(t.Context(), x); err != porthouse.ErrPass {
		t.Errorf("without a key: %v", err)
	}
}

// serve has an agent listen, each of whose connections is served so.
func serve(t *testing.T, with func(net.Conn)) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "agent")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				with(connection)
			}()
		}
	}()
	return path
}

func TestAgent(t *testing.T) {
	keyring := agent.NewKeyring()
	lines := [][]byte{}
	for _, kind := range []string{"ed25519", "ecdsa", "rsa"} {
		path, line := keygen(t, kind, "-N", "")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ssh.ParseRawPrivateKey(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := keyring.Add(agent.AddedKey{PrivateKey: key, Comment: kind}); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	path := serve(t, func(c net.Conn) { agent.ServeAgent(keyring, c) })
	all := &Agent{Client: "acme/anna", Socket: path}
	for i, line := range lines {
		x := exchange("lock:a", byte(i), i+1)
		answer, err := all.Answer(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		verify(t, x, answer, line)
		named := &Agent{Client: "acme/anna", Socket: path, Key: string(line)}
		x = exchange("lock:b", byte(i), 1)
		if answer, err = named.Answer(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		verify(t, x, answer, line)
	}
	x := exchange("lock:a", 9, len(lines)+1)
	if _, err := all.Answer(t.Context(), x); err != porthouse.ErrPass {
		t.Errorf("after its last key: %v", err)
	}
	for key, want := range map[string]error{
		"rsa": nil, "anna@desk": porthouse.CodeUnauthenticated,
	} {
		named := &Agent{Client: "acme/anna", Socket: path, Key: key}
		if _, err := named.Answer(t.Context(), exchange("lock:"+key, 10, 1)); !errors.Is(err, want) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestAgentsThatMisbehave(t *testing.T) {
	says := func(answer string) string {
		return serve(t, func(c net.Conn) {
			c.Read(make([]byte, 64))
			c.Write([]byte(answer))
		})
	}
	for name, path := range map[string]string{
		"that are not there":     filepath.Join(t.TempDir(), "none"),
		"that hold no key":       serve(t, func(c net.Conn) { agent.ServeAgent(agent.NewKeyring(), c) }),
		"that fail":              says("\x00\x00\x00\x01\x05"),
		"that answer at length":  says("\xff\xff\xff\xff\x0c"),
		"that answer beside":     says("\x00\x00\x00\x01\x0e"),
		"that end":               says("\x00\x00"),
		"that lie of how many":   says("\x00\x00\x00\x05\x0c\xff\xff\xff\xff"),
		"that lie of how long":   says("\x00\x00\x00\x09\x0c\x00\x00\x00\x01\xff\xff\xff\xff"),
		"that answer with chaff": says("GET / HTTP/1.1\r\n\r\n"),
	} {
		agent := &Agent{Client: "acme/anna", Socket: path}
		_, err := agent.Answer(t.Context(), exchange("lock:a", 1, 1))
		if !errors.Is(err, porthouse.CodeUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	silent := &Agent{Socket: serve(t, func(c net.Conn) { c.Read(make([]byte, 1<<10)); select {} })}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := silent.Answer(ctx, exchange("lock:a", 1, 1)); err == nil {
		t.Error("answered by an agent that says nothing")
	}
}
