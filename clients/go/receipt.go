package porthouse

import (
	"fmt"
	"strings"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A Level says how far a message must have come before its send returns.
type Level int

const (
	// It is in the socket; there is no receipt.
	LevelNone Level = iota
	// The gateway has taken it and given it an id.
	LevelAccepted
	// It is in the outbox of every socket that it reaches. The default.
	LevelRouted
	// The commit that holds it has returned, and it is in every outbox that it reaches.
	LevelStored
)

// A Status says in one word what became of a message.
type Status int

const (
	StatusAccepted = Status(porthousev1.ReceiptStatus_RECEIPT_STATUS_ACCEPTED)
	// It is in at least one outbox.
	StatusRouted = Status(porthousev1.ReceiptStatus_RECEIPT_STATUS_ROUTED)
	StatusStored = Status(porthousev1.ReceiptStatus_RECEIPT_STATUS_STORED)
	// It reached nobody and nothing keeps it.
	StatusVoid = Status(porthousev1.ReceiptStatus_RECEIPT_STATUS_VOID)
	// Its key was seen before: id and facts are those of the first.
	StatusDuplicate = Status(porthousev1.ReceiptStatus_RECEIPT_STATUS_DUPLICATE)
	// It went to none of its destinations.
	StatusRejected = Status(porthousev1.ReceiptStatus_RECEIPT_STATUS_REJECTED)
)

// String returns the protocol's word, such as ROUTED.
func (s Status) String() string {
	return strings.TrimPrefix(porthousev1.ReceiptStatus(s).String(), "RECEIPT_STATUS_")
}

// A Receipt is the evidence of what became of a message. It never claims more than what has
// happened.
type Receipt struct {
	Status Status
	// The message's UUIDv7; empty where it was rejected before it was given one.
	ID string
	// Sockets that it reached, your own not counted.
	Sockets int
	// Position in the room, where it was sent to exactly one; else 0.
	Sequence, Epoch uint64
	// Why it was rejected; else 0.
	Code Code
	// Destinations that refused it, where several were given; the others got it.
	Rejections []Rejection
}

// A Rejection is a destination that refused a message.
type Rejection struct {
	// As the sender wrote it.
	Address string
	Code    Code
	// For a person.
	Detail string
}

// readReceipt returns nil for a status that this client does not know.
func readReceipt(wire *porthousev1.Receipt) *Receipt {
	if _, known := porthousev1.ReceiptStatus_name[int32(wire.GetStatus())]; !known {
		return nil
	}
	if wire.GetStatus() == porthousev1.ReceiptStatus_RECEIPT_STATUS_UNSPECIFIED {
		return nil
	}
	receipt := &Receipt{
		Status:   Status(wire.GetStatus()),
		ID:       formatUUID(wire.GetId()),
		Sockets:  int(wire.GetSockets()),
		Sequence: wire.GetSequence(),
	}
	if receipt.Sequence != 0 {
		receipt.Epoch = wire.GetEpoch()
	}
	if wire.GetCode() != 0 {
		receipt.Code = wireCode(wire.GetCode())
	}
	for _, each := range wire.GetRejections() {
		receipt.Rejections = append(receipt.Rejections, Rejection{
			Address: each.GetAddress(),
			Code:    wireCode(each.GetCode()),
			Detail:  each.GetDetail(),
		})
	}
	return receipt
}

// formatUUID returns "" for what is not of 16 bytes.
func formatUUID(id []byte) string {
	if len(id) != 16 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
