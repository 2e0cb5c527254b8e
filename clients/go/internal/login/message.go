// Package login makes what a client signs or proves to log in, as docs/acceptors has it. Golden
// bytes: conformance/login.
package login

import "encoding/binary"

const context = "porthouse login v1"

// Message is what a signature covers, so that it is of no use to another gateway, socket or place.
type Message struct {
	// Gateway is the origin of the URL that was dialled, never what the peer says of itself.
	Gateway string
	// Socket is socket:{socket}.
	Socket string
	Nonce  []byte
	// Client is client:{account}/{client}, or a connection key's UUID.
	Client string
	// Place is that of the challenge; empty in the main lobby.
	Place string
}

// Bytes gives the message as it is signed: six strings of SSH.
func (m Message) Bytes() []byte {
	return appendStrings(nil, context, m.Gateway, m.Socket, string(m.Nonce), m.Client, m.Place)
}

// appendStrings adds each part as its length (uint32, big-endian) and its bytes (RFC 4251).
func appendStrings(to []byte, parts ...string) []byte {
	for _, part := range parts {
		to = binary.BigEndian.AppendUint32(to, uint32(len(part)))
		to = append(to, part...)
	}
	return to
}
