//go:build gateway

package porthouse_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	"github.com/porthouse/porthouse/clients/go"
	adminv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/admin/v1"
	roomv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/room/v1"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
	"github.com/porthouse/porthouse/clients/go/sshkey"
)

const word = "7 Äpfel"

// site is an account whose client anna may prove herself in every way, and a room for each.
type site struct {
	*hub.Hub
	// Anna, and the path of her key.
	anna, uuid, key string
	connectionKey   string
}

func newSite(t *testing.T) *site {
	h := hub.Open(t)
	s := &site{Hub: h, anna: h.Account + "/anna", key: filepath.Join(t.TempDir(), "key")}
	line := keygen(t, s.key)
	rooms := []string{}
	for room, acceptor := range map[string]string{
		"signed": "ssh-key", "keyed": "key", "worded": "password", "preset": "preset",
		"nested": "identity",
	} {
		rooms = append(rooms, h.Room(room, hub.Locked(acceptor)))
	}
	s.uuid = h.Client("anna", []*adminv1.Credential{
		{Proof: &adminv1.Credential_SshKey{SshKey: line}},
		{Proof: &adminv1.Credential_Password{Password: word}},
		{Proof: &adminv1.Credential_Preset{Preset: &adminv1.Preset{
			Challenge: []byte("who is there?"), Response: []byte("me"),
		}}},
	}, rooms...)
	s.connectionKey = h.ConnectionKey()
	return s
}

