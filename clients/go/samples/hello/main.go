// Hello says hello in a room and hears one answer.
//
//	go run ./samples/hello ws://127.0.0.1:8080 demo/hello TOKEN
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/porthouse/porthouse/clients/go"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: hello URL ADDRESS TOKEN")
	}
	if err := hello(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func hello(ctx context.Context, url, address, token string) error {
	client, err := porthouse.Connect(ctx, url, porthouse.WithToken(token))
	if err != nil {
		return err
	}
	defer client.Close()
	room, err := client.Join(ctx, address)
	if err != nil {
		return err
	}
	receipt, err := room.SendText(ctx, "hello")
	if err != nil {
		return err
	}
	fmt.Printf("%s to %d\n", receipt.Status, receipt.Sockets)
	for answer, err := range room.Messages(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("%s: %s\n", answer.From, answer.Text)
		break
	}
	return nil
}
