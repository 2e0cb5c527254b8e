package login

import "strings"

// Client is the address of a client that is given as ACCOUNT/CLIENT, with or without its client:.
func Client(name string) string {
	if strings.HasPrefix(name, "client:") {
		return name
	}
	return "client:" + name
}
