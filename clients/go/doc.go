// Package porthouse is a client of the porthouse messaging gateway.
//
//	client, err := porthouse.Connect(ctx, "ws://127.0.0.1:8080", porthouse.WithToken(secret))
//	room, err := client.Join(ctx, "demo/hello")
//	receipt, err := room.SendText(ctx, "hello")
//	for message, err := range room.Messages(ctx) {
//		fmt.Println(message.From, message.Text)
//	}
//
// A Client keeps one connection alive and goes on where it was when that is lost: it joins its
// rooms again, asks for what it missed there, and sends what had no receipt yet under the same key.
// What cannot be made good is told, by an [Event] and by [Message.Lost].
//
// Whatever fails does so with an [*Error], whose [Code] is of the protocol's table:
//
//	if errors.Is(err, porthouse.CodeRateLimited) { … }
//
// All methods may be called by several goroutines at once. Nothing waits longer than its context.
// Client.Close ends every goroutine that the package has started.
package porthouse
