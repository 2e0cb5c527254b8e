// Device tells its readings on a channel of the room, until somebody there says "stop".
//
//	go run ./samples/device ws://127.0.0.1:8080 demo/hello TOKEN 1000
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/porthouse/porthouse/clients/go"
)

func main() {
	log.SetFlags(0)
	interval := 1000
	if len(os.Args) == 5 {
		interval, _ = strconv.Atoi(os.Args[4])
	}
	if len(os.Args) < 4 || len(os.Args) > 5 || interval <= 0 {
		log.Fatal("usage: device URL ADDRESS TOKEN [INTERVAL_MS]")
	}
	every := time.Duration(interval) * time.Millisecond
	if err := device(context.Background(), os.Args[1], os.Args[2], os.Args[3], every); err != nil {
		log.Fatal(err)
	}
}

func device(ctx context.Context, url, address, token string, every time.Duration) error {
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
	stop := make(chan error, 1)
	go func() { stop <- heard(ctx, room, "stop") }()
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for reading := 1; ; reading++ {
		// While the connection is lost it waits here, and goes on when it is back.
		receipt, err := room.SendText(ctx, fmt.Sprintf(`{"reading":%d}`, reading),
			porthouse.OnChannel("readings"), porthouse.WithContentType("application/json"))
		if err != nil {
			return err
		}
		fmt.Println(receipt.Status, reading)
		select {
		case <-ticks.C:
		case err := <-stop:
			if err == nil {
				fmt.Println("stopped")
			}
			return err
		}
	}
}

// heard waits until somebody in the room has said so.
func heard(ctx context.Context, room *porthouse.Room, text string) error {
	for message, err := range room.Messages(ctx) {
		if err != nil || message.Text == text {
			return err
		}
	}
	return nil
}
