package porthouse

import (
	"context"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Knock knocks, and says so much, at most 256 bytes, to those inside. Connecting or joining waits
// for them as long as the lock does.
func Knock(says string) Answerer { return knock(says) }

type knock string

func (knock) Acceptor() string { return "knock" }

func (k knock) Answer(_ context.Context, x *Exchange) (*porthousev1.Answer, error) {
	switch {
	case x.Challenge == nil:
		// Nobody is disturbed before a place asks for it.
		return nil, ErrPass
	case x.Challenge.GetPrompts() != nil:
		return responses(string(k)), nil
	}
	return TextAnswer(string(k)), nil
}
