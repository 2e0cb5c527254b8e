package admin

import (
	"context"
	"errors"
	"time"

	"connectrpc.com/connect"

	"github.com/porthouse/porthouse/clients/go"
	adminv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/admin/v1"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// An Error is how a call failed. It is its [porthouse.Code] for [errors.Is], and for [errors.As] a
// [*connect.Error] as well, which has the headers.
type Error struct {
	// What to decide by; all text is for people and may change.
	Code porthouse.Code
	// For a person; may be empty.
	Detail string
	// Every field that is wrong.
	Violations []*adminv1.Violation
	// Not before this time has passed, where the gateway said so.
	RetryAfter time.Duration

	temporary bool
	cause     *connect.Error
}

func (e *Error) Error() string {
	text := "porthouse: " + e.Code.String()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool {
	code, ok := target.(porthouse.Code)
	return ok && code == e.Code
}

// Unwrap returns the error of connect-go.
func (e *Error) Unwrap() error { return e.cause }

// Temporary reports whether the same call may succeed later.
func (e *Error) Temporary() bool { return e.temporary }

// told makes what connect-go says an Error. What a context ended is left as it is.
func told(err error) error {
	var cause *connect.Error
	if err == nil || !errors.As(err, &cause) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	for _, detail := range cause.Details() {
		if value, err := detail.Value(); err == nil {
			if problem, ok := value.(*adminv1.Problem); ok {
				return fromProblem(problem, cause)
			}
		}
	}
	code := byTransport(cause.Code())
	return &Error{Code: code, Detail: cause.Message(), temporary: code.Temporary(), cause: cause}
}

func fromProblem(problem *adminv1.Problem, cause *connect.Error) *Error {
	code := porthouse.Code(problem.GetCode())
	if _, known := porthousev1.Code_name[int32(code)]; !known {
		code = porthouse.CodeUnknown
	}
	return &Error{
		Code:       code,
		Detail:     cause.Message(),
		Violations: problem.GetViolations(),
		RetryAfter: time.Duration(problem.GetRetryAfterSeconds()) * time.Second,
		temporary:  problem.GetTemporary(),
		cause:      cause,
	}
}

// byTransport is what a failure means that did not come from the admin API: nobody listens, a proxy
// answers, or it is no gateway.
func byTransport(code connect.Code) porthouse.Code {
	switch code {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled:
		return porthouse.CodeUnavailable
	case connect.CodeUnimplemented:
		return porthouse.CodeUnimplemented
	case connect.CodeResourceExhausted:
		return porthouse.CodePayloadTooLarge
	}
	return porthouse.CodeUnknown
}
