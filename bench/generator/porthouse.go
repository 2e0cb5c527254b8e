package main

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// porthouseCodec speaks the subprotocol porthouse.v1, written by hand after proto/porthouse/v1: as
// cheap as the other codecs here, and independent of the generated code.
type porthouseCodec struct {
	role role
	// level is the ReceiptLevel asked for, and the ReceiptStatus that answers it.
	level uint64
	// routing is the envelope's first field, the same for every publish.
	routing  []byte
	route    uint64
	sequence uint64
	// scratch holds the bytes before a payload.
	scratch []byte
}

// Tags of the fields in use: number<<3 | wire type (0 varint, 2 length-delimited).
const (
	packetFrames      = 1<<3 | 2
	frameID           = 1<<3 | 0
	frameHello        = 2<<3 | 2
	frameWelcome      = 3<<3 | 2
	frameEnvelope     = 5<<3 | 2
	frameReceipt      = 6<<3 | 2
	frameRoom         = 7<<3 | 2
	helloAgent        = 3<<3 | 2
	roomJoin          = 1<<3 | 2
	roomJoined        = 2<<3 | 2
	joinAddress       = 1<<3 | 2
	joinSendOnly      = 2<<3 | 0
	joinedRoute       = 1<<3 | 0
	envelopeRouting   = 1<<3 | 2
	envelopeStamp     = 2<<3 | 2
	envelopePayload   = 3<<3 | 2
	envelopeQuality   = 10<<3 | 0
	routingRoute      = 1<<3 | 0
	routingReceipt    = 4<<3 | 0
	stampID           = 1<<3 | 2
	stampRoute        = 3<<3 | 0
	stampSequence     = 6<<3 | 0
	receiptStatus     = 1<<3 | 0
	receiptSockets    = 3<<3 | 0
	levelAccepted     = 1
	levelRouted       = 2
	levelStored       = 3
	joinFrame         = 2
	firstPublishFrame = 16
)

func (p *porthouseCodec) upgrade() (path, subprotocol string) { return "/v1/ws", "porthouse.v1" }

func (p *porthouseCodec) enter(c *conn) {
	hello := nested(nil, helloAgent, []byte("porthouse-bench"))
	join := nested(nil, joinAddress, []byte("room:bench/"+p.role.room))
	if !p.role.listens {
		join = append(join, joinSendOnly, 1)
	}
	packet := nested(nil, packetFrames, nested([]byte{frameID, 1}, frameHello, hello))
	room := nested(nil, roomJoin, join)
	packet = nested(packet, packetFrames, nested([]byte{frameID, joinFrame}, frameRoom, room))
	c.send(opBinary, packet)
}

func levelOf(receipt string) uint64 {
	switch receipt {
	case "accepted":
		return levelAccepted
	case "stored":
		return levelStored
	}
	return levelRouted
}

// nested appends a length-delimited field.
func nested(to []byte, tag byte, value []byte) []byte {
	to = binary.AppendUvarint(append(to, tag), uint64(len(value)))
	return append(to, value...)
}

// publish frames a payload; the frame has an id only where a receipt shall name it.
func (p *porthouseCodec) publish(c *conn, payload []byte, number uint32) {
	envelope := len(p.routing) + 1 + varintSize(uint64(len(payload))) + len(payload)
	head := p.scratch[:0]
	if p.role.acknowledged {
		id := uint64(number + firstPublishFrame)
		size := 1 + varintSize(id) + 1 + varintSize(uint64(envelope)) + envelope
		head = binary.AppendUvarint(append(head, packetFrames), uint64(size))
		head = binary.AppendUvarint(append(head, frameID), id)
	} else {
		size := 1 + varintSize(uint64(envelope)) + envelope
		head = binary.AppendUvarint(append(head, packetFrames), uint64(size))
	}
	head = binary.AppendUvarint(append(head, frameEnvelope), uint64(envelope))
	head = append(append(head, p.routing...), envelopePayload)
	head = binary.AppendUvarint(head, uint64(len(payload)))
	p.scratch = head
	c.send(opBinary, head, payload)
}

func varintSize(value uint64) int {
	size := 1
	for ; value >= 0x80; value >>= 7 {
		size++
	}
	return size
}