func keygen(t *testing.T, path string) (line string) {
	t.Helper()
	made := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "anna@desk", "-f", path)
	if said, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	text, err := os.ReadFile(path + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// login connects until the end of the test, if it is let in.
func login(
	t *testing.T, url string, options ...porthouse.Option,
) (*porthouse.Client, error) {
	client, err := porthouse.Connect(t.Context(), url, options...)
	if err == nil {
		t.Cleanup(func() { client.Close() })
	}
	return client, err
}

func (s *site) byFile() porthouse.Answerer {
	return &sshkey.File{Client: s.anna, Path: s.key}
}

// Each proves itself in the main lobby, where a room asks for it, and where one is joined.
func TestLogins(t *testing.T) {
	s := newSite(t)
	for room, answerer := range map[string]func() porthouse.Answerer{
		"signed": s.byFile,
		"keyed":  func() porthouse.Answerer { return porthouse.ConnectionKey(s.connectionKey) },
		"worded": func() porthouse.Answerer { return porthouse.Password(s.anna, word) },
		"nested": s.byFile,
	} {
		t.Run(room, func(t *testing.T) {
			address := s.Account + "/" + room
			client, err := login(t, s.URL, porthouse.WithAnswerers(answerer()))
			if err != nil {
				t.Fatal(err)
			}
			if joined, err := client.Join(t.Context(), address); err != nil || !joined.MaySend() {
				t.Errorf("joins %v: %v", joined, err)
			}
			client, err = login(t, s.URL+"/"+address, porthouse.WithAnswerers(answerer()))
			if err != nil {
				t.Fatal(err)
			}
			if entered := client.Entered(); entered.Address() != "room:"+address || !entered.MaySend() {
				t.Errorf("enters %s", entered.Address())
			}
			late := later{answerer()}
			if client, err = login(t, s.URL, porthouse.WithAnswerers(late)); err != nil {
				t.Fatal(err)
			}
			if joined, err := client.Join(t.Context(), address); err != nil || !joined.Listening() {
				t.Errorf("joins %v when asked: %v", joined, err)
			}
		})
	}
}

// later answers without proving anything by itself.
type later struct{ porthouse.Answerer }

func (later) Nominates() bool { return false }

// Passed is that of the answerer within, if it has one.
func (l later) Passed(
	ctx context.Context, x *porthouse.Exchange, verdict *porthousev1.Verdict,
) error {
	if verifier, ok := l.Answerer.(porthouse.Verifier); ok {
		return verifier.Passed(ctx, x, verdict)
	}
	return nil
}

// Where the URL names the client, a device needs nothing but its response.
func TestLoginsOfTheClientInTheURL(t *testing.T) {
	s := newSite(t)
	find := func(challenge []byte) ([]byte, error) {
		if string(challenge) != "who is there?" {
			return nil, porthouse.ErrPass
		}
		return []byte("me"), nil
	}
	for name, each := range map[string]struct {
		room     string
		answerer porthouse.Answerer
	}{
		"preset":              {"preset", porthouse.Preset([]byte("me"))},
		"preset by challenge": {"preset", porthouse.PresetFunc(find)},
		"password":            {"worded", porthouse.Password(s.anna, word)},
	} {
		url := s.URL + "/" + s.Account + "/" + each.room + "/" + s.uuid + "/"
		client, err := login(t, url, porthouse.WithAnswerers(each.answerer))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !client.Entered().MaySend() {
			t.Errorf("%s: may not send", name)
		}
	}
}

func TestWrongLogins(t *testing.T) {
	s := newSite(t)
	for name, answerer := range map[string]porthouse.Answerer{
		"of nobody":  &sshkey.File{Client: s.Account + "/bob", Path: s.key},
		"no key":     porthouse.ConnectionKey(s.connectionKey[:len(s.connectionKey)-3] + "AAA"),
		"a word":     porthouse.Password(s.anna, "wrong"),
		"a token":    porthouse.Token("pht_wrong"),
		"not a key":  porthouse.ConnectionKey("phk_"),
		"not a file": &sshkey.File{Client: s.anna, Path: s.key + ".none"},
		"no agent":   &sshkey.Agent{Client: s.anna, Socket: s.key + ".none"},
	} {
		_, err := login(t, s.URL, porthouse.WithAnswerers(answerer))
		if !errors.Is(err, porthouse.CodeUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := login(t, s.URL+"/"+s.Account+"/signed", porthouse.WithToken("pht_wrong"))
	want := "room:" + s.Account + "/signed asks for ssh-key"
	if !errors.Is(err, porthouse.CodeUnauthenticated) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// Who has several ways in takes the next one where the first was wrong.
func TestAnotherWayIn(t *testing.T) {
	s := newSite(t)
	either := s.Room("either", &roomv1.Block{Kind: &roomv1.Block_Access{Access: &roomv1.Access{
		Flow: &roomv1.Flow{Kind: &roomv1.Flow_Any{Any: &roomv1.Flows{Flows: []*roomv1.Flow{
			lock("password", nil), lock("token", nil), lock("ssh-key", nil),
		}}}},
		Visitors: &roomv1.Rights{Send: true, Receive: true},
	}}})
	wrong := porthouse.Password(s.anna, "wrong")
	answerers := porthouse.WithAnswerers(wrong, s.byFile())
	outcomes := []porthousev1.Outcome{}
	seen := porthouse.OnStep(func(step porthouse.Step) {
		if step.Verdict != nil {
			outcomes = append(outcomes, step.Verdict.GetOutcome())
		}
	})
	client, err := login(t, s.URL+"/"+either, answerers, seen)
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	passed, failed := porthousev1.Outcome_OUTCOME_PASSED, porthousev1.Outcome_OUTCOME_FAILED
	if !slices.Equal(outcomes, []porthousev1.Outcome{failed, passed}) {
		t.Errorf("%v", outcomes)
	}
}

func lock(acceptor string, options map[string]any) *roomv1.Flow {
	asked := &roomv1.Lock{Acceptor: acceptor}
	if options != nil {
		asked.Options, _ = structpb.NewStruct(options)
	}
	return &roomv1.Flow{Kind: &roomv1.Flow_Lock{Lock: asked}}
}

// A person is asked again where he was wrong, while the lock has tries left.
func TestPrompts(t *testing.T) {
	s := newSite(t)
	prompts := []any{map[string]any{
		"text": "Colour? ",
		// SHA-256 of "blue".
		"answer_sha256": "16477688c0e00699c6cfa4497a3612d7e83c532062b64b250fed8908128ed548",
	}}
	door := s.Room("door", &roomv1.Block{Kind: &roomv1.Block_Access{Access: &roomv1.Access{
		Flow: lock("tty", map[string]any{"prompts": prompts}),
	}}})
	words := []string{"red", "blue"}
	asked := []string{}
	person := porthouse.Prompts(func(_ context.Context, p *porthousev1.Prompts) ([]string, error) {
		asked = append(asked, p.GetPrompts()[0].GetText())
		said := words[:1]
		words = words[1:]
		return said, nil
	})
	client, err := login(t, s.URL+"/"+door, porthouse.WithAnswerers(person))
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
	if !slices.Equal(asked, []string{"Colour? ", "Colour? "}) {
		t.Errorf("asked %q", asked)
	}
}
