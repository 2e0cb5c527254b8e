// Lock-dance enters a place by the dance of its locks, shows each step, and answers what is
// prompted for by the words given.
//
//	go run ./samples/lock-dance ws://127.0.0.1:8080/acme/door anna secret mellon
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: lock-dance URL [WORD...]")
	}
	if err := dance(context.Background(), os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func dance(ctx context.Context, url string, words []string) error {
	// Each word answers once; who has none left gives up.
	say := func(_ context.Context, asked *porthousev1.Prompts) ([]string, error) {
		count := min(len(asked.GetPrompts()), len(words))
		if len(words) == 0 {
			return nil, porthouse.ErrPass
		}
		said := words[:count]
		words = words[count:]
		return said, nil
	}
	visit := func(_ context.Context, page *porthousev1.Visit) {
		fmt.Printf("open %s, type %s\n", page.GetUrl(), page.GetUserCode())
	}
	client, err := porthouse.Connect(ctx, url,
		porthouse.WithAnswerers(
			porthouse.DeviceFlow(visit), porthouse.Knock("it is me"), porthouse.Prompts(say),
		),
		porthouse.OnStep(show),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	fmt.Println("in", client.Entered().Address())
	return nil
}

func show(step porthouse.Step) {
	if step.Verdict != nil {
		fmt.Println(step.Lock, outcomes[step.Verdict.GetOutcome()])
		return
	}
	asks := append([]string{step.Challenge.GetAcceptor()}, step.Challenge.GetOthers()...)
	either := strings.Join(asks, " or ")
	fmt.Printf("%s of %s asks for %s\n", step.Lock, step.Challenge.GetPlace(), either)
}

var outcomes = map[porthousev1.Outcome]string{
	porthousev1.Outcome_OUTCOME_PASSED:  "passed",
	porthousev1.Outcome_OUTCOME_FAILED:  "failed",
	porthousev1.Outcome_OUTCOME_DROPPED: "dropped",
}
