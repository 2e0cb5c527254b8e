package sshkey

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/porthouse/porthouse/clients/go/internal/login"
)

// vector is a golden login of a file in conformance/login.
type vector struct {
	Login                      struct{ Gateway, Socket, Nonce, Client, Place string }
	Seed, PublicKey, Signature string
}

func read(t *testing.T, name string) (v vector, message []byte) {
	t.Helper()
	text, err := os.ReadFile("../../../conformance/login/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	l := v.Login
	parts := login.Message{Gateway: l.Gateway, Socket: l.Socket, Nonce: unhex(t, l.Nonce),
		Client: l.Client, Place: l.Place}
	return v, parts.Bytes()
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	bytes, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// open takes the signature out of an SSHSIG.
func open(t *testing.T, sshsig []byte) *ssh.Signature {
	t.Helper()
	var envelope struct {
		Magic                     [6]byte
		Version                   uint32
		Key                       []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}
	if err := ssh.Unmarshal(sshsig, &envelope); err != nil {
		t.Fatal(err)
	}
	signature := &ssh.Signature{}
	if err := ssh.Unmarshal(envelope.Signature, signature); err != nil {
		t.Fatal(err)
	}
	return signature
}

func TestSignAsOpenSSHDoes(t *testing.T) {
	v, message := read(t, "ed25519-sshsig")
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(unhex(t, v.Seed)))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := sign(signer, message)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(signature); got != v.Signature {
		t.Errorf("%s, want %s", got, v.Signature)
	}
}

func TestPlainEd25519(t *testing.T) {
	v, message := read(t, "ed25519-raw")
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(unhex(t, v.Seed)), message)
	if got := hex.EncodeToString(signature); got != v.Signature {
		t.Errorf("%s, want %s", got, v.Signature)
	}
}

// Signatures by ECDSA and RSA have chance in them or need the private key, so it is what they cover
// that is held against those of OpenSSH.
func TestCoversWhatOpenSSHSigns(t *testing.T) {
	for _, name := range []string{
		"ecdsa-nistp256-sshsig", "ecdsa-nistp384-sshsig", "ecdsa-nistp521-sshsig", "rsa-sshsig",
	} {
		t.Run(name, func(t *testing.T) {
			v, message := read(t, name)
			key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(v.PublicKey))
			if err != nil {
				t.Fatal(err)
			}
			signature := open(t, unhex(t, v.Signature))
			if err := key.Verify(covered(message), signature); err != nil {
				t.Error(err)
			}
		})
	}
}
