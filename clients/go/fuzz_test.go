package porthouse

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// goldenPackets are those of conformance/frames, but for the largest, which are written in short.
func goldenPackets(t testing.TB) (packets [][]byte) {
	t.Helper()
	err := filepath.WalkDir("../../conformance/frames", func(
		path string, _ fs.DirEntry, err error,
	) error {
		if err != nil || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var golden struct{ Hex string }
		if err := json.Unmarshal(text, &golden); err != nil {
			return err
		}
		if packet, err := hex.DecodeString(golden.Hex); err == nil {
			packets = append(packets, packet)
		}
		return nil
	})
	if err != nil || len(packets) == 0 {
		t.Fatalf("%d golden packets: %v", len(packets), err)
	}
	return packets
}

// Whatever bytes come, they are frames, or the code says what they are not.
func FuzzFrames(f *testing.F) {
	for _, packet := range goldenPackets(f) {
		f.Add(packet)
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		frames := 0
		err := eachFrame(packet, func(*porthousev1.Frame) error {
			frames++
			return nil
		})
		if err != nil && !errors.Is(err, CodeMalformedPacket) {
			t.Error(err)
		}
		if frames > len(packet)/2 {
			t.Errorf("%d frames in %d bytes", frames, len(packet))
		}
	})
}

// Whatever refuses the upgrade does so with a code of the table.
func FuzzRefusal(f *testing.F) {
	f.Add(404, `{"code":"PATH_UNKNOWN"}`)
	f.Add(503, `{"code":7}`)
	f.Add(-1, `[`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		response := &http.Response{
			StatusCode: status, Body: io.NopCloser(strings.NewReader(body)),
		}
		var refused *Error
		if err := refusal(response); !errors.As(err, &refused) || refused.Code.meaning() == "" {
			t.Errorf("%d %q: %v", status, body, err)
		}
	})
}

// Whatever is given as a connection key, and shown as proof of it, lets nobody in by itself.
func FuzzConnectionKey(f *testing.F) {
	f.Add(keySecret, "AAAA")
	f.Add("phk_", "")
	f.Fuzz(func(t *testing.T, secret, shown string) {
		key, x := ConnectionKey(secret), &Exchange{Socket: keySocket}
		_, err := key.Answer(context.Background(), x)
		if err != nil && !errors.Is(err, CodeUnauthenticated) {
			t.Errorf("%q: %v", secret, err)
		}
		verdict := &porthousev1.Verdict{Values: map[string]string{"server_signature": shown}}
		err = key.(Verifier).Passed(context.Background(), x, verdict)
		if !errors.Is(err, CodeUnauthenticated) {
			t.Errorf("%q is let in by %q", secret, shown)
		}
	})
}

// Whatever is given as a URL names one gateway, or none.
func FuzzURL(f *testing.F) {
	for _, url := range []string{
		"ws://127.0.0.1:8080/demo/hello", "wss://HUB.example:443", "ws://[::1]:9/", "ftp://x", "%",
	} {
		f.Add(url)
	}
	f.Fuzz(func(t *testing.T, address string) {
		target, err := dialled(address)
		if err != nil {
			if !errors.Is(err, CodeAddressInvalid) {
				t.Errorf("%q: %v", address, err)
			}
			return
		}
		again, err := dialled(target.String())
		if err != nil || origin(again) != origin(target) {
			t.Errorf("%q is %q, and then %v, %v", address, origin(target), again, err)
		}
	})
}
