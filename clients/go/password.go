package porthouse

import (
	"context"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/login"
)

// Password proves a client, ACCOUNT/CLIENT with or without its client:, by its password.
func Password(client, password string) Answerer {
	return PasswordFunc(client, func(context.Context) (string, error) { return password, nil })
}

// PasswordFunc is [Password] with one that is asked for when it is needed. With [ErrPass] there is
// none, and the next answerer is asked.
func PasswordFunc(client string, ask func(context.Context) (string, error)) Answerer {
	return password{login.Client(client), ask}
}

type password struct {
	client string
	ask    func(context.Context) (string, error)
}

func (password) Acceptor() string { return "password" }

func (password) Nominates() bool { return true }

func (p password) Answer(ctx context.Context, x *Exchange) (*porthousev1.Answer, error) {
	prompts := x.Challenge.GetPrompts().GetPrompts()
	// Where the URL names the client, its password alone is asked for.
	alone := len(prompts) == 1 && !prompts[0].GetEcho()
	both := len(prompts) == 2 && prompts[0].GetEcho() && !prompts[1].GetEcho()
	if !alone && !both {
		return nil, ErrPass
	}
	word, err := p.ask(ctx)
	if err != nil {
		return nil, err
	}
	if alone {
		return responses(word), nil
	}
	return responses(p.client, word), nil
}

// responses is an answer of one text for each prompt.
func responses(values ...string) *porthousev1.Answer {
	return &porthousev1.Answer{Response: &porthousev1.Answer_Responses{
		Responses: &porthousev1.Responses{Values: values},
	}}
}
