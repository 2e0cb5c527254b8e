package porthouse

import (
	"errors"
	"testing"
)

// As the gateway names itself; test/client/login-vectors.test.ts has the same of the others.
func TestOrigin(t *testing.T) {
	for url, want := range map[string]string{
		"ws://127.0.0.1:8080/demo/hello": "http://127.0.0.1:8080",
		"wss://HUB.example:443":          "https://hub.example",
		"ws://hub.example:80/v1/ws":      "http://hub.example",
		"https://hub.example:8443/x?y":   "https://hub.example:8443",
		"wss://xn--bcher-kva.example/":   "https://xn--bcher-kva.example",
		"ws://[::1]:9/":                  "http://[::1]:9",
	} {
		target, err := dialled(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if got := origin(target); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	for _, url := range []string{
		"ftp://hub.example", "nonsense", "ws://", "ws://hub.example/#part", "wss://bücher.example",
	} {
		if _, err := dialled(url); !errors.Is(err, CodeAddressInvalid) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