func (p *porthouseCodec) receive(c *conn, message []byte, final bool) error {
	if !final {
		return errFragmented
	}
	if len(message) == 0 {
		c.send(opBinary)
		return nil
	}
	for len(message) > 0 {
		field, rest, err := nextField(message)
		if err != nil {
			return err
		}
		if field.tag != packetFrames {
			return fmt.Errorf("unexpected field %d in a packet", field.tag>>3)
		}
		if err := p.frame(c, field.bytes); err != nil {
			return err
		}
		message = rest
	}
	return nil
}

func (p *porthouseCodec) frame(c *conn, frame []byte) error {
	id := uint64(0)
	for len(frame) > 0 {
		field, rest, err := nextField(frame)
		if err != nil {
			return err
		}
		switch field.tag {
		case frameID:
			id = field.value
		case frameEnvelope:
			err = p.envelope(c, field.bytes)
		case frameReceipt:
			err = p.receipt(c, id, field.bytes)
		case frameRoom:
			err = p.room(c, id, field.bytes)
		case frameWelcome:
		default:
			return fmt.Errorf("frame %d: unexpected body %d: %x", id, field.tag>>3, field.bytes)
		}
		if err != nil {
			return err
		}
		frame = rest
	}
	return nil
}

func (p *porthouseCodec) room(c *conn, id uint64, action []byte) error {
	joined, _, err := nextField(action)
	if err != nil || joined.tag != roomJoined || id != joinFrame {
		return fmt.Errorf("frame %d: unexpected room action %x", id, action)
	}
	p.route, err = lookUp(joined.bytes, joinedRoute)
	if err != nil || p.route == 0 {
		return fmt.Errorf("joined without a route: %x", joined.bytes)
	}
	routing := binary.AppendUvarint([]byte{routingRoute}, p.route)
	if p.role.acknowledged {
		p.level = levelOf(p.role.receipt)
		routing = binary.AppendUvarint(append(routing, routingReceipt), p.level)
	}
	p.routing = nested(nil, envelopeRouting, routing)
	c.isIn = true
	return nil
}

// envelope checks the stamp as well: an id, the room's route, a position that only rises.
func (p *porthouseCodec) envelope(c *conn, envelope []byte) error {
	var payload []byte
	stamped := false
	for len(envelope) > 0 {
		field, rest, err := nextField(envelope)
		if err != nil {
			return err
		}
		switch field.tag {
		case envelopePayload:
			payload = field.bytes
		case envelopeQuality:
			// It was published by MQTT.
		case envelopeStamp:
			stamped = true
			if err := p.stamp(field.bytes); err != nil {
				return err
			}
		default:
			return fmt.Errorf("unexpected field %d in an envelope", field.tag>>3)
		}
		envelope = rest
	}
	if !stamped {
		return errors.New("an envelope without a stamp")
	}
	return c.owner.delivered(c, payload)
}

func (p *porthouseCodec) stamp(stamp []byte) error {
	var id, route, sequence uint64
	for len(stamp) > 0 {
		field, rest, err := nextField(stamp)
		if err != nil {
			return err
		}
		switch field.tag {
		case stampID:
			id = uint64(len(field.bytes))
		case stampRoute:
			route = field.value
		case stampSequence:
			sequence = field.value
		}
		stamp = rest
	}
	if id != 16 || route != p.route || sequence <= p.sequence {
		return fmt.Errorf("stamp: id of %d bytes, route %d (joined as %d), sequence %d after %d",
			id, route, p.route, sequence, p.sequence)
	}
	p.sequence = sequence
	return nil
}

func (p *porthouseCodec) receipt(c *conn, id uint64, receipt []byte) error {
	status, err := lookUp(receipt, receiptStatus)
	if err != nil {
		return err
	}
	sockets, err := lookUp(receipt, receiptSockets)
	if err != nil {
		return err
	}
	// What was routed has reached somebody; what was stored may have no hearers.
	if status != p.level || status == levelRouted && sockets == 0 || id <= firstPublishFrame {
		return fmt.Errorf("frame %d: unexpected receipt %x", id, receipt)
	}
	return c.owner.acknowledged(c, uint32(id-firstPublishFrame))
}
