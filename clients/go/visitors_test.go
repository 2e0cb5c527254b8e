//go:build gateway

package porthouse_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/porthouse/porthouse/clients/go"
	roomv1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/room/v1"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
	"github.com/porthouse/porthouse/clients/go/sshkey"
)

// guarded is a block of a room that visitors may use who get through one lock.
func guarded(acceptor string, options map[string]any) *roomv1.Block {
	flow := lock(acceptor, options)
	flow.GetLock().DeadlineMs = 60_000
	return &roomv1.Block{Kind: &roomv1.Block_Access{Access: &roomv1.Access{
		Flow: flow, Visitors: &roomv1.Rights{Send: true, Receive: true},
	}}}
}

func TestBearer(t *testing.T) {
	h, p := hub.Open(t), newProvider(t)
	options := map[string]any{"issuer": p.Issuer, "client_id": providerClient}
	url := h.URL + "/" + h.Room("office", guarded("oidc", options))
	fetch := func(context.Context) (string, error) { return p.JWT(), nil }
	for name, bearer := range map[string]porthouse.Answerer{
		"at hand": porthouse.Bearer(p.JWT()), "fetched": porthouse.BearerFunc(fetch),
	} {
		client, err := login(t, url, porthouse.WithAnswerers(bearer))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !client.Entered().MaySend() {
			t.Errorf("%s: may not send", name)
		}
	}
	_, err := login(t, url, porthouse.WithAnswerers(porthouse.Bearer(newProvider(t).JWT())))
	if !errors.Is(err, porthouse.CodeUnauthenticated) {
		t.Errorf("by another provider: %v", err)
	}
}

func TestDeviceFlow(t *testing.T) {
	h, p := hub.Open(t), newProvider(t)
	options := map[string]any{"issuer": p.Issuer, "client_id": providerClient, "device": true}
	url := h.URL + "/" + h.Room("office", guarded("oidc", options))
	var shown *porthousev1.Visit
	device := porthouse.DeviceFlow(func(_ context.Context, visit *porthousev1.Visit) { shown = visit })
	if _, err := login(t, url, porthouse.WithAnswerers(device)); err != nil {
		t.Fatal(err)
	}
	if shown.GetUrl() != p.Issuer+"/visit" || shown.GetUserCode() != "BDWP-HQPK" {
		t.Errorf("shows %v", shown)
	}
}

// Who knocks waits for who is inside.
func TestKnock(t *testing.T) {
	h := hub.Open(t)
	url := h.URL + "/" + h.Room("club", guarded("knock", nil))
	owner, err := login(t, h.URL, porthouse.WithAnswerers(porthouse.ConnectionKey(h.ConnectionKey())))
	if err != nil {
		t.Fatal(err)
	}
	ctx := testContext(t)
	if _, err := owner.Join(ctx, "lobby:"+h.Account); err != nil {
		t.Fatal(err)
	}
	events := owner.Events(ctx)
	for name, admitted := range map[string]bool{"a friend": true, "a stranger": false} {
		entering := make(chan error, 1)
		go func() {
			_, err := login(t, url, porthouse.WithAnswerers(porthouse.Knock(name)))
			entering <- err
		}()
		for event, err := range events {
			if err != nil {
				t.Fatal(err)
			}
			told, ok := event.(porthouse.Told)
			if !ok || told.GetKind() != porthousev1.EventKind_EVENT_KIND_KNOCKED {
				continue
			}
			if told.GetDetail() != name {
				t.Errorf("%q knocks", told.GetDetail())
			}
			if err := owner.Admit(ctx, told.GetLock(), admitted); err != nil {
				t.Fatal(err)
			}
			break
		}
		events = owner.Events(ctx)
		err := <-entering
		if admitted && err != nil || !admitted && !errors.Is(err, porthouse.CodeNotAdmitted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// OpenSSH's agent is asked for one key after the other, until one fits.
func TestAgent(t *testing.T) {
	s := newSite(t)
	socket := filepath.Join(t.TempDir(), "agent")
	agent := exec.Command("ssh-agent", "-D", "-a", socket)
	told, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		agent.Process.Kill()
		agent.Wait()
	})
	// It says where it listens once it does.
	if _, err := told.Read(make([]byte, 256)); err != nil {
		t.Fatal(err)
	}
	other := s.key + ".other"
	line := keygen(t, other)
	for _, key := range []string{other, s.key} {
		add := exec.Command("ssh-add", "-q", key)
		add.Env = append(add.Environ(), "SSH_AUTH_SOCK="+socket)
		if said, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	t.Setenv("SSH_AUTH_SOCK", socket)
	for _, url := range []string{s.URL, s.URL + "/" + s.Account + "/signed"} {
		all := &sshkey.Agent{Client: s.anna}
		if _, err := login(t, url, porthouse.WithAnswerers(all)); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		one := &sshkey.Agent{Client: s.anna, Key: line}
		_, err := login(t, url, porthouse.WithAnswerers(one))
		if !errors.Is(err, porthouse.CodeUnauthenticated) {
			t.Errorf("%s by the other key: %v", url, err)
		}
	}
}
