// Package admin administers a porthouse gateway: accounts, rooms, clients, tokens, and what is
// live.
//
//	gateway := admin.New("https://hub.example", key)
//	request := &adminv1.GetRoomRequest{Name: "accounts/acme/rooms/boiler"}
//	room, err := gateway.Rooms.GetRoom(ctx, request)
//
// Services and their methods are those of the admin API; docs/api has every field. Whatever fails
// does so with an [*Error].
package admin

import (
	"net/http"
	"strings"

	"connectrpc.com/connect"

	"github.com/porthouse/porthouse/clients/go/gen/porthouse/admin/v1/adminv1connect"
)

// Client calls the admin API of one gateway. All of it may be used by several goroutines at once.
type Client struct {
	Accounts       adminv1connect.AccountServiceClient
	APIKeys        adminv1connect.ApiKeyServiceClient
	Audit          adminv1connect.AuditServiceClient
	Clients        adminv1connect.ClientServiceClient
	ConnectionKeys adminv1connect.ConnectionKeyServiceClient
	Explain        adminv1connect.ExplainServiceClient
	Flows          adminv1connect.FlowServiceClient
	Graph          adminv1connect.GraphServiceClient
	Messages       adminv1connect.MessageServiceClient
	Offenders      adminv1connect.OffenderServiceClient
	Rooms          adminv1connect.RoomServiceClient
	Server         adminv1connect.ServerServiceClient
	Sockets        adminv1connect.SocketServiceClient
	Stats          adminv1connect.StatsServiceClient
	Technical      adminv1connect.TechnicalServiceClient
	Tokens         adminv1connect.TokenServiceClient
}

// An Option is one of the options of [New].
type Option func(*options)

type options struct {
	http    connect.HTTPClient
	connect []connect.ClientOption
}

// WithHTTPClient sets what makes the requests: its TLS, its proxy and its time limit count. Default
// [http.DefaultClient], which has no limit of its own: give the calls a context that ends.
func WithHTTPClient(client connect.HTTPClient) Option {
	return func(o *options) { o.http = client }
}

// WithConnect adds options of connect-go, such as [connect.WithGRPC].
func WithConnect(given ...connect.ClientOption) Option {
	return func(o *options) { o.connect = append(o.connect, given...) }
}

// ReadMaxBytes is what one answer, or one message of a stream, may hold, unless WithConnect says
// otherwise.
const ReadMaxBytes = 64 << 20

// New returns a client of the gateway at an http or https URL. The key goes with every call: an
// operator's (pho_…), an API key (pha_…), a token (pht_…), or a JWT. Nothing is dialled yet.
func New(url, key string, given ...Option) *Client {
	o := options{http: http.DefaultClient}
	for _, option := range given {
		option(&o)
	}
	url = strings.TrimRight(url, "/")
	with := connect.WithClientOptions(append([]connect.ClientOption{
		connect.WithReadMaxBytes(ReadMaxBytes),
		connect.WithInterceptors(caller(key)),
	}, o.connect...)...)
	return &Client{
		Accounts:       adminv1connect.NewAccountServiceClient(o.http, url, with),
		APIKeys:        adminv1connect.NewApiKeyServiceClient(o.http, url, with),
		Audit:          adminv1connect.NewAuditServiceClient(o.http, url, with),
		Clients:        adminv1connect.NewClientServiceClient(o.http, url, with),
		ConnectionKeys: adminv1connect.NewConnectionKeyServiceClient(o.http, url, with),
		Explain:        adminv1connect.NewExplainServiceClient(o.http, url, with),
		Flows:          adminv1connect.NewFlowServiceClient(o.http, url, with),
		Graph:          adminv1connect.NewGraphServiceClient(o.http, url, with),
		Messages:       adminv1connect.NewMessageServiceClient(o.http, url, with),
		Offenders:      adminv1connect.NewOffenderServiceClient(o.http, url, with),
		Rooms:          adminv1connect.NewRoomServiceClient(o.http, url, with),
		Server:         adminv1connect.NewServerServiceClient(o.http, url, with),
		Sockets:        adminv1connect.NewSocketServiceClient(o.http, url, with),
		Stats:          adminv1connect.NewStatsServiceClient(o.http, url, with),
		Technical:      adminv1connect.NewTechnicalServiceClient(o.http, url, with),
		Tokens:         adminv1connect.NewTokenServiceClient(o.http, url, with),
	}
}
