package sshkey

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// fileBytesMax is more than any private key takes.
const fileBytesMax = 64 << 10

// File proves a client by a private key: Ed25519, ECDSA on a NIST curve, or RSA, in OpenSSH's
// format or PEM. The file is read when a lock asks for it; what is wrong with it fails with
// [porthouse.CodeUnauthenticated].
type File struct {
	// Who logs in: ACCOUNT/CLIENT, with or without its client:.
	Client string
	Path   string
	// Passphrase is asked, once, where the file is encrypted. Nil: there is none.
	Passphrase func(context.Context) (string, error)

	proof  proof
	mu     sync.Mutex
	signer ssh.Signer
}

// Acceptor is ssh-key.
func (*File) Acceptor() string { return acceptor }

// Nominates is true: a signature proves an identity.
func (*File) Nominates() bool { return true }

// Answer signs what the lock asks for.
func (f *File) Answer(ctx context.Context, x *porthouse.Exchange) (*porthousev1.Answer, error) {
	return f.proof.answer(x, f.Client, func(message []byte) ([]byte, error) {
		signer, err := f.open(ctx)
		if err != nil {
			return nil, refused(f.Path+" cannot be used", err)
		}
		return sign(signer, message)
	})
}

// open reads the file once; one that was mended is read again.
func (f *File) open(ctx context.Context) (ssh.Signer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signer != nil {
		return f.signer, nil
	}
	text, err := readFile(f.Path)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(text)
	var sealed *ssh.PassphraseMissingError
	if errors.As(err, &sealed) {
		if f.Passphrase == nil {
			return nil, errors.New("it needs its passphrase")
		}
		passphrase, asking := f.Passphrase(ctx)
		if asking != nil {
			return nil, asking
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase(text, []byte(passphrase))
	}
	if err != nil {
		return nil, err
	}
	if kind := signer.PublicKey().Type(); !taken(kind) {
		return nil, fmt.Errorf("a key of type %s is not taken", kind)
	}
	f.signer = signer
	return signer, nil
}

func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, fileBytesMax+1))
	if err == nil && len(text) > fileBytesMax {
		return nil, errors.New("it is too large for a key")
	}
	return text, err
}

// taken reports whether the gateway takes keys of the type.
func taken(kind string) bool {
	switch kind {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoRSA,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return true
	}
	return false
}
