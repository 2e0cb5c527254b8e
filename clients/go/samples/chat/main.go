// Chat talks in a room: says each line of its input, shows what it hears, until its input ends.
//
//	go run ./samples/chat ws://127.0.0.1:8080 demo/hello TOKEN
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/porthouse/porthouse/clients/go"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: chat URL ADDRESS TOKEN")
	}
	if err := chat(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func chat(ctx context.Context, url, address, token string) error {
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
	go func() {
		for message, err := range room.Messages(ctx) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s: %s\n", message.From, message.Text)
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if _, err := room.SendText(ctx, lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}
