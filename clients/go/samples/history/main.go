// History is a board: shows all that was ever said, and adds a line that is there for good.
//
//	go run ./samples/history ws://127.0.0.1:8080 demo/board TOKEN 'a line'
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
	if len(os.Args) < 4 || len(os.Args) > 5 {
		log.Fatal("usage: history URL ADDRESS TOKEN [LINE]")
	}
	err := board(context.Background(), os.Args[1], os.Args[2], os.Args[3], os.Args[4:])
	if err != nil {
		log.Fatal(err)
	}
}

func board(ctx context.Context, url, address, token string, lines []string) error {
	client, err := porthouse.Connect(ctx, url, porthouse.WithToken(token))
	if err != nil {
		return err
	}
	defer client.Close()
	room, err := client.Join(ctx, address)
	if err != nil {
		return err
	}
	for message, err := range room.History(ctx, porthouse.Position{}) {
		if err != nil {
			return err
		}
		fmt.Printf("%d %s: %s\n", message.Sequence, message.From, message.Text)
	}
	for _, line := range lines {
		// Returns when it is on disk; until then it is sent again where need be, and kept once.
		receipt, err := room.SendText(ctx, line, porthouse.WithLevel(porthouse.LevelStored))
		if err != nil {
			return err
		}
		fmt.Println(receipt.Status, receipt.Sequence)
	}
	return nil
}
