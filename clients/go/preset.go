package porthouse

import (
	"context"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Preset answers by the predefined response of a device, or of a room.
func Preset(response []byte) Answerer {
	return preset{find: func([]byte) ([]byte, error) { return response, nil }, known: true}
}

// PresetFunc is [Preset] with a response that depends on the challenge. With [ErrPass] there is
// none.
func PresetFunc(find func(challenge []byte) ([]byte, error)) Answerer {
	return preset{find: find}
}

type preset struct {
	find func([]byte) ([]byte, error)
	// Whether the response does not depend on the challenge.
	known bool
}

func (preset) Acceptor() string { return "preset" }

func (p preset) Answer(_ context.Context, x *Exchange) (*porthousev1.Answer, error) {
	_, asked := x.Challenge.GetAsk().(*porthousev1.Challenge_Data)
	if ahead := x.Challenge == nil && p.known; !asked && !ahead {
		return nil, ErrPass
	}
	response, err := p.find(x.Challenge.GetData())
	if err != nil {
		return nil, err
	}
	return &porthousev1.Answer{Response: &porthousev1.Answer_Data{Data: response}}, nil
}
