// Responder answers who asks: /ping, /echo TEXT, and /stop, which ends it.
//
//	go run ./samples/responder ws://127.0.0.1:8080 demo/hello TOKEN
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/porthouse/porthouse/clients/go"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: responder URL ADDRESS TOKEN")
	}
	if err := respond(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func respond(ctx context.Context, url, address, token string) error {
	client, err := porthouse.Connect(ctx, url, porthouse.WithToken(token))
	if err != nil {
		return err
	}
	defer client.Close()
	room, err := client.Join(ctx, address)
	if err != nil {
		return err
	}
	fmt.Println("in", room.Address())
	for message, err := range room.Messages(ctx) {
		if err != nil {
			return err
		}
		answer, asked := answerTo(message.Text)
		if !asked {
			continue
		}
		to := message.ReplyTo
		if to == "" {
			to = message.From
		}
		_, err := client.SendText(ctx, []string{to}, answer,
			porthouse.WithCorrelationID(message.CorrelationID))
		if err != nil {
			// Who names an address where nobody may be answered does not end it for others.
			log.Printf("not answered %s: %v", message.From, err)
		} else {
			fmt.Printf("answered %s: %s\n", message.From, answer)
		}
		if message.Text == "/stop" {
			break
		}
	}
	return nil
}

func answerTo(text string) (answer string, asked bool) {
	switch text {
	case "/ping":
		return "pong", true
	case "/stop":
		return "bye", true
	}
	return strings.CutPrefix(text, "/echo ")
}
