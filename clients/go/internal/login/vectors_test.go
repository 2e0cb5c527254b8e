package login

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// vector is a golden login of a file in conformance/login.
type vector struct {
	Login                          struct{ Gateway, Socket, Nonce, Client, Place string }
	Message                        string
	Secret, Key                    string
	Gateway, Socket, Place         string
	ClientNonce, ServerNonce, Salt string
	Iterations                     int
	Proof, ServerSignature         string
}

func vectors(t *testing.T, pattern string) map[string]vector {
	t.Helper()
	files, err := filepath.Glob("../../../../conformance/login/" + pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors %s: %v", pattern, err)
	}
	all := map[string]vector{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var one vector
		if err := json.Unmarshal(text, &one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = one
	}
	return all
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	bytes, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

func TestMessage(t *testing.T) {
	for name, v := range vectors(t, "message-*.json") {
		l := v.Login
		message := Message{l.Gateway, l.Socket, unhex(t, l.Nonce), l.Client, l.Place}
		if got := hex.EncodeToString(message.Bytes()); got != v.Message {
			t.Errorf("%s: %s, want %s", name, got, v.Message)
		}
	}
}

func TestProve(t *testing.T) {
	for name, v := range vectors(t, "key-*.json") {
		random, err := base64.RawURLEncoding.DecodeString(v.Secret[len(v.Secret)-43:])
		if err != nil {
			t.Fatal(err)
		}
		nonce := unhex(t, v.ClientNonce+v.ServerNonce)
		message := Message{v.Gateway, v.Socket, nonce, v.Key, v.Place}
		proof, err := Prove(random, message, unhex(t, v.Salt), v.Iterations)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(proof.Client); got != v.Proof {
			t.Errorf("%s: shows %s, want %s", name, got, v.Proof)
		}
		if got := hex.EncodeToString(proof.Server); got != v.ServerSignature {
			t.Errorf("%s: expects %s, want %s", name, got, v.ServerSignature)
		}
	}
}
