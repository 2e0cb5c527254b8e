package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/porthouse/porthouse/clients/go"
	adminv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/admin/v1"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// answers makes every request's answer.
type answers struct {
	status int
	kind   string
	body   string
}

func (a answers) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status,
		Header:     http.Header{"Content-Type": {a.kind}},
		Body:       io.NopCloser(strings.NewReader(a.body)),
	}, nil
}

func (a answers) call() error {
	client := New("http://hub.example", "pha_x", WithHTTPClient(a))
	_, err := client.Rooms.GetRoom(context.Background(), &adminv1.GetRoomRequest{})
	return err
}

// refusal is an error as the gateway sends it.
func refusal(problem *adminv1.Problem) answers {
	value, err := proto.Marshal(problem)
	if err != nil {
		panic(err)
	}
	detail := `{"type":"porthouse.admin.v1.Problem","value":"` +
		base64.RawStdEncoding.EncodeToString(value) + `"}`
	body := `{"code":"unavailable","message":"not now","details":[` + detail + `]}`
	return answers{503, "application/json", body}
}

func TestProblem(t *testing.T) {
	err := refusal(&adminv1.Problem{
		Code: porthousev1.Code_CODE_RATE_LIMITED, Temporary: true, RetryAfterSeconds: 7,
	}).call()
	var failed *Error
	if !errors.As(err, &failed) || !errors.Is(err, porthouse.CodeRateLimited) {
		t.Fatal(err)
	}
	if !failed.Temporary() || failed.RetryAfter != 7*time.Second || failed.Detail != "not now" {
		t.Errorf("%+v", failed)
	}
	var cause *connect.Error
	if !errors.As(err, &cause) || cause.Code() != connect.CodeUnavailable {
		t.Errorf("its cause is %v", cause)
	}
	later := refusal(&adminv1.Problem{Code: 9999, Temporary: true}).call()
	if !errors.Is(later, porthouse.CodeUnknown) || !errors.As(later, &failed) || !failed.Temporary() {
		t.Errorf("a code of a later gateway: %v", later)
	}
}

func TestWhatIsNoGateway(t *testing.T) {
	for name, each := range map[string]struct {
		answers
		want porthouse.Code
	}{
		"a page":            {answers{200, "text/html", "<h1>It works</h1>"}, porthouse.CodeUnknown},
		"a proxy":           {answers{502, "text/html", "Bad Gateway"}, porthouse.CodeUnavailable},
		"nothing there":     {answers{404, "text/plain", "not found"}, porthouse.CodeUnimplemented},
		"a truncated error": {answers{400, "application/json", `{"code":`}, porthouse.CodeUnknown},
		"a truncated room":  {answers{200, "application/proto", "\x0a\xff"}, porthouse.CodeUnknown},
	} {
		if err := each.call(); !errors.Is(err, each.want) {
			t.Errorf("%s: %v, want %v", name, err, each.want)
		}
	}
}

// What cannot be read ends in an Error, whatever it is.
func FuzzAnswer(f *testing.F) {
	f.Add(503, "application/json", refusal(&adminv1.Problem{Code: 1}).body)
	f.Add(200, "application/proto", "\x0a\x03a/b")
	f.Add(200, "application/proto", "\x0a\xff")
	f.Fuzz(func(t *testing.T, status int, kind, body string) {
		err := answers{status, kind, body}.call()
		var failed *Error
		if err != nil && !errors.As(err, &failed) {
			t.Errorf("%d %q: %v", status, body, err)
		}
	})
}
