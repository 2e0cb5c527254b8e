package main

import (
	"errors"
	"fmt"
)

// A payload is printable, so that every peer can carry it as text: eight hexadecimal digits for the
// sender, eight for the number of the message, then letters that depend on the sender.
const (
	digits     = 8
	payloadMin = 2 * digits
	hexDigits  = "0123456789abcdef"
)

func newPayload(sender uint32, size int) []byte {
	payload := make([]byte, size)
	putHex(payload, sender)
	putHex(payload[digits:], 0)
	for i := payloadMin; i < size; i++ {
		payload[i] = 'a' + byte((uint32(i)*7+sender*13)%26)
	}
	return payload
}

// number writes the message's number into a payload.
func setNumber(payload []byte, number uint32) { putHex(payload[digits:], number) }

func putHex(into []byte, value uint32) {
	for i := digits - 1; i >= 0; i-- {
		into[i] = hexDigits[value&15]
		value >>= 4
	}
}

var errBadPayload = errors.New("a payload without a sender and a number")

func messageSender(payload []byte) (uint32, error) { return parseHex(payload, 0) }

func messageNumber(payload []byte) (uint32, error) { return parseHex(payload, digits) }

func parseHex(payload []byte, from int) (value uint32, err error) {
	if len(payload) < from+digits {
		return 0, errBadPayload
	}
	for _, c := range payload[from : from+digits] {
		switch {
		case c >= '0' && c <= '9':
			value = value<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			value = value<<4 | uint32(c-'a'+10)
		default:
			return 0, errBadPayload
		}
	}
	return value, nil
}

// mismatch tells what was wrong with a delivery.
func mismatch(want, got []byte) error {
	return fmt.Errorf("expected %.32q… (%d bytes), got %.32q… (%d bytes): lost, doubled or changed",
		want, len(want), got, len(got))
}
