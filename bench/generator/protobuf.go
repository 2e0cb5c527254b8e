package main

import (
	"encoding/binary"
	"errors"
)

// field is one field of a Protobuf message: a varint's value, or a length-delimited field's bytes.
type field struct {
	tag   uint64
	value uint64
	bytes []byte
}

var errBadField = errors.New("a bad Protobuf field")

// nextField takes the first field off a message. Only the wire types that porthouse uses are known.
func nextField(message []byte) (f field, rest []byte, err error) {
	tag, n := uvarint(message)
	if n <= 0 {
		return f, nil, errBadField
	}
	value, m := uvarint(message[n:])
	if m <= 0 {
		return f, nil, errBadField
	}
	f.tag, f.value, rest = tag, value, message[n+m:]
	switch tag & 7 {
	case 0:
		return f, rest, nil
	case 2:
		if value > uint64(len(rest)) {
			return f, nil, errBadField
		}
		f.bytes = rest[:value]
		return f, rest[value:], nil
	}
	return f, nil, errBadField
}

// uvarint is binary.Uvarint with the one-byte case in front, which is most of them.
func uvarint(data []byte) (uint64, int) {
	if len(data) > 0 && data[0] < 0x80 {
		return uint64(data[0]), 1
	}
	return binary.Uvarint(data)
}

// lookUp finds a varint field in a message; absent is 0.
func lookUp(message []byte, tag uint64) (value uint64, err error) {
	for len(message) > 0 {
		f, rest, err := nextField(message)
		if err != nil {
			return 0, err
		}
		if f.tag == tag {
			value = f.value
		}
		message = rest
	}
	return value, nil
}
