package porthouse

import (
	"errors"
	"fmt"
	"strings"
	"time"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/proto"
)

// A Code says why something failed: one of the protocol's table, or [CodeClosed] or [CodeUnknown],
// which exist only in clients. As an error it is what [errors.Is] compares an [*Error] with.
type Code int32

const (
	// The client is closed, or the gateway closed for good and gave no reason.
	CodeClosed Code = -1 - iota
	// A code newer than this client.
	CodeUnknown
)

// An Error is what fails in this package, but for what a context of yours gives as its cause.
type Error struct {
	// What to decide by; all text is for people and may change.
	Code Code
	// For a person; may be empty.
	Detail string
	// Of a message that was rejected.
	Receipt *Receipt
	// Not before this time has passed, where the gateway said so.
	RetryAfter time.Duration
	// What led to it, if that was another error.
	Cause error
}

func (e *Error) Error() string {
	detail := e.Detail
	if detail == "" && e.Cause != nil {
		detail = e.Cause.Error()
	}
	if detail == "" {
		detail = e.Code.meaning()
	}
	return "porthouse: " + e.Code.String() + ": " + detail
}

// Is reports whether target is the error's code.
func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Temporary reports whether the same may succeed later.
func (e *Error) Temporary() bool { return e.Code.Temporary() }

func (c Code) Error() string {
	return "porthouse: " + c.String() + ": " + c.meaning()
}

// String returns the code's name as the table has it, such as RATE_LIMITED.
func (c Code) String() string {
	switch c {
	case CodeClosed:
		return "CLOSED"
	case CodeUnknown:
		return "UNKNOWN"
	}
	return strings.TrimPrefix(porthousev1.Code(c).String(), "CODE_")
}

// Temporary reports whether the same may succeed later.
func (c Code) Temporary() bool { return c.rendering().GetTemporary() }

func (c Code) meaning() string {
	switch c {
	case CodeClosed:
		return "Closed"
	case CodeUnknown:
		return "A code that this client does not know"
	}
	return c.rendering().GetMeaning()
}

// rendering is the code's row of the table, nil where it has none.
func (c Code) rendering() *porthousev1.Rendering {
	value := porthousev1.Code_CODE_UNSPECIFIED.Descriptor().Values().ByNumber(
		porthousev1.Code(c).Number())
	if value == nil {
		return nil
	}
	option := proto.GetExtension(value.Options(), porthousev1.E_Rendering)
	rendering, _ := option.(*porthousev1.Rendering)
	return rendering
}

// wireCode is what the gateway sent as a code.
func wireCode(code porthousev1.Code) Code {
	if Code(code).rendering() == nil {
		return CodeUnknown
	}
	return Code(code)
}

// namedCode is the code with a name of the table; false where there is none.
func namedCode(name string) (Code, bool) {
	number, ok := porthousev1.Code_value["CODE_"+name]
	return Code(number), ok && Code(number).rendering() != nil
}

// closeStatus is the WebSocket close code that belongs to a code.
func (c Code) closeStatus() int {
	if status := c.rendering().GetWebsocketClose(); status != 0 {
		return int(status)
	}
	return 1000
}

// closedBy says what a WebSocket close code means; its range decides where the table has no such
// code, so that a client can tell about codes newer than itself (PH-9.3).
func closedBy(status int) *Error {
	for number := range porthousev1.Code_name {
		if r := Code(number).rendering(); r != nil && int(r.WebsocketClose) == status {
			return &Error{Code: Code(number)}
		}
	}
	if reconnects(status) {
		return &Error{
			Code:   CodeUnavailable,
			Detail: fmt.Sprintf("the connection was lost (%d)", status),
		}
	}
	return &Error{
		Code:   CodeClosed,
		Detail: fmt.Sprintf("the gateway closed the connection (%d)", status),
	}
}

func reconnects(status int) bool {
	switch status {
	case 1001, 1006, 1011, 1012, 1013:
		return true
	}
	return status >= 4000 && status <= 4499
}

// dropError is what a Drop says.
func dropError(drop *porthousev1.Drop) *Error {
	return &Error{
		Code:       wireCode(drop.GetCode()),
		Detail:     drop.GetDetail(),
		RetryAfter: milliseconds(drop.GetRetryAfterMs()),
	}
}

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// asError makes an error of somebody else's one of ours; code is for what says nothing itself.
func asError(err error, code Code) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Code: code, Cause: err}
}

func milliseconds(ms uint32) time.Duration {
	return time.Duration(ms) * time.Millisecond
}
