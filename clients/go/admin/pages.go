package admin

import (
	"context"
	"iter"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A page of a list knows whether another one follows.
type page interface{ GetNextPageToken() string }

// All loops over a list, asking for a page when the loop comes to it:
//
//	request := &adminv1.ListRoomsRequest{Parent: "accounts/acme"}
//	items := (*adminv1.ListRoomsResponse).GetRooms
//	for room, err := range admin.All(ctx, gateway.Rooms.ListRooms, request, items) {
//
// It begins at the request's page token, and leaves the request as it is. An error ends the loop.
func All[Request proto.Message, Page page, Item any](
	ctx context.Context,
	list func(context.Context, Request) (Page, error),
	request Request,
	items func(Page) []Item,
) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		request := proto.CloneOf(request)
		for {
			page, err := list(ctx, request)
			if err != nil {
				var none Item
				yield(none, err)
				return
			}
			for _, item := range items(page) {
				if !yield(item, nil) {
					return
				}
			}
			if page.GetNextPageToken() == "" {
				return
			}
			turn(request, page.GetNextPageToken())
		}
	}
}

// turn has the request ask for the page of the token.
func turn(request proto.Message, token string) {
	message := request.ProtoReflect()
	field := message.Descriptor().Fields().ByName("page_token")
	message.Set(field, protoreflect.ValueOfString(token))
}
