package porthouse

import (
	"context"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Prompts has a person answer whatever any acceptor prompts for, such as tty and password: ask
// returns one text for each prompt, or [ErrPass] to give up. It is asked again after a wrong answer
// while tries are left, and one thing at a time. What is shown comes from a stranger: it is not for
// a terminal as it is.
func Prompts(ask func(ctx context.Context, asked *porthousev1.Prompts) ([]string, error)) Answerer {
	return prompts{ask, make(chan struct{}, 1)}
}

type prompts struct {
	ask func(context.Context, *porthousev1.Prompts) ([]string, error)
	// Full while the person is asked: several locks may want an answer at once.
	turn chan struct{}
}

func (prompts) Acceptor() string { return "*" }

func (prompts) Tries() int { return 0 }

func (p prompts) Answer(ctx context.Context, x *Exchange) (*porthousev1.Answer, error) {
	asked := x.Challenge.GetPrompts()
	if asked == nil {
		return nil, ErrPass
	}
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	values, err := p.ask(ctx, asked)
	if err != nil {
		return nil, err
	}
	return responses(values...), nil
}
