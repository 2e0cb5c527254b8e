module github.com/porthouse/porthouse/conformance/peers/go

go 1.26.0

replace github.com/porthouse/porthouse/clients/go => ../../../clients/go

require (
	github.com/porthouse/porthouse/clients/go v0.0.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
