//go:build gateway

package porthouse_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// provider is an OpenID provider at which everybody is Anna.
type provider struct {
	Issuer string
	key    ed25519.PrivateKey
}

const providerClient = "porthouse"

func newProvider(t *testing.T) *provider {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p := &provider{Issuer: server.URL, key: private}
	says := func(path string, what func() map[string]any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(what())
		})
	}
	says("/.well-known/openid-configuration", func() map[string]any {
		return map[string]any{
			"issuer":                                p.Issuer,
			"jwks_uri":                              p.Issuer + "/keys",
			"authorization_endpoint":                p.Issuer + "/authorize",
			"token_endpoint":                        p.Issuer + "/token",
			"device_authorization_endpoint":         p.Issuer + "/device",
			"response_types_supported":              []string{"code"},
			"subject_types_supported":               []string{"public"},
			"id_token_signing_alg_values_supported": []string{"Ed25519"},
		}
	})
	says("/keys", func() map[string]any {
		return map[string]any{"keys": []map[string]any{{
			"kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "use": "sig", "kid": "main",
			"x": base64.RawURLEncoding.EncodeToString(public),
		}}}
	})
	says("/device", func() map[string]any {
		return map[string]any{
			"device_code": "of-the-device", "user_code": "BDWP-HQPK", "expires_in": 600,
			"interval": 1, "verification_uri": p.Issuer + "/visit",
		}
	})
	says("/token", func() map[string]any {
		return map[string]any{
			"access_token": "opaque", "token_type": "Bearer", "id_token": p.JWT(),
		}
	})
	return p
}

// JWT is an ID token of Anna's.
func (p *provider) JWT() string {
	part := func(of map[string]any) string {
		text, err := json.Marshal(of)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	now := time.Now().Unix()
	signed := part(map[string]any{"alg": "Ed25519", "kid": "main"}) + "." + part(map[string]any{
		"iss": p.Issuer, "aud": providerClient, "sub": "anna", "iat": now, "exp": now + 600,
	})
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(p.key, []byte(signed)))
}
