package peer

import porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"

// Socket is the address that the peer gives to every client.
const Socket = "socket:aaaaaaaaaaaaaaaa"

// WelcomeTo answers a Hello.
func WelcomeTo(id uint32) *porthousev1.Frame {
	return &porthousev1.Frame{Id: id, Body: &porthousev1.Frame_Welcome{Welcome: &porthousev1.Welcome{
		Socket: Socket,
		Limits: &porthousev1.Limits{
			PacketBytes: 1 << 20, PacketFrames: 1024, FrameBytes: 512 << 10, PayloadBytes: 256 << 10,
			HeadersBytes: 8192, Headers: 64, Destinations: 64,
		},
	}}}
}

// Joined answers a join.
func Joined(id, route uint32, address string) *porthousev1.Frame {
	joined := &porthousev1.Joined{
		Route: route, Address: address, Epoch: 1, Sequence: 7, Listening: true, MaySend: true,
	}
	return Room(id, &porthousev1.Room{Action: &porthousev1.Room_Joined{Joined: joined}})
}

// Room is a frame of an action of a room.
func Room(id uint32, action *porthousev1.Room) *porthousev1.Frame {
	return &porthousev1.Frame{Id: id, Body: &porthousev1.Frame_Room{Room: action}}
}

// Verdict answers an answer to a lock.
func Verdict(id uint32, outcome porthousev1.Outcome) *porthousev1.Frame {
	return LockStep(id, &porthousev1.LockStep{Step: &porthousev1.LockStep_Verdict{
		Verdict: &porthousev1.Verdict{Outcome: outcome},
	}})
}

// Challenge has a lock ask.
func Challenge(id uint32, lock string, asks *porthousev1.Challenge) *porthousev1.Frame {
	return LockStep(id, &porthousev1.LockStep{
		Lock: lock, Step: &porthousev1.LockStep_Challenge{Challenge: asks},
	})
}

// LockStep is a frame of a step of a lock.
func LockStep(id uint32, step *porthousev1.LockStep) *porthousev1.Frame {
	return &porthousev1.Frame{Id: id, Body: &porthousev1.Frame_LockStep{LockStep: step}}
}

// Receipt answers an envelope.
func Receipt(id uint32, receipt *porthousev1.Receipt) *porthousev1.Frame {
	return &porthousev1.Frame{Id: id, Body: &porthousev1.Frame_Receipt{Receipt: receipt}}
}

// Message is a text at a position of the room with route 1.
func Message(sequence uint64, text string) *porthousev1.Frame {
	return &porthousev1.Frame{Body: &porthousev1.Frame_Envelope{Envelope: &porthousev1.Envelope{
		Content: &porthousev1.Envelope_Text{Text: text},
		Stamp: &porthousev1.Stamp{
			Id:       make([]byte, 16),
			From:     "socket:bbbbbbbbbbbbbbbb",
			Route:    1,
			Sequence: sequence,
		},
	}}}
}

// Drop refuses what has the id; with 0 it ends the connection.
func Drop(id uint32, code porthousev1.Code) *porthousev1.Frame {
	return &porthousev1.Frame{Id: id, Body: &porthousev1.Frame_Drop{
		Drop: &porthousev1.Drop{Code: code},
	}}
}
