package admin

import (
	"context"
	"errors"
	"io"

	"connectrpc.com/connect"
)

// caller is the key that goes with every call; what fails it makes an Error.
type caller string

func (key caller) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		request.Header().Set("Authorization", "Bearer "+string(key))
		response, err := next(ctx, request)
		return response, told(err)
	}
}

func (key caller) WrapStreamingClient(
	next connect.StreamingClientFunc,
) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		conn.RequestHeader().Set("Authorization", "Bearer "+string(key))
		return stream{conn}
	}
}

// WrapStreamingHandler is for servers.
func (key caller) WrapStreamingHandler(
	next connect.StreamingHandlerFunc,
) connect.StreamingHandlerFunc {
	return next
}

type stream struct{ connect.StreamingClientConn }

func (s stream) Receive(message any) error {
	err := s.StreamingClientConn.Receive(message)
	if errors.Is(err, io.EOF) {
		return err
	}
	return told(err)
}
