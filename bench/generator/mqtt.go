package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// mqttCodec speaks MQTT 3.1.1 on the bare connection, written by hand after the standard. A room is
// a topic; where publishes or deliveries are acknowledged they have QoS 1, else 0.
type mqttCodec struct {
	role role
	// topic is the room's, with its length before it, as packets have it.
	topic []byte
	// acknowledged counts the publishes that were.
	acknowledged uint32
}

// First bytes of packets: type<<4 | flags (section 2.2).
const (
	mqttConnect   = 0x10
	mqttConnack   = 0x20
	mqttPublish   = 0x30
	mqttPuback    = 0x40
	mqttSubscribe = 0x82
	mqttSuback    = 0x90
	mqttQoS1      = 1 << 1
)

// Flags of CONNECT (section 3.1.2.3).
const (
	mqttCleanSession = 0x02
	mqttPassword     = 0x40
	mqttUser         = 0x80
)

const (
	// mqttKeepAlive in seconds: on, as with most clients, and longer than anything here takes, so
	// that nobody has to ping.
	mqttKeepAlive = 600
	subscribeID   = 1
	mqttIDs       = 1<<16 - 1
)

func (m *mqttCodec) upgrade() (path, subprotocol string) { return "", "" }

// enter logs in. The packets after it wait for the answer, as with most clients.
func (m *mqttCodec) enter(c *conn) {
	m.topic = mqttString(nil, "bench/"+m.role.room)
	flags := byte(mqttCleanSession)
	payload := mqttString(nil, fmt.Sprintf("bench-%d", c.index))
	if m.role.user != "" {
		flags |= mqttUser | mqttPassword
		payload = mqttString(mqttString(payload, m.role.user), m.role.password)
	}
	head := append(mqttString(nil, "MQTT"), 4, flags, mqttKeepAlive>>8, mqttKeepAlive&0xff)
	c.queue(mqttConnect, head, payload)
}

func mqttString(to []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(to, uint16(len(text))), text...)
}

// qos of what it hears.
func (m *mqttCodec) qos() byte {
	if m.role.acknowledges {
		return 1
	}
	return 0
}

// packetID of a publish by its number: 1 to 65,535, over and over.
func packetID(number uint32) [2]byte {
	id := (number-1)%mqttIDs + 1
	return [2]byte{byte(id >> 8), byte(id)}
}

func (m *mqttCodec) publish(c *conn, payload []byte, number uint32) {
	if !m.role.acknowledged {
		c.queue(mqttPublish, m.topic, payload)
		return
	}
	id := packetID(number)
	c.queue(mqttPublish|mqttQoS1, m.topic, id[:], payload)
}

// queue queues one packet made of parts.
func (c *conn) queue(first byte, parts ...[]byte) {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	// The remaining length is written as Protobuf writes a varint (section 2.2.3).
	c.out = binary.AppendUvarint(append(c.out, first), uint64(length))
	for _, part := range parts {
		c.out = append(c.out, part...)
	}
	c.touch()
}

const remainingLengthBytes = 4

// packetSize of the packet at the front of data; 0: it is not whole yet.
func packetSize(data []byte) (size int, err error) {
	if len(data) < 2 {
		return 0, nil
	}
	remaining, n := uvarint(data[1:min(len(data), 1+remainingLengthBytes)])
	switch {
	case n <= 0 && len(data) > remainingLengthBytes:
		return 0, fmt.Errorf("a remaining length of over %d bytes: %x", remainingLengthBytes, data[:5])
	case n <= 0 || uint64(len(data)-1-n) < remaining:
		return 0, nil
	}
	return 1 + n + int(remaining), nil
}

func (m *mqttCodec) receive(c *conn, packet []byte, _ bool) error {
	_, n := uvarint(packet[1:])
	first, rest := packet[0], packet[1+n:]
	switch {
	case first&0xf0 == mqttPublish:
		return m.delivered(c, first, rest)
	case first == mqttPuback && c.isIn:
		return m.puback(c, rest)
	case first == mqttConnack && !c.isIn:
		return m.connack(c, rest)
	case first == mqttSuback && !c.isIn && m.role.listens:
		if want := []byte{0, subscribeID, m.qos()}; !bytes.Equal(rest, want) {
			return fmt.Errorf("SUBSCRIBE was answered by %x", rest)
		}
		c.isIn = true
		return nil
	}
	return fmt.Errorf("unexpected packet %.32x", packet)
}

func (m *mqttCodec) connack(c *conn, rest []byte) error {
	if !bytes.Equal(rest, []byte{0, 0}) {
		return fmt.Errorf("CONNECT was answered by %x", rest)
	}
	if m.role.listens {
		c.queue(mqttSubscribe, []byte{0, subscribeID}, m.topic, []byte{m.qos()})
	} else {
		c.isIn = true
	}
	return nil
}

func (m *mqttCodec) puback(c *conn, rest []byte) error {
	m.acknowledged++
	if want := packetID(m.acknowledged); !bytes.Equal(rest, want[:]) {
		return fmt.Errorf("acknowledged %x, where %x is next", rest, want)
	}
	return c.owner.acknowledged(c, m.acknowledged)
}

var errNotOurs = errors.New("a PUBLISH without the topic, or with bad flags or packet id")

// delivered takes a PUBLISH, and acknowledges it where it has QoS 1.
func (m *mqttCodec) delivered(c *conn, first byte, rest []byte) error {
	payload, found := bytes.CutPrefix(rest, m.topic)
	if !found || !c.isIn || first != mqttPublish|m.qos()<<1 {
		return errNotOurs
	}
	if m.role.acknowledges {
		if len(payload) < 2 || payload[0]|payload[1] == 0 {
			return errNotOurs
		}
		c.queue(mqttPuback, payload[:2])
		payload = payload[2:]
	}
	return c.owner.delivered(c, payload)
}
