package porthouse

import (
	"context"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// Bearer proves a person by a JWT of the OpenID provider that a room names.
func Bearer(jwt string) Answerer {
	return bearer{get: func(context.Context) (string, error) { return jwt, nil }, known: true}
}

// BearerFunc is [Bearer] with a JWT that is fetched when it is needed. With [ErrPass] there is
// none, and the next answerer is asked.
func BearerFunc(get func(context.Context) (string, error)) Answerer { return bearer{get: get} }

type bearer struct {
	get func(context.Context) (string, error)
	// Whether it is there without waiting.
	known bool
}

func (bearer) Acceptor() string { return "oidc" }

func (b bearer) Answer(ctx context.Context, x *Exchange) (*porthousev1.Answer, error) {
	if x.Challenge.GetAsk() != nil || (x.Challenge == nil && !b.known) {
		return nil, ErrPass
	}
	jwt, err := b.get(ctx)
	if err != nil {
		return nil, err
	}
	return TextAnswer(jwt), nil
}

// DeviceFlow logs a person in where there is no browser (RFC 8628): onVisit shows the page to open
// elsewhere, http or https, and the code to type there. It must return soon; its context ends when
// there is no use in visiting any more. Connecting or joining waits as long as the lock does.
func DeviceFlow(onVisit func(ctx context.Context, visit *porthousev1.Visit)) Answerer {
	return deviceFlow(onVisit)
}

type deviceFlow func(context.Context, *porthousev1.Visit)

func (deviceFlow) Acceptor() string { return "oidc" }

func (onVisit deviceFlow) Answer(ctx context.Context, x *Exchange) (*porthousev1.Answer, error) {
	if x.Challenge == nil {
		// Its code would run out before somebody looks for it.
		return nil, ErrPass
	}
	if visit := x.Challenge.GetVisit(); visit != nil {
		onVisit(ctx, visit)
		return nil, ErrWait
	}
	if x.Challenge.GetAsk() != nil {
		return nil, ErrPass
	}
	return TextAnswer("device"), nil
}
