package login

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
)

// Proof is what each side shows the other in SCRAM-SHA-256 (RFC 5802 section 3).
type Proof struct {
	// Client is what the client shows.
	Client []byte
	// Server is what the gateway shows in turn, if it knows the key.
	Server []byte
}

// Prove computes both proofs from the 32 random bytes of a connection key. They cover the message,
// the salt and the rounds.
func Prove(random []byte, message Message, salt []byte, iterations int) (Proof, error) {
	salted, err := pbkdf2.Key(sha256.New, string(random), salt, iterations, sha256.Size)
	if err != nil {
		return Proof{}, err
	}
	covered := appendStrings(message.Bytes(), string(salt), strconv.Itoa(iterations))
	clientKey := sum(salted, []byte("Client Key"))
	storedKey := sha256.Sum256(clientKey)
	proof := sum(storedKey[:], covered)
	subtle.XORBytes(proof, proof, clientKey)
	return Proof{Client: proof, Server: sum(sum(salted, []byte("Server Key")), covered)}, nil
}

func sum(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}
