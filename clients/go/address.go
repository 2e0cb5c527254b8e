package porthouse

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var kindOfAddress = regexp.MustCompile(`^(room|client|socket|group|token|lock|lobby):`)

// fullAddress adds the room: that may be left out where a person types an address (PH-11.6).
func fullAddress(address string) string {
	if kindOfAddress.MatchString(address) {
		return address
	}
	return "room:" + address
}

// splitRoom cuts a room's address into the room and the channel or filter behind it, empty where
// there is none.
func splitRoom(address string) (room, channel string) {
	account := strings.IndexByte(address, '/')
	if account < 0 {
		return address, ""
	}
	name := strings.IndexByte(address[account+1:], '/')
	if name < 0 {
		return address, ""
	}
	end := account + 1 + name
	return address[:end], address[end+1:]
}

// isFilter reports whether a channel's name stands for more than one channel (PH-7.1).
func isFilter(channel string) bool {
	for level := range strings.SplitSeq(channel, "/") {
		if level == "*" || level == "**" {
			return true
		}
	}
	return false
}

// hears reports whether a listener on the filter hears the channel: the empty filter is the room
// and hears all.
func hears(filter, channel string) bool {
	if filter == "" || filter == channel {
		return true
	}
	if channel == "" || !strings.Contains(filter, "*") {
		return false
	}
	wanted, levels := strings.Split(filter, "/"), strings.Split(channel, "/")
	if last := len(wanted) - 1; wanted[last] == "**" {
		if len(levels) <= last {
			return false
		}
		wanted, levels = wanted[:last], levels[:last]
	}
	return slices.EqualFunc(wanted, levels, func(want, level string) bool {
		return want == "*" || want == level
	})
}

const lobbyPath = "/v1/ws"

// dialled is the URL to dial. Its path names a place, unless it is the lobby's.
func dialled(given string) (target *url.URL, err error) {
	target, err = url.Parse(given)
	if err != nil {
		return nil, &Error{Code: CodeAddressInvalid, Cause: err}
	}
	switch target.Scheme {
	case "http", "ws":
		target.Scheme = "ws"
	case "https", "wss":
		target.Scheme = "wss"
	default:
		return nil, errorf(CodeAddressInvalid, "not a URL of a gateway: %s", given)
	}
	if target.Host == "" || target.Fragment != "" {
		return nil, errorf(CodeAddressInvalid, "not a URL of a gateway: %s", given)
	}
	if strings.ContainsFunc(target.Host, func(r rune) bool { return r > unicode.MaxASCII }) {
		// Who signs and who checks have to name it alike.
		return nil, errorf(CodeAddressInvalid, "not in ASCII, as xn--…: %s", given)
	}
	if target.Path == "" || target.Path == "/" {
		target.Path = lobbyPath
	}
	return target, nil
}

// origin is what a gateway is called in what its clients sign: http for ws and https for wss,
// without a port that is the scheme's own.
func origin(of *url.URL) string {
	scheme, own := "http", "80"
	if of.Scheme == "wss" || of.Scheme == "https" {
		scheme, own = "https", "443"
	}
	host := strings.ToLower(of.Host)
	if of.Port() == own {
		host = strings.TrimSuffix(host, ":"+own)
	}
	return scheme + "://" + strings.TrimSuffix(host, ":")
}
