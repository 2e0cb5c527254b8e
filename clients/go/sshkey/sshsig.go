package sshkey

import (
	"crypto/rand"
	"crypto/sha512"
	"errors"

	"golang.org/x/crypto/ssh"
)

const (
	// namespace is what it is signed for: of no use to git, to a file or to another program.
	namespace = "porthouse"
	hash      = "sha512"
)

var magic = [6]byte{'S', 'S', 'H', 'S', 'I', 'G'}

// sign gives an SSHSIG as `ssh-keygen -Y sign -n porthouse` makes it (PROTOCOL.sshsig of OpenSSH).
func sign(signer ssh.Signer, message []byte) ([]byte, error) {
	signature, err := signRaw(signer, covered(message))
	if err != nil {
		return nil, err
	}
	return ssh.Marshal(struct {
		Magic                     [6]byte
		Version                   uint32
		Key                       []byte
		Namespace, Reserved, Hash string
		Signature                 []byte
	}{magic, 1, signer.PublicKey().Marshal(), namespace, "", hash, ssh.Marshal(signature)}), nil
}

// covered gives the bytes of which an SSHSIG of the message holds the signature.
func covered(message []byte) []byte {
	digest := sha512.Sum512(message)
	return ssh.Marshal(struct {
		Magic                     [6]byte
		Namespace, Reserved, Hash string
		Digest                    []byte
	}{magic, namespace, "", hash, digest[:]})
}

// signRaw has an RSA key sign with SHA-512, never with SHA-1.
func signRaw(signer ssh.Signer, data []byte) (*ssh.Signature, error) {
	if signer.PublicKey().Type() != ssh.KeyAlgoRSA {
		return signer.Sign(rand.Reader, data)
	}
	rsa, ok := signer.(ssh.AlgorithmSigner)
	if !ok {
		return nil, errors.New("it signs by RSA with SHA-1 alone")
	}
	return rsa.SignWithAlgorithm(rand.Reader, data, ssh.KeyAlgoRSASHA512)
}
